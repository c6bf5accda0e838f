import type { Clock } from '../base/clock.ts';
import type { Publication } from '../forecast/calibration.ts';
import type { Journeys } from '../forecast/journeys.ts';
import { inGroups } from '../forecast/parallel.ts';
import type { StepPlace } from '../forecast/quant.ts';
import type { Forecast, ForecastQuestion } from '../forecast/question.ts';
import type { KnownStep, Whose } from '../forecast/step-model.ts';
import type { Store } from '../store/store.ts';
import { createLearner } from './forecast-learner.ts';

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

const DEFAULT_HALF_LIFE_RUNS = 20;
const FRESH_MS = 5_000;
/** What others did moves a service's forecast a little: that may wait. */
const FORGET_MS = 60_000;

export function createForecasts(room: { store: Store; clock: Clock; halfLifeRuns?: number }): Forecasts {
  const { store, clock, halfLifeRuns = DEFAULT_HALF_LIFE_RUNS } = room;
  let learner = createLearner(store, halfLifeRuns);
  /** The rebuild of rows that the learner has seen the end of. */
  let rebuilt: string | undefined;
  let forgotten = Number.NEGATIVE_INFINITY;
  let refreshed = Number.NEGATIVE_INFINITY;
  let refreshing: Promise<void> | undefined;

  async function refreshNow(): Promise<void> {
    const now = clock.now().getTime();
    const rebuild = await lastRebuild(store);
    // Rows of long ago were written just now: nothing in their order says so.
    const fresh = rebuild !== undefined && rebuild !== rebuilt ? createLearner(store, halfLifeRuns) : learner;
    await fresh.follow(now);
    [learner, rebuilt] = [fresh, rebuild ?? rebuilt];
    if (now - forgotten >= FORGET_MS) {
      learner.model.forget();
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
    get journeys() {
      return learner.model.journeys;
    },
    refresh,
    step: (whose, stage, step) => learner.model.steps.known(whose, stage, step),
    publication: (whose) => learner.calibrations.publication(whose),
    parallel: (whose, remaining, under) => inGroups(learner.model.journeys, whose, remaining, under),
    services() {
      const newestFirst = [...learner.services.values()].sort((a, b) => b.movedAt - a.movedAt);
      return newestFirst.map(({ movedAt: _, ...whose }) => whose);
    },
    unhidden: (question) => learner.model.forecast(question, clock.now().getTime()),
    for(question) {
      const now = look();
      const { shown, why } = learner.calibrations.publication(question);
      return learner.model.forecast(question, now, shown ? undefined : why);
    },
  };
}

/** When the last one began whose rows are all written; undefined: there was none, or it is under way. */
async function lastRebuild(store: Store): Promise<string | undefined> {
  const row = await store.document('rebuild', 'rows');
  return row?.data['state'] === 'read' ? String(row.data['startedAt']) : undefined;
}
