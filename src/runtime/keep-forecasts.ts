import type { Clock } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import { STAYS_MS } from '../forecast/journeys.ts';
import { type Run, runFromDocument } from '../forecast/run.ts';
import { teamOf } from '../forecast/step-model.ts';
import type { ClaimedJob, Document, NewJob, Store } from '../store/store.ts';
import { FORECAST } from './forecast-learner.ts';
import type { Forecasts } from './forecasts.ts';

/** How often it is looked for changes that entered a stage, and for forecasts that came true. */
const EVERY_MS = 15_000;
/** A change that entered its stage longer ago has been forecast, or it is too late for it to be a forecast. */
const NEW_MS = 120_000;
const MOST_OPEN = 1_000;
const MOST_NEW = 200;
/** What has not come true by then is not waited for. */
const GIVE_UP_MS = 60 * 86_400_000;

export const keepForecastsJob: NewJob = { queue: 'forecast', key: 'all', keepPayload: true };

/**
 * Keeps each forecast as it stood when a change entered a stage, and what came true of it: what calibration is made of.
 * One replica at a time does it.
 */
export async function keepForecasts(
  room: { store: Store; clock: Clock; forecasts: Forecasts },
  job: ClaimedJob,
): Promise<void> {
  const { store, clock, forecasts } = room;
  await forecasts.refresh();
  const now = clock.now().getTime();
  const query = { kind: FORECAST, status: ['open', 'settling'], limit: MOST_OPEN };
  const open = await store.documents(query);
  const settled = open.map((row) => settle(forecasts, row, now)).filter((row) => row !== undefined);
  const made = (await newRuns(store, now))
    .map((run) => forecastOf(forecasts, run, now))
    .filter((row) => row !== undefined);
  await store.commit({
    documents: [...settled, ...made],
    claim: job,
    settle: { kind: 'again', delayMs: EVERY_MS },
  });
}

/** Runs that began just now and of which nothing was said yet. */
async function newRuns(store: Store, now: number): Promise<Run[]> {
  const rows = await store.documents({ kind: 'steps', status: ['open'], limit: MOST_NEW });
  const runs = rows.map(runFromDocument).filter((run) => run !== undefined);
  const fresh = runs.filter(({ startedAt, back }) => !back && now - Date.parse(startedAt) <= NEW_MS);
  const known = await Promise.all(fresh.map(({ id }) => store.document(FORECAST, id)));
  return fresh.filter((_, at) => known[at] === undefined);
}

/** Undefined: nothing could be said. */
function forecastOf(forecasts: Forecasts, run: Run, now: number): Document | undefined {
  const { id, change, project, service, stage, startedAt } = run;
  const stages = forecasts.journeys.stagesOf(run);
  const from = stages.indexOf(stage);
  const remaining = stages
    .slice(Math.max(0, from))
    .flatMap((name) => (forecasts.journeys.stepsOf(run, name) ?? []).map((step) => ({ stage: name, step })));
  const target = remaining.at(-1)?.stage;
  if (from < 0 || target === undefined) return undefined;
  const whose = { project, service, ...(run.team === undefined ? {} : { team: run.team }) };
  const { eta, odds } = forecasts.unhidden({ ...whose, remaining });
  if (!eta?.total) return undefined;
  const { p10, p50, p90 } = eta.total;
  const said = { p10, p50, p90, ...(odds ? { p: odds.p } : {}), target, startedAt, team: teamOf(run) };
  const columns = { project, service, stage, context: change, status: 'open' };
  return { kind: FORECAST, id, version: 1, ...columns, sort: now, data: said };
}

/** What has come true since; undefined: nothing. */
function settle(forecasts: Forecasts, row: Document, now: number): Document | undefined {
  const { project = '', service = '', context = '', status, data } = row;
  const startedAt = Date.parse(String(data['startedAt']));
  const journey = forecasts.journeys.find({ project, service }, context);
  const next = (changes: JsonObject, to: 'settling' | 'settled') => ({
    ...{ ...row, version: row.version + 1, status: to, sort: now },
    data: { ...data, ...changes },
  });
  if (!journey) return now - startedAt > GIVE_UP_MS ? next({}, 'settled') : undefined;
  const { arrivedAt, arrived, overtaken } = forecasts.journeys.fate(journey, String(data['target']));
  if (arrivedAt !== undefined) {
    const timed = status === 'open' ? { seconds: (arrivedAt - startedAt) / 1000, timedAt: now } : {};
    if (arrived && now - arrivedAt <= STAYS_MS) return status === 'open' ? next(timed, 'settling') : undefined;
    return next({ ...timed, arrived: arrived === true }, 'settled');
  }
  if (arrived === false) return next({ arrived: false }, 'settled');
  return overtaken || now - startedAt > GIVE_UP_MS ? next({}, 'settled') : undefined;
}
