import type { Clock } from '../base/clock.ts';
import { type Calibrations, createCalibrations, type KeptForecast, type Publication } from '../forecast/calibration.ts';
import type { Journeys } from '../forecast/journeys.ts';
import { createForecastModel } from '../forecast/model.ts';
import { inGroups } from '../forecast/parallel.ts';
import type { StepPlace } from '../forecast/quant.ts';
import type { Forecast, ForecastQuestion } from '../forecast/question.ts';
import { runFromDocument } from '../forecast/run.ts';
import { type KnownStep, serviceOf, type Whose } from '../forecast/step-model.ts';
import type { Document, Store } from '../store/store.ts';
import { createFollower } from './follower.ts';

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
    parallel: (whose, remaining, under) => inGroups(model.journeys, whose, remaining, under),
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
