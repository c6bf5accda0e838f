import Type, { type Static } from 'typebox';

/** How forecasts learn. */
export const ForecastSection = Type.Object(
  {
    halfLifeRuns: Type.Optional(
      Type.Integer({ minimum: 2, maximum: 1000, description: 'after so many runs one counts half' }),
    ),
  },
  { additionalProperties: false },
);

export type ForecastEntry = Static<typeof ForecastSection>;

export interface ForecastSettings {
  halfLifeRuns: number;
}

const DEFAULT_HALF_LIFE_RUNS = 20;

export function forecastSettings({ halfLifeRuns = DEFAULT_HALF_LIFE_RUNS }: ForecastEntry = {}): ForecastSettings {
  return { halfLifeRuns };
}
