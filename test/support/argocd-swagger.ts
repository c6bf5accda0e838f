import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { Exchange } from '../../examples/sandbox/exchange.ts';
import { readFixture } from './argocd-fixtures.ts';

interface Operation {
  parameters?: { name: string; in: string; type?: string; required?: boolean; schema?: { $ref: string } }[];
  responses: Record<string, { schema: object }>;
}
interface Swagger {
  paths: Record<string, Record<string, Operation>>;
  definitions: Record<string, Definition>;
}
interface Definition {
  type?: string;
  properties?: Record<string, object>;
  additionalProperties?: unknown;
  allOf?: object[];
}

const FREE_OF_AUTHENTICATION: ReadonlySet<string> = new Set(['/api/version']);

export interface SwaggerValidator {
  /** What is wrong with an exchange; empty when nothing is. */
  problemsOf(exchange: Exchange): string[];
  /** `METHOD /path/{parameter}` as the description writes it. */
  operationOf(exchange: Exchange): string | undefined;
}

/**
 * Holds what goes between a client and Argo CD against Argo CD's own swagger.json: paths, parameters,
 * bodies, answers. Fields that it does not know are mistakes, because Argo CD drops them silently.
 */
export function createSwaggerValidator(): SwaggerValidator {
  const swagger = withoutKnownLies(readFixture('swagger.json') as Swagger);
  for (const definition of Object.values(swagger.definitions)) close(definition);
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema({ $id: 'argocd', definitions: swagger.definitions });
  const compiled = new Map<object, ValidateFunction>();

  function check(schema: object, value: unknown, what: string): string[] {
    const validate = compiled.get(schema) ?? ajv.compile(absolute(schema));
    compiled.set(schema, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      (error) => `${what}${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
    );
  }

  function problemsOf(exchange: Exchange): string[] {
    const found = findOperation(swagger, exchange);
    if (found === undefined) return [`${exchange.method} ${exchange.path} is no operation of Argo CD`];
    const { operation } = found;
    return [...requestProblems(exchange, operation, check), ...responseProblems(exchange, operation, check)].map(
      (problem) => `${exchange.method} ${exchange.path}: ${problem}`,
    );
  }

  return {
    problemsOf,
    operationOf(exchange) {
      const template = findOperation(swagger, exchange)?.template;
      return template === undefined ? undefined : `${exchange.method} ${template}`;
    },
  };
}

type Check = (schema: object, value: unknown, what: string) => string[];

function requestProblems(exchange: Exchange, operation: Operation, check: Check): string[] {
  const problems: string[] = [];
  if (!exchange.bearer && !FREE_OF_AUTHENTICATION.has(exchange.path)) problems.push('no bearer token');
  if (exchange.method !== 'GET' && exchange.headers['content-type'] !== 'application/json') {
    problems.push('Content-Type is not exactly application/json');
  }
  const parameters = operation.parameters ?? [];
  for (const [name, values] of Object.entries(exchange.query)) {
    const known = parameters.find((parameter) => parameter.in === 'query' && parameter.name === name);
    if (known === undefined && name !== 'fields') problems.push(`unknown query parameter ${name}`);
    if (known !== undefined && known.type !== 'array' && values.length > 1) problems.push(`${name} stands twice`);
  }
  const body = parameters.find((parameter) => parameter.in === 'body');
  if (body?.schema !== undefined) problems.push(...checkText(body.schema, exchange.body, 'body', check));
  if (body === undefined && exchange.body !== '') problems.push('a body where none belongs');
  return problems;
}

function responseProblems(exchange: Exchange, operation: Operation, check: Check): string[] {
  // Whoever asked may be gone before there is an answer; a wrong content type is refused before the API.
  if (exchange.broken !== undefined || exchange.status === 415 || exchange.status === 0) return [];
  const schema = (operation.responses[String(exchange.status)] ?? operation.responses['default'])?.schema ?? {};
  if (exchange.contentType === 'text/event-stream') {
    const frames = exchange.responseBody.split('\n').filter((line) => line.startsWith('data: '));
    return frames.flatMap((frame) => checkText(schema, frame.slice(6), 'frame', check));
  }
  return checkText(schema, exchange.responseBody, 'answer', check);
}

function checkText(schema: object, text: string, what: string, check: Check): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [`${what} is no JSON`];
  }
  return check(schema, value, what);
}

function findOperation(swagger: Swagger, { method, path }: Exchange) {
  const paths = Object.keys(swagger.paths).sort((a, b) => a.split('{').length - b.split('{').length);
  const hit = paths.find((template) => {
    // The object of a right may hold slashes.
    const pattern = template
      .replace(/[.]/g, '\\.')
      .replace('{subresource}', '.+')
      .replace(/\{[^}]+\}/g, '[^/]+');
    return new RegExp(`^${pattern}$`).test(path) && swagger.paths[template]?.[method.toLowerCase()] !== undefined;
  });
  const operation = swagger.paths[hit ?? '']?.[method.toLowerCase()];
  return hit === undefined || operation === undefined ? undefined : { template: hit, operation };
}

/** Where the document is known to differ from what Argo CD does. */
function withoutKnownLies(swagger: Swagger): Swagger {
  const { definitions } = swagger;
  add(definitions['applicationApplicationSyncRequest'], {
    sourcePositions: { type: 'array', items: { type: 'integer' } },
  });
  add(definitions['v1alpha1SyncStrategyHook'], { force: { type: 'boolean' } });
  add(definitions['v1alpha1Application'], { apiVersion: { type: 'string' }, kind: { type: 'string' } });
  // An empty list is null.
  add(definitions['v1alpha1ApplicationList'], {
    items: { type: ['array', 'null'], items: { $ref: '#/definitions/v1alpha1Application' } },
  });
  // Which manager set which field: any names, written as they are instead of as bytes.
  const fields = definitions['v1FieldsV1'];
  if (fields !== undefined) fields.additionalProperties = true;
  // What identifies a node stands among its own fields.
  const text = { type: 'string' };
  add(definitions['v1alpha1ResourceNode'], {
    group: text,
    version: text,
    kind: text,
    namespace: text,
    name: text,
    uid: text,
  });
  // Go embeds the reference, and the fields of both stand side by side: none of the two is closed to the other's.
  delete definitions['v1alpha1ResourceNode']?.allOf;
  return swagger;
}

function add(definition: Definition | undefined, properties: Record<string, object>): void {
  if (definition === undefined) throw new Error('swagger.json misses a definition that is patched here');
  definition.properties = { ...definition.properties, ...properties };
}

function close(definition: Definition): void {
  if (definition.properties !== undefined) definition.additionalProperties ??= false;
}

function absolute(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/definitions/', '"argocd#/definitions/')) as object;
}
