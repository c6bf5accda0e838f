import type { Clock } from '../base/clock.ts';
import { type Forecast, type ForecastQuestion, forecastOfNothing } from '../forecast/question.ts';
import type { Store } from '../store/store.ts';

/** What past changes say about those under way. Held in memory; every replica learns it from the store by itself. */
export interface Forecasts {
  /** At once, from what has been learnt so far; asks for news in the background when that is some seconds old. */
  for(question: ForecastQuestion): Forecast;
  /** Learns what is new in the store. */
  refresh(): Promise<void>;
}

export function createForecasts(_room: { store: Store; clock: Clock }): Forecasts {
  return {
    for: forecastOfNothing,
    async refresh() {},
  };
}
