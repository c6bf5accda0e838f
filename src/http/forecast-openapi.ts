const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };
const seconds = { type: 'number', minimum: 0 };
const share = { type: 'number', minimum: 0, maximum: 1 };
const basis = { enum: ['service', 'team', 'all'], description: 'whose history it is' };
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const query = (name: string, description: string, schema: object = text) => ({
  name,
  in: 'query',
  description,
  schema,
});
const object = (properties: object, required: readonly string[] = Object.keys(properties)) => ({
  type: 'object',
  required,
  properties,
});
const list = (items: object) => ({ type: 'array', items });

/** The part of the API's document about forecasts. */
export const forecastPaths = (problem: object) => ({
  '/api/v1/forecast': {
    get: {
      operationId: 'readForecast',
      summary: 'How long changes take, how likely they arrive, how right forecasts were, and the four measures of DORA',
      parameters: [
        query('service', 'of which; absent: measures of all services'),
        query('project', 'where several projects have a service of that name'),
        query('team', 'only services of this team'),
        query('from', 'the stage that a change enters; absent: the first. Also `stage`'),
        query('to', 'the stage that it is to arrive in; absent: the last'),
        query('days', 'period of the measures of delivery', { type: 'integer', minimum: 1, maximum: 180, default: 30 }),
      ],
      responses: {
        200: { description: 'What is known', content: { 'application/json': { schema: ref('Forecast') } } },
        default: problem,
      },
    },
  },
});

export const forecastSchemas = {
  Quant: object({ p10: seconds, p50: seconds, p90: seconds, n: { ...count, description: 'runs it is known from' } }),
  Forecast: object({
    asOf: { ...text, format: 'date-time' },
    about: object({ project: text, service: text, team: text, from: text, to: text, days: { type: 'integer' } }, [
      'days',
    ]),
    choices: object({
      services: list(object({ project: text, service: text })),
      teams: list(text),
      stages: list(text),
    }),
    runs: object({ used: count, all: count }),
    forecast: {
      description: 'null: no service was named',
      oneOf: [
        { type: 'null' },
        object({
          eta: {
            oneOf: [
              { type: 'null' },
              object({ machine: ref('Quant'), people: ref('Quant'), total: ref('Quant'), text }, ['text']),
            ],
          },
          odds: { oneOf: [{ type: 'null' }, object({ p: share, lo: share, hi: share, n: count, basis, text })] },
        }),
      ],
    },
    publication: object({ shown: { type: 'boolean' }, why: text }),
    steps: list(object({ stage: text, step: text, human: { type: 'boolean' }, basis, expected: ref('Quant') })),
    failsAt: list(
      object({ stage: text, step: text, failed: count, of: count, causes: list(object({ cause: text, count })) }),
    ),
    calibration: object({ count, covered: share, late: share, brier: object({ count, score: share }) }, [
      'count',
      'covered',
      'late',
    ]),
    slow: list(text),
    dora: object(
      {
        ...{ days: { type: 'number' }, stage: text, deployments: count, failures: count, restored: count },
        frequency: { type: 'number', description: 'deployments per day' },
        leadTime: { ...seconds, description: 'median' },
        failureRate: share,
        restoreTime: { ...seconds, description: 'median' },
      },
      ['days', 'deployments', 'failures', 'restored'],
    ),
  }),
};
