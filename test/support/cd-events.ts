import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { expect } from 'vitest';

const FOLDER = join(import.meta.dirname, '../../../shared/conformance/cdevents');

export interface CdEventJson {
  context: { id: string; source: string; type: string; timestamp: string; chainId?: string; links?: unknown[] };
  subject: { id: string; source?: string; content: Record<string, unknown> };
  customData?: unknown;
}

/** The specification's own examples by file name; without them tests are skipped and say so, except in CI. */
export function conformanceEvents(): [name: string, event: CdEventJson][] {
  if (!existsSync(FOLDER)) {
    if (process.env['CI'] === 'true') throw new Error('CI needs the conformance data beside the project');
    console.warn('Skipped: CDEvents, because the conformance data is not beside the project');
    return [];
  }
  return jsonIn('conformance') as [string, CdEventJson][];
}

function jsonIn(folder: string): [name: string, value: unknown][] {
  return readdirSync(join(FOLDER, folder))
    .filter((file) => file.endsWith('.json'))
    .map((file) => [file.slice(0, -5), JSON.parse(readFileSync(join(FOLDER, folder, file), 'utf8'))]);
}

let checks: Map<string, ValidateFunction> | undefined;

/** The published schemas, by the type of event that they are for. */
function schemas(): Map<string, ValidateFunction> {
  if (checks) return checks;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajvFormats.default(ajv);
  for (const [, schema] of jsonIn('schemas/links')) ajv.addSchema(schema as object);
  checks = new Map(
    jsonIn('schemas').map(([, schema]) => {
      const { properties } = schema as { properties: { context: { properties: { type: { enum: [string] } } } } };
      return [properties.context.properties.type.enum[0], ajv.compile(schema as object)];
    }),
  );
  return checks;
}

/** Holds an event to the published schema of its type; without the conformance data nothing is said. */
export function assertCdEvent(event: unknown): void {
  if (!existsSync(FOLDER)) return;
  const { type } = (event as CdEventJson).context;
  const check = schemas().get(type);
  expect(check, `there is a schema for ${type}`).toBeDefined();
  expect(check?.(event) === true ? [] : check?.errors, JSON.stringify(event)).toEqual([]);
}
