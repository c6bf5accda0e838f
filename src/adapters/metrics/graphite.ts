import type { Static } from 'typebox';
import Type from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import { type AdapterTools, defineAdapter } from '../adapter-kind.ts';
import { createHttpClient } from '../http-client.ts';
import { httpSettings, loginSettings, toClientOptions, withLogin } from '../http-settings.ts';
import type { MetricQuery, MetricsSource, Reading } from './metrics-source.ts';
import { noData, severalValues } from './missing.ts';
import { readJson } from './numbers.ts';
import { fillPlaceholders, periodOf, type QueryLanguage } from './placeholders.ts';
import { toPoints } from './points.ts';

const REDUCERS: Record<string, (points: readonly number[]) => number> = {
  last: (points) => points.at(-1) ?? Number.NaN,
  avg: (points) => sum(points) / points.length,
  max: (points) => points.reduce((one, other) => Math.max(one, other)),
  min: (points) => points.reduce((one, other) => Math.min(one, other)),
  sum,
};

const GraphiteConfig = Type.Object(
  {
    ...httpSettings,
    ...loginSettings,
    reduce: Type.Optional(
      Type.Union(
        Object.keys(REDUCERS).map((name) => Type.Literal(name)),
        { default: 'last', description: 'which number the points of the period make' },
      ),
    ),
  },
  { additionalProperties: false },
);

/** Graphite's render API (https://graphite.readthedocs.io/en/stable/render_api.html); a query is a target. */
export const graphite = defineAdapter<MetricsSource, typeof GraphiteConfig>({
  kind: 'graphite',
  schema: GraphiteConfig,
  create: createGraphite,
});

/**
 * A dot would be one more level of a path, and nothing in quotes can be escaped: what is taken there
 * neither ends them nor is a wildcard or an operator of `seriesByTag`.
 */
const TARGET: QueryLanguage = {
  quotes: ["'", '"'].map((quote) => ({
    open: quote,
    close: quote,
    fill: (value: string) => (/^[\p{L}\p{N}_:./@ -]+$/u.test(value) ? value : undefined),
  })),
  bare: (value) => (/^[A-Za-z0-9_:-]+$/.test(value) ? value : undefined),
};

function createGraphite(name: string, config: Static<typeof GraphiteConfig>, tools: AdapterTools): MetricsSource {
  const who = `Graphite ${name}`;
  const client = createHttpClient(withLogin(toClientOptions(who, config, tools), config, tools));
  const reduce = REDUCERS[config.reduce ?? 'last'] ?? sum;

  async function ask(query: MetricQuery, stepMs: number | undefined, signal: AbortSignal | undefined) {
    const { startMs, endMs, variables } = periodOf(query, stepMs);
    const target = fillPlaceholders(query.query, variables, TARGET);
    const [from, until] = [Math.floor(startMs / 1000), Math.ceil(endMs / 1000)];
    const { data } = await client.json<Json>({
      method: 'GET',
      path: '/render',
      query: { target, from: String(from), until: String(until), format: 'json' },
      ...(signal ? { signal } : {}),
    });
    return pointsOf(data, from, until, who);
  }

  return {
    kind: 'graphite',
    name,
    async read(query, { signal } = {}) {
      const points = await ask(query, undefined, signal);
      if (!Array.isArray(points)) return points;
      const reading = toPoints(points);
      return reading.ok ? readJson(reduce(reading.points)) : reading;
    },
    async series(query, { signal } = {}) {
      const points = await ask(query, query.stepMs, signal);
      return Array.isArray(points) ? toPoints(points) : points;
    },
  };
}

/** The points of the only series within the period, or why there is not exactly one. */
function pointsOf(body: Json, from: number, until: number, who: string): Reading[] | Extract<Reading, { ok: false }> {
  const wrong = new AdapterError('bad-response', `${who} answered no list of series: is its URL right?`);
  if (!Array.isArray(body) || !body.every(isJsonObject)) throw wrong;
  const [series, second] = body;
  if (series === undefined) return noData('no series has this name');
  if (second !== undefined)
    return severalValues('series', body.map(nameOf), 'bring them together, for example with sumSeries()');
  const { datapoints } = series;
  if (!Array.isArray(datapoints)) throw wrong;
  return datapoints.flatMap((point) => {
    if (!Array.isArray(point) || typeof point[1] !== 'number') throw wrong;
    return point[1] >= from && point[1] <= until ? [readJson(point[0])] : [];
  });
}

function nameOf(series: JsonObject): string {
  return String(series['target'] ?? '');
}

function sum(points: readonly number[]): number {
  return points.reduce((total, point) => total + point, 0);
}
