import Type, { type Static } from 'typebox';
import { isJsonObject } from '../base/json.ts';
import { type Indicator, indicatorOfQuery } from '../slo/indicator.ts';
import type { Parsed, Problem } from './problem.ts';
import { MAX_PROBLEMS, type Path, readYaml, type YamlDocument } from './read-yaml.ts';
import { problemAt, validator } from './validate.ts';

const MAX_SOURCES = 20;

const Query = Type.String({
  minLength: 1,
  maxLength: 10_000,
  description: 'a query in the language of the metrics source',
});
const Provider = Type.String({
  pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
  description: 'the name of a metrics source in lynceus.yaml',
});

const IndicatorEntry = Type.Object(
  {
    query: Type.Optional(Query),
    provider: Type.Optional(Provider),
    sources: Type.Optional(
      Type.Array(Type.Object({ query: Query, provider: Type.Optional(Provider) }, { additionalProperties: false }), {
        minItems: 1,
        maxItems: MAX_SOURCES,
      }),
    ),
    aggregate: Type.Optional(
      Type.Union([
        Type.Literal('sum'),
        Type.Literal('avg'),
        Type.Literal('max'),
        Type.Literal('min'),
        Type.Literal('worst'),
      ]),
    ),
    pushed: Type.Optional(Type.Literal(true)),
    unit: Type.Optional(Type.String({ minLength: 1, maxLength: 40, description: 'a unit such as "ms"' })),
    better: Type.Optional(Type.Union([Type.Literal('lower'), Type.Literal('higher')])),
    minimumSamples: Type.Optional(
      Type.Object(
        {
          query: Query,
          provider: Type.Optional(Provider),
          count: Type.Number({ exclusiveMinimum: 0, maximum: 1e15, description: 'a number of samples such as 100' }),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
type IndicatorEntry = Static<typeof IndicatorEntry>;

/** JSON Schema of sli.yaml: Keptn's format, in which an indicator may also say more than its query. */
export const sliSchema = Type.Object(
  {
    spec_version: Type.Optional(Type.Union([Type.String(), Type.Number()], { description: 'a version such as "1.0"' })),
    indicators: Type.Record(
      Type.String(),
      Type.Union([Query, IndicatorEntry], {
        description: 'a query in the language of the metrics source, or a mapping with "query", "sources" or "pushed"',
      }),
      {
        propertyNames: { pattern: '^\\S.{0,199}$', description: 'the name of an indicator' },
        minProperties: 1,
        maxProperties: 500,
        description: 'queries by the name of the indicator, such as {error_rate: "sum(...)"}',
      },
    ),
  },
  {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'sli.yaml',
    description: 'the queries behind the indicators of slo.yaml',
    additionalProperties: false,
  },
);

const validate = validator(sliSchema);

/** Reads an sli.yaml into indicators by name; every mistake is reported at once. Never throws. */
export function parseSli(text: string, file: string): Parsed<Record<string, Indicator>> {
  const document = readYaml(text, file);
  if (!document.ok) return document;
  const valid = validate(document.value);
  const problems = [...(valid.ok ? [] : valid.problems), ...crossCheck(document.value)];
  if (valid.ok && problems.length === 0) {
    const entries = Object.entries(valid.value.indicators).map(([name, entry]) => [name, toIndicator(entry)]);
    return { ok: true, value: Object.fromEntries(entries) };
  }
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  return { ok: false, problems: problems.slice(0, MAX_PROBLEMS) };
}

function toIndicator(entry: string | IndicatorEntry): Indicator {
  if (typeof entry === 'string') return indicatorOfQuery(entry);
  const { query, provider, sources, aggregate, unit, better, minimumSamples } = entry;
  const single = query === undefined ? [] : [{ query, ...(provider === undefined ? {} : { provider }) }];
  return {
    sources: sources ?? single,
    aggregation: aggregate ?? 'sum',
    ...(unit === undefined ? {} : { unit }),
    ...(better === undefined ? {} : { better }),
    ...(minimumSamples === undefined ? {} : { minimumSamples }),
  };
}

/** What belongs together, and what does not. */
function crossCheck(document: YamlDocument): Problem[] {
  const indicators = isJsonObject(document.value) ? document.value['indicators'] : undefined;
  if (!isJsonObject(indicators)) return [];
  const problems: Problem[] = [];
  for (const [name, entry] of Object.entries(indicators)) {
    if (problems.length >= MAX_PROBLEMS) break;
    if (!isJsonObject(entry)) continue;
    for (const { key, message } of mistakesOf(entry)) {
      const path: Path = ['indicators', name];
      problems.push(problemAt(document, path, message, key));
    }
  }
  return problems;
}

function* mistakesOf(entry: Record<string, unknown>): Generator<{ key?: string; message: string }> {
  const given = ['query', 'sources', 'pushed'].filter((key) => entry[key] !== undefined);
  const [first, second] = given;
  if (first === undefined) {
    yield { message: 'says nothing of where its number comes from: give "query", "sources" or "pushed: true"' };
  }
  if (second !== undefined) yield { key: second, message: `"${first}" and "${second}" exclude each other: keep one` };
  if (entry['provider'] !== undefined && entry['query'] === undefined) {
    yield { key: 'provider', message: '"provider" belongs to a query: write it beside one' };
  }
  if (entry['pushed'] !== undefined && entry['minimumSamples'] !== undefined) {
    yield { key: 'minimumSamples', message: 'a pushed number has no samples that could be asked for' };
  }
  yield* aggregateMistakes(entry);
}

function* aggregateMistakes(entry: Record<string, unknown>): Generator<{ key?: string; message: string }> {
  const { sources, aggregate, better } = entry;
  const several = Array.isArray(sources) && sources.length > 1;
  if (several && aggregate === undefined) {
    yield { key: 'sources', message: 'several sources become one number by "aggregate": sum, avg, max, min or worst' };
  }
  if (aggregate !== undefined && sources === undefined) {
    yield { key: 'aggregate', message: '"aggregate" is for several "sources"' };
  }
  if (aggregate === 'worst' && better === undefined) {
    yield { key: 'aggregate', message: '"worst" needs to know which way is better: add "better: lower" or "higher"' };
  }
}
