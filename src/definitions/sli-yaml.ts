import Type from 'typebox';
import type { Parsed } from './problem.ts';
import { readYaml } from './read-yaml.ts';
import { validator } from './validate.ts';

/** JSON Schema of sli.yaml, Keptn's format. */
export const sliSchema = Type.Object(
  {
    spec_version: Type.Optional(Type.Union([Type.String(), Type.Number()], { description: 'a version such as "1.0"' })),
    indicators: Type.Record(
      Type.String(),
      Type.String({ minLength: 1, maxLength: 10_000, description: 'a query in the language of the metrics source' }),
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

/** Reads an sli.yaml into queries by indicator; every mistake is reported at once. Never throws. */
export function parseSli(text: string, file: string): Parsed<Record<string, string>> {
  const document = readYaml(text, file);
  if (!document.ok) return document;
  const valid = validate(document.value);
  return valid.ok ? { ok: true, value: { ...valid.value.indicators } } : valid;
}
