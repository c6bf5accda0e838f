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

/** What is left out has its default where it is used. */
export type ForecastSettings = Readonly<ForecastEntry>;
