import { type Calibrations, createCalibrations, type KeptForecast } from '../forecast/calibration.ts';
import { createForecastModel, type ForecastModel } from '../forecast/model.ts';
import { runFromDocument } from '../forecast/run.ts';
import { serviceOf, type Whose } from '../forecast/step-model.ts';
import type { Document, Store } from '../store/store.ts';
import { createFollower } from './follower.ts';

/** Documents of forecasts, with what came true. */
export const FORECAST = 'forecast';

/** What was learnt from the rows of a store. */
export interface Learner {
  readonly model: ForecastModel;
  readonly calibrations: Calibrations;
  /** When each service last moved, in milliseconds since 1970. */
  readonly services: ReadonlyMap<string, Whose & { movedAt: number }>;
  /** Learns what is new. */
  follow(now: number): Promise<void>;
}

export function createLearner(store: Store, halfLifeRuns: number): Learner {
  const model = createForecastModel({ halfLifeRuns });
  const calibrations = createCalibrations();
  const services = new Map<string, Whose & { movedAt: number }>();
  const runs = createFollower(store, 'steps', learnRun);
  const kept = createFollower(store, FORECAST, (row, since, older) => learnKept(calibrations, row, since, older));

  function learnRun(row: Document, since: number, older: boolean): void {
    const run = runFromDocument(row);
    if (!run) return;
    const { project, service, team } = run;
    if (!older || !services.has(serviceOf(run)))
      services.set(serviceOf(run), { project, service, ...(team === undefined ? {} : { team }), movedAt: row.sort });
    if (older) model.addOlder(run);
    else model.add(run, since);
  }

  return {
    model,
    calibrations,
    services,
    async follow(now) {
      await runs.follow(now);
      await kept.follow(now);
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
