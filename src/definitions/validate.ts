import type { AnySchemaObject, ErrorObject } from 'ajv/dist/2020.js';
import type { Static, TSchema } from 'typebox';
import { isJsonObject } from '../base/json.ts';
import { schemas } from '../base/schemas.ts';
import { parseWindow } from '../engine/windows.ts';
import type { Parsed, Problem } from './problem.ts';
import { durationMs } from './quantities.ts';
import { MAX_PROBLEMS, type Path, type YamlDocument } from './read-yaml.ts';
import { isRepositoryPath } from './repository-path.ts';
import { suggest } from './suggest.ts';
import { parseValuePath } from './value-path.ts';

const MAX_QUOTED = 60;
/** Looked at to find the problems worth showing; a hostile file can cause many thousands. */
const MAX_ERRORS = 20 * MAX_PROBLEMS;

const options = { allErrors: true, verbose: true, strictTypes: false, ownProperties: true };
// Files are few: to polish the code that checks them takes longer than it could ever save.
const compiled = schemas({ ...options, code: { optimize: false } }, (ajv) => {
  ajv.addFormat('duration-text', (text) => durationMs(text) !== undefined);
  ajv.addFormat('window-text', (text) => parseWindow(text).ok);
  ajv.addFormat('time-zone', isTimeZone);
  ajv.addFormat('relative-file', isRelativeFile);
  ajv.addFormat('branch', isBranch);
  ajv.addFormat('repository-path', isRepositoryPath);
  ajv.addFormat('value-path', (text) => parseValuePath(text) !== undefined);
  ajv.addFormat('uri', isWebAddress);
});

/** Finds every place where a document differs from a schema; none: it is of the schema's type. */
export type Validator<S extends TSchema> = (document: YamlDocument) => Parsed<Static<S>>;

/** Every mistake of a document is reported, each with its place and what would be right. */
export function validator<S extends TSchema>(schema: S): Validator<S> {
  const validate = compiled(schema as AnySchemaObject);
  return (document) => {
    const check = validate();
    if (check(document.value)) return { ok: true, value: document.value as Static<S> };
    const problems = collapse((check.errors ?? []).slice(0, MAX_ERRORS)).map((error) => toProblem(error, document));
    return { ok: false, problems: problems.slice(0, MAX_PROBLEMS) };
  };
}

/** A problem at a path of a document. */
export function problemAt(document: YamlDocument, path: Path, message: string, key?: string): Problem {
  return { file: document.file, ...document.place(path, key), path: sayPath(path), message };
}

/** `spec.stages[1].checks.risk` */
export function sayPath(path: Path): string {
  let said = '';
  for (const segment of path) {
    if (typeof segment === 'number') said += `[${segment}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(segment)) said += said === '' ? segment : `.${segment}`;
    else said += `[${quote(segment)}]`;
  }
  return said;
}

/** A value as a message may show it: shortened, on one line. */
export function quote(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}..."` : text;
}

/** Branches of a union complain one by one; people want one sentence about the whole, or about the branch they meant. */
function collapse(errors: ErrorObject[]): ErrorObject[] {
  const unions = errors.filter((error) => error.keyword === 'anyOf');
  const seen = new Set<string>();
  return errors.filter((error) => {
    if (error.keyword === 'propertyNames' || unions.some((union) => isSaidByUnion(error, union))) return false;
    // One place with the wrong type also misses its pattern and its limits: once is enough.
    const place = `${error.instancePath}#${error.propertyName ?? ''}${isAboutKeys(error) ? JSON.stringify(error.params) : ''}`;
    return seen.size < seen.add(place).size;
  });
}

function isSaidByUnion(error: ErrorObject, union: ErrorObject): boolean {
  const meant = meantBranch(union);
  if (error === union) return meant !== undefined;
  const inside = error.schemaPath.startsWith(`${union.schemaPath}/`) && isBelow(error.instancePath, union.instancePath);
  return inside && (meant === undefined || !error.schemaPath.startsWith(`${union.schemaPath}/${meant}/`));
}

/** The one branch for a mapping (or a list) is meant by everybody who writes a mapping (or a list). */
function meantBranch(union: ErrorObject): number | undefined {
  const type = Array.isArray(union.data) ? 'array' : isJsonObject(union.data) ? 'object' : undefined;
  const branches = ((union.schema ?? []) as AnySchemaObject[]).map((branch) => branch.type);
  const index = type === undefined ? -1 : branches.indexOf(type);
  return index < 0 ? undefined : index;
}

function isBelow(pointer: string, parent: string): boolean {
  return pointer === parent || pointer.startsWith(`${parent}/`);
}

function isAboutKeys(error: ErrorObject): boolean {
  return error.keyword === 'additionalProperties' || error.keyword === 'required';
}

function toProblem(error: ErrorObject, document: YamlDocument): Problem {
  const path = segments(error.instancePath, document.value);
  const key = error.propertyName ?? (error.params['additionalProperty'] as string | undefined);
  return problemAt(document, path, say(error), key);
}

function segments(pointer: string, value: unknown): (string | number)[] {
  const path: (string | number)[] = [];
  let here = value;
  for (const raw of pointer.split('/').slice(1)) {
    const name = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(here) ? Number(name) : name);
    here = (here as Record<string, unknown> | undefined)?.[name];
  }
  return path;
}

function say(error: ErrorObject): string {
  const schema = (error.parentSchema ?? {}) as AnySchemaObject;
  const params = error.params as Record<string, unknown>;
  const got = schema.writeOnly === true ? 'what is written' : quote(error.propertyName ?? error.data);
  switch (error.keyword) {
    case 'additionalProperties':
      return sayUnknown(String(params['additionalProperty']), Object.keys(schema.properties ?? {}));
    case 'required':
      return sayMissing(String(params['missingProperty']), schema);
    case 'type':
      return `must be ${schema.description ?? sayType(String(params['type']))}, got ${got}`;
    case 'anyOf':
      return sayUnion(error, schema, got);
    case 'const':
      return `must be ${quote(params['allowedValue'])}, got ${got}`;
    case 'pattern':
    case 'format':
      return `${got} is not ${schema.description ?? `of the form ${params['pattern'] ?? params['format']}`}`;
    case 'minItems':
      return `must have at least ${params['limit']} ${params['limit'] === 1 ? 'entry' : 'entries'}`;
    case 'minProperties':
      return 'must not be empty';
    case 'maxItems':
    case 'maxProperties':
      return `must have at most ${params['limit']} entries`;
    case 'minLength':
      return 'must not be empty';
    case 'maxLength':
      return `must have at most ${params['limit']} characters`;
    default:
      return `${error.message ?? 'is not valid'}, got ${got}`;
  }
}

function sayUnknown(written: string, known: string[]): string {
  const meant = suggest(written, known);
  const remedy = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean "${meant}"?`;
  return `unknown property ${quote(written)}, ${remedy}`;
}

function sayMissing(name: string, schema: AnySchemaObject): string {
  const description = schema.properties?.[name]?.description;
  return description === undefined ? `"${name}" is missing` : `"${name}" is missing: ${description}`;
}

function sayUnion(error: ErrorObject, schema: AnySchemaObject, got: string): string {
  const options = ((schema.anyOf ?? []) as AnySchemaObject[]).map((option) => option.const);
  if (options.some((option) => option === undefined))
    return `must be ${schema.description ?? 'of another form'}, got ${got}`;
  const meant = typeof error.data === 'string' ? suggest(error.data, options.map(String)) : undefined;
  const listed = `must be one of ${options.map(quote).join(', ')}, got ${got}`;
  return meant === undefined ? listed : `${listed}, did you mean ${quote(meant)}?`;
}

function sayType(type: string): string {
  const names: Record<string, string> = {
    object: 'a mapping',
    array: 'a list',
    string: 'text',
    boolean: 'true or false',
  };
  return names[type] ?? (type === 'integer' ? 'a whole number' : `a ${type}`);
}

/** The addresses that we call: by HTTP, and nothing else. */
function isWebAddress(text: string): boolean {
  return /^https?:\/\/[^\s/]+/.test(text) && URL.canParse(text);
}

export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** A file beside the definition or below it: a definition cannot reach out of its folder. */
function isRelativeFile(name: string): boolean {
  if (name === '' || name.length > 300 || name.startsWith('/') || /[\\:\p{Cc}]/u.test(name)) return false;
  return name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

/** The rules of `git check-ref-format` that matter for a branch that exists on a host. */
function isBranch(name: string): boolean {
  if (name === '' || name.length > 200 || /[\s~^:?*[\\\p{Cc}]|\.\.|@\{|\/\/|\.$|\/$|^[-/]/u.test(name)) return false;
  return name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'));
}
