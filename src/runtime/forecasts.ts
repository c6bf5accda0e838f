import type { Clock } from '../base/clock.ts';
import { type Calibrations, createCalibrations, type KeptForecast, type Publication } from '../forecast/calibration.ts';
import type { Journeys } from '../forecast/journeys.ts';
import { createForecastModel } from '../forecast/model.ts';
import type { StepPlace } from '../forecast/quant.ts';
import type { Forecast, ForecastQuestion } from '../forecast/question.ts';
import { runFromDocument } from '../forecast/run.ts';
import { type KnownStep, serviceOf, type Whose } from '../forecast/step-model.ts';
import type { Document, Store } from '../store/store.ts';
import { REPORTED } from '../views/reported-run.ts';

/** What past changes say about those under way. Held in memory; every replica learns it from the store by itself. */
export interface Forecasts {
  /** At once, from what has been learnt so far; asks for news in the background when that is some seconds old. */
  for(question: ForecastQuestion): Forecast;
  /** The same, also where it is not shown because it was wrong too often: to be judged. */
  unhidden(question: ForecastQuestion): Forecast;
  step(whose: Whose, stage: string, step: string): KnownStep | undefined;
  publication(whose: Whose): Publication;
  readonly journeys: Journeys;
  /** Steps with the stages in groups that changes are in at the same time; the one that is under way is in none. */
  parallel(whose: Whose, remaining: readonly StepPlace[], under?: string): ForecastQuestion['remaining'];
  /** All that have a history, the one that moved last first. */
  services(): Whose[];
  /** Learns what is new in the store. Calls that come meanwhile wait for the same. */
  refresh(): Promise<void>;
}

/** Documents of forecasts, with what came true. */
export const FORECAST = 'forecast';
export const DEFAULT_HALF_LIFE_RUNS = 20;
const FRESH_MS = 5_000;
/** What others did moves a service's forecast a little: that may wait. */
const FORGET_MS = 60_000;
const PAGE = 200;
const MOST_ROWS = 50_000;
const LOOK_BACK_MS = 180 * 86_400_000;
/** A commit may become visible so long after the moment that it tells of. */
const OVERLAP_MS = 120_000;

export function createForecasts(room: { store: Store; clock: Clock; halfLifeRuns?: number }): Forecasts {
  const { store, clock, halfLifeRuns = DEFAULT_HALF_LIFE_RUNS } = room;
  const model = createForecastModel({ halfLifeRuns });
  const calibrations = createCalibrations();
  const runs = createFollower(store, 'steps', (row, since, older) => learnRun(row, since, older));
  const kept = createFollower(store, FORECAST, (row, since, older) => learnKept(calibrations, row, since, older));
  const services = new Map<string, Whose & { movedAt: number }>();
  let forgotten = Number.NEGATIVE_INFINITY;
  let refreshed = Number.NEGATIVE_INFINITY;
  let refreshing: Promise<void> | undefined;

  function learnRun(row: Document, since: number, older: boolean): void {
    const run = runFromDocument(row);
    if (!run) return;
    const { project, service, team } = run;
    if (!older || !services.has(serviceOf(run)))
      services.set(serviceOf(run), { project, service, ...(team === undefined ? {} : { team }), movedAt: row.sort });
    if (older) model.addOlder(run);
    else model.add(run, since);
  }

  async function refreshNow(): Promise<void> {
    const now = clock.now().getTime();
    await runs.follow(now);
    await kept.follow(now);
    if (now - forgotten >= FORGET_MS) {
      model.forget();
      forgotten = now;
    }
    refreshed = now;
  }

  function refresh(): Promise<void> {
    refreshing ??= refreshNow().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  function look(): number {
    const now = clock.now().getTime();
    // What goes wrong here goes wrong for whoever waits for it, too; a page has forecasts that are some seconds old.
    if (now - refreshed >= FRESH_MS) refresh().catch(() => {});
    return now;
  }

  return {
    journeys: model.journeys,
    refresh,
    step: (whose, stage, step) => model.steps.known(whose, stage, step),
    publication: calibrations.publication,
    parallel: (whose, remaining, under) => grouped(model.journeys, whose, remaining, under),
    services() {
      const newestFirst = [...services.values()].sort((a, b) => b.movedAt - a.movedAt);
      return newestFirst.map(({ movedAt: _, ...whose }) => whose);
    },
    unhidden: (question) => model.forecast(question, clock.now().getTime()),
    for(question) {
      const now = look();
      const { shown, why } = calibrations.publication(question);
      return model.forecast(question, now, shown ? undefined : why);
    },
  };
}

/** Reads documents of a kind, then again and again those that are new. */
interface Follower {
  follow(now: number): Promise<void>;
}

/**
 * The first time from the newest backwards, a page at a time, so that others get their turn; later what moved since.
 *
 * @param learn with what moved after `since`; `older` than all that was learnt before
 */
function createFollower(
  store: Store,
  kind: string,
  learn: (row: Document, since: number, older: boolean) => void,
): Follower {
  /** Up to when each of the rows was learnt that may still move unnoticed; older ones are learnt up to the floor. */
  const learnt = new Map<string, { sort: number; version: number }>();
  let newest: number | undefined;

  async function* pages(from: number): AsyncGenerator<Document[]> {
    let after: { sort: number; id: string } | undefined;
    for (let rows = 0; rows < MOST_ROWS; rows += PAGE) {
      const page = await store.documents({ kind, limit: PAGE, ...(after ? { after } : {}) });
      yield page.filter(({ sort }) => sort >= from);
      const last = page.at(-1);
      if (!last || page.length < PAGE || last.sort < from) return;
      after = { sort: last.sort, id: last.id };
    }
  }

  async function first(now: number): Promise<void> {
    for await (const page of pages(now - LOOK_BACK_MS)) {
      for (const row of page) {
        // Moved while this was going on: the next time.
        if (learnt.has(row.id)) continue;
        newest ??= row.sort;
        if (row.sort >= newest - OVERLAP_MS) learnt.set(row.id, { sort: row.sort, version: row.version });
        learn(row, Number.NEGATIVE_INFINITY, true);
      }
    }
  }

  async function news(known: number): Promise<void> {
    const floor = known - OVERLAP_MS;
    const rows: Document[] = [];
    for await (const page of pages(floor))
      rows.push(...page.filter(({ id, version }) => version > (learnt.get(id)?.version ?? 0)));
    for (const row of rows.reverse()) {
      // What CI reported is written once, long after it happened.
      const unseen = row.id.startsWith(REPORTED) ? Number.NEGATIVE_INFINITY : floor;
      learn(row, learnt.get(row.id)?.sort ?? unseen, false);
      learnt.set(row.id, { sort: row.sort, version: row.version });
      newest = Math.max(newest ?? row.sort, row.sort);
    }
    for (const [id, { sort }] of learnt) if (sort < (newest ?? known) - OVERLAP_MS) learnt.delete(id);
  }

  return { follow: (now) => (newest === undefined ? first(now) : news(newest)) };
}

/** A forecast as it is kept; undefined while nothing of it has come true. */
export function keptIn({ project, service, status, data }: Document): KeptForecast | undefined {
  if (project === undefined || service === undefined || status === 'open') return undefined;
  return { ...(data as unknown as KeptForecast), project, service };
}

/** What settles later is learnt twice, the second time without its time. */
function learnKept(calibrations: Calibrations, row: Document, since: number, older: boolean): void {
  const kept = keptIn(row);
  if (!kept) return;
  if (older) {
    calibrations.addOlder(kept);
    return;
  }
  const { seconds, ...rest } = kept;
  const isNews = seconds !== undefined && Number(row.data['timedAt'] ?? 0) > since;
  calibrations.add(isNews ? { ...rest, seconds } : rest);
}

function grouped(
  journeys: Journeys,
  whose: Whose,
  remaining: readonly StepPlace[],
  under: string | undefined,
): ForecastQuestion['remaining'] {
  const stages = [...new Set(remaining.map(({ stage }) => stage))].filter((stage) => stage !== under);
  const groups = new Map<string, string>();
  for (const [at, stage] of stages.entries()) {
    const before = stages[at - 1];
    if (before === undefined || !journeys.areParallel(whose, [before, stage])) continue;
    const group = groups.get(before) ?? before;
    groups.set(before, group).set(stage, group);
  }
  return remaining.map((one) => {
    const parallel = groups.get(one.stage);
    return parallel === undefined ? one : { ...one, parallel };
  });
}
