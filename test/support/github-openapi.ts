import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';

/**
 * Holds requests and answers against GitHub's published OpenAPI description.
 *
 * Requests strictly: path, every query parameter, body; nothing undocumented. Answers relaxed in one
 * point: a fake does not fill in the hundreds of fields that nobody here reads, so `required` is left
 * out; what is there must exist in the description and have its type. Answers to faults (401, 403,
 * 429, 5xx) are not checked: they are not documented per operation.
 */
export interface GitHubContract {
  /** The documented operation for a request, with its path parameters decoded; `undefined` when there is none. */
  match(method: string, path: string): { operation: Operation; params: Record<string, string> } | undefined;
}

export interface Operation {
  /** `get /repos/{owner}/{repo}/pulls` */
  id: string;
  /** What is wrong with a request; empty when nothing is. */
  checkRequest(params: Record<string, string>, query: URLSearchParams, body: unknown): string[];
  checkAnswer(status: number, body: unknown): string[];
}

type Schema = { [key: string]: unknown };

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  schema: Schema;
}

interface OperationDescription {
  parameters?: (Parameter | { $ref: string })[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, AnswerDescription | { $ref: string }>;
}

interface AnswerDescription {
  content?: Record<string, { schema: Schema }>;
}

interface Description {
  paths: Record<string, Record<string, OperationDescription>>;
  components: Record<string, Record<string, unknown>>;
}

/** The operations that we use; a request for another one is a request that nobody has thought about. */
const OPERATIONS = [
  'get /app',
  'get /app/hook/deliveries',
  'post /app/hook/deliveries/{delivery_id}/attempts',
  'get /app/installations',
  'post /app/installations/{installation_id}/access_tokens',
  'get /orgs/{org}/teams/{team_slug}/members',
  'get /rate_limit',
  'get /repos/{owner}/{repo}',
  'get /repos/{owner}/{repo}/collaborators/{username}/permission',
  'get /repos/{owner}/{repo}/commits/{ref}/status',
  'get /repos/{owner}/{repo}/commits/{ref}',
  'get /repos/{owner}/{repo}/contents/{path}',
  'get /repos/{owner}/{repo}/compare/{basehead}',
  'get /repos/{owner}/{repo}/git/commits/{commit_sha}',
  'post /repos/{owner}/{repo}/git/commits',
  'get /repos/{owner}/{repo}/git/ref/{ref}',
  'post /repos/{owner}/{repo}/git/refs',
  'patch /repos/{owner}/{repo}/git/refs/{ref}',
  'delete /repos/{owner}/{repo}/git/refs/{ref}',
  'get /repos/{owner}/{repo}/git/trees/{tree_sha}',
  'post /repos/{owner}/{repo}/git/trees',
  'get /repos/{owner}/{repo}/hooks',
  'get /repos/{owner}/{repo}/hooks/{hook_id}/deliveries',
  'post /repos/{owner}/{repo}/hooks/{hook_id}/deliveries/{delivery_id}/attempts',
  'get /repos/{owner}/{repo}/installation',
  'get /repos/{owner}/{repo}/issues/{issue_number}',
  'get /repos/{owner}/{repo}/issues/{issue_number}/comments',
  'post /repos/{owner}/{repo}/issues/{issue_number}/comments',
  'patch /repos/{owner}/{repo}/issues/comments/{comment_id}',
  'post /repos/{owner}/{repo}/issues/{issue_number}/labels',
  'delete /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}',
  'get /repos/{owner}/{repo}/pulls',
  'post /repos/{owner}/{repo}/pulls',
  'get /repos/{owner}/{repo}/pulls/{pull_number}',
  'patch /repos/{owner}/{repo}/pulls/{pull_number}',
  'put /repos/{owner}/{repo}/pulls/{pull_number}/merge',
  'post /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers',
  'get /repos/{owner}/{repo}/pulls/{pull_number}/reviews',
  'post /repos/{owner}/{repo}/pulls/{pull_number}/reviews',
  'post /repos/{owner}/{repo}/statuses/{sha}',
  'get /user',
  'get /user/{account_id}',
  'get /users/{username}',
];

/** Only these may hold slashes. */
const LONG = new Set(['ref', 'path', 'basehead']);

/** Reads the description once (13 MB) and compiles what is used, when it is used. */
export function loadGitHubContract(): GitHubContract {
  loaded ??= load();
  return loaded;
}

let loaded: GitHubContract | undefined;

function load(): GitHubContract {
  const file = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json');
  const description = JSON.parse(readFileSync(file, 'utf8')) as Description;
  const operations = OPERATIONS.map((id) => createOperation(description, id));
  return {
    match(method, path) {
      for (const { operation, form, names } of operations) {
        if (!operation.id.startsWith(`${method.toLowerCase()} `)) continue;
        const found = form.exec(path);
        if (!found) continue;
        const params = names.map((name, at) => [name, decodeURIComponent(found[at + 1] ?? '')]);
        return { operation, params: Object.fromEntries(params) };
      }
      return undefined;
    },
  };
}

function createOperation(description: Description, id: string) {
  const [method = '', template = ''] = id.split(' ');
  const described = description.paths[template]?.[method];
  if (described === undefined) throw new Error(`GitHub describes no ${id}`);
  const names = [...template.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
  const form = new RegExp(`^${template.replace(/\{(\w+)\}/g, (_, name) => (LONG.has(name) ? '(.+)' : '([^/]+)'))}$`);
  const ajv = new Ajv({ strict: false, allErrors: true, coerceTypes: false });
  (addFormats as unknown as (target: Ajv) => void)(ajv);
  // GitHub's own word for `owner/name`; its type says enough.
  ajv.addFormat('repo.nwo', true);
  const compiled = new Map<string, ValidateFunction>();
  const check = (key: string, schema: () => Schema, value: unknown): string[] => {
    const validate = compiled.get(key) ?? ajv.compile(schema());
    compiled.set(key, validate);
    if (validate(value)) return [];
    return (validate.errors ?? [])
      .slice(0, 5)
      .map((error) => `${key}${error.instancePath}: ${error.message} ${JSON.stringify(error.params)}`);
  };

  const operation: Operation = {
    id,
    checkRequest(params, query, body) {
      const given = parametersOf(description, described);
      return [
        ...checkParameters(given, 'path', params, check),
        ...checkParameters(given, 'query', Object.fromEntries(query), check),
        ...checkBody(description, described, body, check),
      ];
    },
    checkAnswer(status, body) {
      const answer = described.responses[status];
      // Whatever is not there, or hidden from who asks, answers so, also where it is not documented.
      if (answer === undefined && status === 404) return [];
      if (answer === undefined) return [`${status} is not a documented answer`];
      const resolved = resolve<AnswerDescription>(description, answer);
      const content = resolved.content?.['application/json'] ?? Object.values(resolved.content ?? {})[0];
      // Refusals say why, also where that is not written down.
      const mayHaveBody = body === undefined || status >= 400;
      if (content === undefined) return mayHaveBody ? [] : ['an answer without content has a body'];
      return check(`answer ${status}`, () => withDefinitions(description, content.schema, relax), body);
    },
  };
  return { operation, form, names };
}

type Check = (key: string, schema: () => Schema, value: unknown) => string[];

function parametersOf(description: Description, operation: OperationDescription): Parameter[] {
  return (operation.parameters ?? []).map((parameter) => resolve<Parameter>(description, parameter));
}

function checkParameters(all: Parameter[], where: string, given: Record<string, string>, check: Check): string[] {
  const known = all.filter((parameter) => parameter.in === where);
  const unknown = Object.keys(given).filter((name) => !known.some((parameter) => parameter.name === name));
  const missing = known.filter(({ name, required }) => required && given[name] === undefined);
  return [
    ...unknown.map((name) => `${where} parameter ${name} is not documented`),
    ...missing.map(({ name }) => `${where} parameter ${name} is missing`),
    ...known.flatMap(({ name, schema }) => {
      const text = given[name];
      if (text === undefined) return [];
      return check(`${where} ${name}`, () => schema, schema['type'] === 'integer' ? Number(text) : text);
    }),
  ];
}

function checkBody(description: Description, operation: OperationDescription, body: unknown, check: Check): string[] {
  const content = operation.requestBody?.content['application/json'];
  if (content === undefined) return body === undefined ? [] : ['a request without a body has one'];
  return check('body', () => withDefinitions(description, content.schema, close), body);
}

function resolve<T>(description: Description, value: T | { $ref: string }): T {
  if (!hasRef(value)) return value as T;
  const [, , kind = '', name = ''] = value.$ref.split('/');
  return description.components[kind]?.[name] as T;
}

function hasRef(value: unknown): value is { $ref: string } {
  return typeof value === 'object' && value !== null && '$ref' in value && typeof value.$ref === 'string';
}

/** A schema that stands alone: everything it refers to comes along, changed in the same way. */
function withDefinitions(description: Description, schema: Schema, change: (schema: Schema) => Schema): Schema {
  const definitions: Record<string, Schema> = {};
  const copy = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(copy);
    if (typeof value !== 'object' || value === null) return value;
    if (hasRef(value)) {
      const name = value.$ref.split('/').at(-1) ?? '';
      if (!(name in definitions)) {
        definitions[name] = {};
        definitions[name] = copy(resolve<Schema>(description, value)) as Schema;
      }
      return { $ref: `#/$defs/${name}` };
    }
    const entries = Object.entries(value).filter(([key]) => key !== 'example' && key !== 'examples');
    return allowNull(change(Object.fromEntries(entries.map(([key, inner]) => [key, copy(inner)]))));
  };
  const root = copy(schema) as Schema;
  return { ...root, $defs: definitions };
}

/** OpenAPI 3.0 says `nullable` where JSON Schema has a type `null`. */
function allowNull(schema: Schema): Schema {
  const { nullable, ...rest } = schema;
  return nullable === true ? { anyOf: [{ type: 'null' }, rest] } : schema;
}

/** Nothing but what is documented. */
function close(schema: Schema): Schema {
  if (typeof schema['properties'] !== 'object' || 'additionalProperties' in schema || 'allOf' in schema) return schema;
  return typeof schema['type'] === 'string' ? { ...schema, additionalProperties: false } : schema;
}

/** The same, with gaps: no field has to be there, so alternatives may overlap. */
function relax(schema: Schema): Schema {
  const { required, oneOf, ...rest } = schema;
  const kept = Array.isArray(required) ? rest : schema;
  if (!Array.isArray(oneOf)) return close(kept);
  const { oneOf: _oneOf, ...others } = kept;
  return close({ ...others, anyOf: oneOf });
}
