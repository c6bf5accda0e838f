import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { calibrationOf } from '../forecast/calibration.ts';
import { doraOf } from '../forecast/dora.ts';
import type { ForecastView } from '../forecast/forecast-view.ts';
import { quantOf } from '../forecast/model.ts';
import { type Run, runFromDocument } from '../forecast/run.ts';
import { teamOf, type Whose } from '../forecast/step-model.ts';
import { failingSteps, slowSpots } from '../forecast/weak-spots.ts';
import type { Document, DocumentQuery, Store } from '../store/store.ts';
import { FORECAST, keptIn } from './forecast-learner.ts';
import type { Forecasts } from './forecasts.ts';

export type { ForecastView } from '../forecast/forecast-view.ts';

/** What somebody asks about; everything that is left out is told from what is known. */
export interface ForecastFilter {
  project?: string;
  service?: string;
  team?: string;
  /** Stage. */
  from?: string;
  to?: string;
  /** Of the measures of delivery. Default 30. */
  days?: number;
}

const DEFAULT_DAYS = 30;
export const MOST_DAYS = 180;
const DAY_MS = 86_400_000;
const PAGE = 100;
/** After a start nobody waits until a large fleet is learnt: the newest runs come first, and say most. */
const LEARNING_MS = 2_000;
/** Of one service enough for years; of all together the newest. */
const MOST_RUNS = 5_000;
const MOST_FORECASTS = 200;
const MOST_CHOICES = 200;

/** Everything that is known of how long changes take and how they end, for a service, a team or all. */
export async function readForecast(
  room: { store: Store; clock: Clock; forecasts: Forecasts },
  filter: ForecastFilter,
): Promise<ForecastView> {
  const { store, clock, forecasts } = room;
  await Promise.race([forecasts.refresh(), sleep(LEARNING_MS, undefined, { ref: false })]);
  const now = clock.now();
  const days = Math.min(MOST_DAYS, Math.max(1, filter.days ?? DEFAULT_DAYS));
  const from = now.getTime() - days * DAY_MS;
  const services = forecasts.services();
  const whose = wanted(services, filter);
  const runs = (await runsOf(store, filter, whose, from)).filter((run) => isMeant(run, filter, whose));
  const stages = whose ? forecasts.journeys.stagesOf(whose) : [];
  const lastStage = (run: Run) => filter.to ?? forecasts.journeys.stagesOf(run).at(-1);
  const to = filter.to ?? stages.at(-1);
  return {
    asOf: now.toISOString(),
    about: { ...filter, ...whose, ...(whose && to !== undefined ? { to } : {}), days },
    choices: {
      services: services.slice(0, MOST_CHOICES).map(({ project, service }) => ({ project, service })),
      teams: [...new Set(services.map(teamOf))].sort(),
      stages,
    },
    ...(whose ? aboutService(forecasts, whose, stages, filter, to) : NOBODY),
    runs: { used: runs.filter(endsKnown).length, all: runs.length },
    failsAt: failingSteps(runs),
    slow: slowSpots(runs),
    calibration: calibrationOf(await keptOf(store, filter, whose)),
    dora: { ...doraOf(runs, lastStage, { from, to: now.getTime() }), ...(to === undefined ? {} : { stage: to }) },
  };
}

const NOBODY = {
  forecast: null,
  publication: { shown: true, why: 'choose a service' },
  steps: [],
} satisfies Partial<ForecastView>;

/** The service that is named; of several of that name the one that moved last. */
function wanted(services: readonly Whose[], { project, service, team }: ForecastFilter): Whose | undefined {
  if (service === undefined) return undefined;
  const found = services.find(
    (one) =>
      one.service === service &&
      (project === undefined || one.project === project) &&
      (team === undefined || teamOf(one) === team),
  );
  return found ?? (project === undefined ? undefined : { project, service, ...(team === undefined ? {} : { team }) });
}

function aboutService(
  forecasts: Forecasts,
  whose: Whose,
  stages: readonly string[],
  filter: ForecastFilter,
  to: string | undefined,
): Pick<ForecastView, 'forecast' | 'publication' | 'steps'> {
  const first = filter.from === undefined ? 0 : Math.max(0, stages.indexOf(filter.from));
  const last = to === undefined ? -1 : stages.indexOf(to);
  const remaining = stages
    .slice(first, last + 1)
    .flatMap((stage) => (forecasts.journeys.stepsOf(whose, stage) ?? []).map((step) => ({ stage, step })));
  const steps = remaining.flatMap(({ stage, step }) => {
    const known = forecasts.step(whose, stage, step);
    const expected = quantOf(known);
    return known && expected ? [{ stage, step, human: known.human, basis: known.basis, expected }] : [];
  });
  const { eta, odds } = forecasts.for({ ...whose, remaining: forecasts.parallel(whose, remaining) });
  return { forecast: { eta, odds }, publication: forecasts.publication(whose), steps };
}

function isMeant(run: Run, { team }: ForecastFilter, whose: Whose | undefined): boolean {
  return whose !== undefined || team === undefined || teamOf(run) === team;
}

/** Newest first. */
async function runsOf(store: Store, filter: ForecastFilter, whose: Whose | undefined, from: number): Promise<Run[]> {
  const project = whose?.project ?? filter.project;
  const query = {
    kind: 'steps',
    ...(project === undefined ? {} : { project }),
    ...(filter.service === undefined ? {} : { service: filter.service }),
  };
  // Of one service all that there is: what is slow or fails needs more than a month.
  const rows = await documents(store, query, MOST_RUNS, whose ? 0 : from);
  return rows.map(runFromDocument).filter((run) => run !== undefined);
}

async function keptOf(store: Store, filter: ForecastFilter, whose: Whose | undefined) {
  const { project = filter.project, service = filter.service } = whose ?? {};
  const columns = { ...(project === undefined ? {} : { project }), ...(service === undefined ? {} : { service }) };
  const rows = await documents(
    store,
    { kind: FORECAST, status: ['settling', 'settled'], ...columns },
    MOST_FORECASTS,
    0,
  );
  const kept = rows.map(keptIn).filter((one) => one !== undefined);
  return filter.team === undefined || whose ? kept : kept.filter((one) => teamOf(one) === filter.team);
}

async function documents(store: Store, query: DocumentQuery, most: number, from: number): Promise<Document[]> {
  const found: Document[] = [];
  while (found.length < most) {
    const last = found.at(-1);
    const after = last ? { after: { sort: last.sort, id: last.id } } : {};
    const page = await store.documents({ ...query, ...after, limit: Math.min(PAGE, most - found.length) });
    found.push(...page.filter(({ sort }) => sort >= from));
    if (page.length < PAGE || (page.at(-1)?.sort ?? 0) < from) break;
    await nextTurn();
  }
  return found;
}

function endsKnown({ outcome }: Run): boolean {
  return outcome === 'passed' || outcome === 'warning' || outcome === 'failed';
}
