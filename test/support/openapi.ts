import { Ajv2020, type AnySchema } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { expect } from 'vitest';
import { openApi } from '../../src/http/openapi.ts';

type Schema = { [key: string]: unknown };
interface Answer {
  content?: Record<string, { schema: Schema }>;
}
interface Operation {
  responses: Record<string, Answer>;
}

const ajv = new Ajv2020({ strict: false, allErrors: true });
ajvFormats.default(ajv);
const components = withoutSurprises(openApi.components) as Schema;
const compiled = new Map<Schema, ReturnType<typeof ajv.compile>>();

/** Objects with declared properties may have no others: what the API says, its document must know. */
function withoutSurprises(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutSurprises);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withoutSurprises(value)]));
  const closed = typeof inner['properties'] === 'object' && inner['additionalProperties'] === undefined;
  return closed && inner['type'] === 'object' ? { ...inner, additionalProperties: false } : inner;
}

/** Every operation as `GET /api/v1/changes/:id`, in the words of the router. */
export function documentedRoutes(): string[] {
  return Object.entries(openApi.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
  );
}

/** Holds an answer to the API's document. Answers of pages, which it does not describe, pass. */
export async function expectDocumented(method: string, address: string, answer: Response): Promise<void> {
  const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
  const responses = operationFor(method, address)?.responses;
  if (!responses && type !== 'application/problem+json') return;
  if (type === 'text/html' || method === 'HEAD') return;
  const expected: Answer = responses?.[answer.status] ?? {
    content: { 'application/problem+json': { schema: PROBLEM } },
  };
  const text = await answer.clone().text();
  const what = `${method} ${address} ${answer.status}`;
  if (!expected.content) return expect(type === 'application/json' ? text : '', what).toBe('');
  const { schema } = expected.content[type] ?? {};
  expect(schema, `${what}: the document has no ${type}`).toBeDefined();
  if (schema) expect(mistakes(schema, JSON.parse(text)), what).toEqual([]);
}

const PROBLEM = { $ref: '#/components/schemas/Problem' };

function operationFor(method: string, address: string): Operation | undefined {
  const pathname = address.split('?')[0] ?? '';
  const path = Object.keys(openApi.paths).find((template) =>
    new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(pathname),
  );
  const operations = (openApi.paths as Record<string, Record<string, Operation>>)[path ?? ''];
  return operations?.[method.toLowerCase()];
}

function mistakes(schema: Schema, value: unknown): unknown[] {
  const check =
    compiled.get(schema) ?? ajv.compile({ ...(withoutSurprises(schema) as Schema), components } as AnySchema);
  compiled.set(schema, check);
  return check(value)
    ? []
    : (check.errors ?? []).map(({ instancePath, message, params }) => ({ instancePath, message, params }));
}
