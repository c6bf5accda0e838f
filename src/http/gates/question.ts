import type { ErrorObject } from 'ajv/dist/2020.js';
import express, { type Request } from 'express';
import Type, { type Static } from 'typebox';
import { parseDuration } from '../../base/duration.ts';
import { isJsonObject, type Json } from '../../base/json.ts';
import { schemas } from '../../base/schemas.ts';
import { parseStrictJson } from '../../base/strict-json.ts';
import type { GateUntil } from '../../views/gate.ts';
import { Refusal } from '../problem.ts';

const MAX_BODY_BYTES = 64 * 1024;
const LONGEST_TIMEFRAME_MS = 31 * 86_400_000;
const LONGEST_DELAY_MS = 3_600_000;
const DEFAULT_TIMEFRAME_MS = 300_000;

const Name = Type.String({ minLength: 1, maxLength: 253 });
const Duration = Type.String({ pattern: '^(?:\\d+(?:\\.\\d+)?(?:ms|s|m|h|d|w))+$' });

/** Body of POST /api/v1/gates/evaluate. */
export const questionSchema = Type.Object(
  {
    kind: Type.Optional(Type.Union([Type.Literal('evaluation'), Type.Literal('change')])),
    project: Type.Optional(Name),
    stage: Type.Optional(Name),
    service: Type.Optional(Name),
    app: Type.Optional(Name),
    namespace: Type.Optional(Name),
    revision: Type.Optional(Type.String({ pattern: '^[0-9a-fA-F]{7,64}$' })),
    until: Type.Optional(Type.Union([Type.Literal('deploy'), Type.Literal('verdict')])),
    key: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
    timeframe: Type.Optional(Duration),
    delay: Type.Optional(Duration),
  },
  { additionalProperties: false },
);
type Body = Static<typeof questionSchema>;

/** Where the question is about; as much of it as the one who asks knows. */
export interface Whereabouts {
  project?: string | undefined;
  stage?: string | undefined;
  service?: string | undefined;
  /** Name of an application of the delivery system, and its namespace there. */
  app?: string | undefined;
  namespace?: string | undefined;
  /** Name of an application or of a service. */
  called?: string | undefined;
}

export interface Question {
  where: Whereabouts;
  kind: 'evaluation' | 'change';
  revision?: string;
  /** Instead: the commit that the running sync of the application is about. */
  ofRunningSync?: true;
  until: GateUntil;
  /** The same key is the same evaluation, for good; without one, for as long as its time frame. */
  key?: string;
  timeframeMs: number;
  delayMs: number;
  /** Instead of the time frame: exactly this, ISO 8601. */
  period?: { start: string; end: string };
}

const validator = schemas({ allErrors: true })<Body>(questionSchema);

/**
 * A question out of a body's fields.
 *
 * @param knowsCommit whether the asker can name the commit that it wants to deploy
 * @throws {Refusal} naming every wrong field
 */
export function readQuestion(body: Json, fallback: Question['kind'], knowsCommit = true): Question {
  if (!isJsonObject(body)) throw new Refusal(400, 'invalid-request', 'the body must be a JSON object');
  const validate = validator();
  if (!validate(body)) throw refusal(validate.errors ?? []);
  const { kind = fallback, revision, until = 'verdict', key, timeframe, delay, ...where } = body;
  if (Object.keys(where).length === 0)
    throw new Refusal(400, 'invalid-request', 'name project, stage and service, or app: whom is the question about?');
  // The new commit may not have been seen yet: without its name the one before would let it through.
  const asksToDeploy = kind === 'change' && until === 'deploy' && revision === undefined && knowsCommit;
  if (asksToDeploy && where.app === undefined)
    throw new Refusal(
      400,
      'invalid-request',
      'revision: name the commit that is to be deployed, or an older one answers; or app: the one whose sync asks',
    );
  return {
    where,
    kind,
    until,
    ...(asksToDeploy ? { ofRunningSync: true as const } : {}),
    ...(revision === undefined ? {} : { revision: revision.toLowerCase() }),
    ...(key === undefined ? {} : { key }),
    timeframeMs: span('timeframe', timeframe, DEFAULT_TIMEFRAME_MS, LONGEST_TIMEFRAME_MS, 1_000),
    delayMs: span('delay', delay, 0, LONGEST_DELAY_MS, 0),
  };
}

function span(name: string, given: string | undefined, fallback: number, most: number, least: number): number {
  const ms = given === undefined ? fallback : (parseDuration(given) ?? Number.NaN);
  if (ms >= least && ms <= most) return ms;
  throw new Refusal(400, 'invalid-request', `${name}: must be from ${least / 1000} s to ${most / 3_600_000} h`);
}

function refusal(errors: readonly ErrorObject[]): Refusal {
  const named = errors
    .filter(({ keyword }) => keyword !== 'const')
    .map(({ instancePath, keyword, params, message = 'is not valid' }) => {
      const path = instancePath.slice(1).replaceAll('/', '.');
      if (keyword === 'additionalProperties')
        return { path: String(params['additionalProperty']).slice(0, 60), message: 'is not a field of a question' };
      if (keyword === 'anyOf') return { path, message: `must be ${VALUES[path] ?? 'another value'}` };
      if (keyword === 'pattern') return { path, message: PATTERNS[path] ?? message };
      return { path, message };
    });
  const [first = { path: 'body', message: 'is not valid' }] = named;
  return new Refusal(400, 'invalid-request', `${first.path}: ${first.message}`, named.slice(0, 20));
}

const VALUES: Record<string, string> = { kind: '"evaluation" or "change"', until: '"deploy" or "verdict"' };
const PATTERNS: Record<string, string> = {
  revision: 'must be a commit id of 7 to 64 hexadecimal digits',
  timeframe: 'must be a duration such as 90s, 15m or 1h30m',
  delay: 'must be a duration such as 90s, 15m or 1h30m',
};

/** Reads any body as bytes; what it is, the route decides. */
export const questionBody = express.raw({ type: () => true, limit: MAX_BODY_BYTES, inflate: false });

/** @throws {Refusal} it is not JSON, whatever its media type says */
export function jsonOf(request: Request): Json {
  const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const parsed = parseStrictJson(raw);
  if (!parsed.ok) throw new Refusal(400, 'invalid-json', parsed.detail);
  return parsed.value;
}

/** The fields of a query or of labels that stand for fields of a question; others are refused. */
export function questionFrom(fields: Record<string, unknown>, fallback: Question['kind']): Question {
  return readQuestion(JSON.parse(JSON.stringify(fields)) as Json, fallback);
}
