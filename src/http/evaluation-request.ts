import type { ErrorObject } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import Type, { type Static, type TProperties } from 'typebox';
import { parseDuration } from '../base/duration.ts';
import type { Json, JsonObject } from '../base/json.ts';
import { schemas } from '../base/schemas.ts';
import type { EvaluationRequest } from '../runtime/evaluations.ts';
import { Refusal } from './problem.ts';

const closed = <P extends TProperties>(properties: P) => Type.Object(properties, { additionalProperties: false });

const Name = Type.String({ minLength: 1, maxLength: 100 });
const Count = Type.Integer({ minimum: 1, maximum: 100 });
const Moment = Type.String({ format: 'date-time' });
const Duration = Type.String({ pattern: '^(?:\\d+(?:\\.\\d+)?(?:ms|s|m|h|d|w))+$' });
const Definition = Type.String({ minLength: 1, maxLength: 200_000 });
const Labels = Type.Record(Type.String({ pattern: '^[A-Za-z0-9_./-]{1,100}$' }), Type.String({ maxLength: 500 }), {
  maxProperties: 50,
});
const Variables = Type.Record(
  Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,62}$' }),
  Type.String({ maxLength: 200 }),
  {
    minProperties: 1,
    maxProperties: 20,
  },
);

/** What an evaluation is compared with: exactly one of them, as in delivery.yaml. */
const CompareWith = Type.Object(
  {
    previous: Type.Optional(Count),
    lastPassed: Type.Optional(Count),
    evaluation: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    deployed: Type.Optional(Type.Literal(true)),
    stage: Type.Optional(Name),
    control: Type.Optional(
      closed({ variables: closed({ experiment: Variables, control: Variables }), step: Type.Optional(Duration) }),
    ),
  },
  { additionalProperties: false, minProperties: 1, maxProperties: 1 },
);

/** Body of POST /api/v1/evaluations. */
export const evaluationRequestSchema = closed({
  project: Name,
  stage: Name,
  service: Name,
  revision: Type.Optional(Type.String({ pattern: '^[0-9a-fA-F]{7,64}$' })),
  start: Type.Optional(Moment),
  end: Type.Optional(Moment),
  timeframe: Type.Optional(Duration),
  delay: Type.Optional(Duration),
  slo: Type.Optional(Definition),
  sli: Type.Optional(Definition),
  values: Type.Optional(
    Type.Record(Type.String({ minLength: 1, maxLength: 200 }), Type.Number(), { maxProperties: 500 }),
  ),
  labels: Type.Optional(Labels),
  provider: Type.Optional(Name),
  compareWith: Type.Optional(CompareWith),
  compatibility: Type.Optional(Type.Union([Type.Literal('strict'), Type.Literal('keptn')])),
  context: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
});
type Body = Static<typeof evaluationRequestSchema>;

const validator = schemas({ allErrors: true }, (ajv) => ajvFormats.default(ajv, ['date-time']))<Body>(
  evaluationRequestSchema,
);

const DEFAULT_TIMEFRAME = '5m';
const LONGEST_PERIOD_MS = 31 * 86_400_000;
const LONGEST_DELAY_MS = 3_600_000;
/** A period may end in the future: then it is waited for. */
const LONGEST_AHEAD_MS = 86_400_000;
const SHOWN_ERRORS = 20;

/**
 * The body of a request, checked.
 *
 * @throws {Refusal} naming every wrong field
 */
export function readEvaluationRequest(body: Json, now: Date): Omit<EvaluationRequest, 'requestedBy'> {
  const validate = validator();
  if (!validate(body)) throw refusal((validate.errors ?? []).map(sayError));
  const { project, stage, service, start, end, timeframe, delay, compareWith, ...rest } = body;
  const delayMs = delay === undefined ? 0 : (parseDuration(delay) ?? Number.NaN);
  if (!(delayMs <= LONGEST_DELAY_MS)) throw refusal([{ path: 'delay', message: 'must be at most 1h' }]);
  if (rest.sli !== undefined && rest.slo === undefined)
    throw refusal([{ path: 'sli', message: 'needs slo beside it: without one both are read from the repository' }]);
  return {
    ...rest,
    place: { project, stage, service },
    period: periodOf({ start, end, timeframe }, now),
    delayMs,
    ...(compareWith === undefined ? {} : { compareWith: withStep(compareWith) }),
  };
}

/** As delivery.yaml is kept after it was read. */
function withStep({ control, ...other }: NonNullable<Body['compareWith']>): JsonObject {
  if (!control) return other as JsonObject;
  return { control: { variables: control.variables, stepMs: parseDuration(control.step ?? '1m') ?? 60_000 } };
}

interface Span {
  start?: string | undefined;
  end?: string | undefined;
  timeframe?: string | undefined;
}

/**
 * Start and end of a period: both given, or one of them with a timeframe, or a timeframe that ends now.
 *
 * @throws {Refusal} naming the field
 */
export function periodOf({ start, end, timeframe }: Span, now: Date): { start: string; end: string } {
  if (start !== undefined && end !== undefined && timeframe !== undefined)
    throw refusal([{ path: 'timeframe', message: 'is given by start and end already: keep one' }]);
  const lengthMs = parseDuration(timeframe ?? DEFAULT_TIMEFRAME) ?? Number.NaN;
  const endMs =
    end !== undefined ? Date.parse(end) : start !== undefined ? endAfter(start, timeframe, now) : now.getTime();
  const startMs = start !== undefined ? Date.parse(start) : endMs - lengthMs;
  if (!(startMs < endMs)) throw refusal([{ path: 'end', message: 'must be after start' }]);
  if (endMs - startMs > LONGEST_PERIOD_MS) throw refusal([{ path: 'start', message: 'at most 31 days before end' }]);
  if (endMs > now.getTime() + LONGEST_AHEAD_MS) throw refusal([{ path: 'end', message: 'at most one day ahead' }]);
  return { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() };
}

function endAfter(start: string, timeframe: string | undefined, now: Date): number {
  return timeframe === undefined ? now.getTime() : Date.parse(start) + (parseDuration(timeframe) ?? Number.NaN);
}

interface FieldError {
  path: string;
  message: string;
}

function sayError({ instancePath, keyword, params, message = 'is not valid' }: ErrorObject): FieldError {
  const path = instancePath.slice(1).replaceAll('/', '.');
  if (keyword === 'additionalProperties')
    return { path: join(path, String(params['additionalProperty'])), message: 'is not a field of this request' };
  if (keyword === 'required') return { path: join(path, String(params['missingProperty'])), message: 'is missing' };
  if (keyword === 'maxProperties' || keyword === 'minProperties')
    return { path, message: path.endsWith('compareWith') ? 'must have exactly one kind of comparison' : message };
  if (keyword === 'pattern' && /timeframe|delay|step/.test(path))
    return { path, message: 'must be a duration such as 90s, 15m or 1h30m' };
  if (keyword === 'format') return { path, message: 'must be a time such as 2026-03-02T10:00:00Z' };
  return { path, message };
}

function join(path: string, name: string): string {
  const short = name.length > 60 ? `${name.slice(0, 60)}...` : name;
  return path === '' ? short : `${path}.${short}`;
}

function refusal(errors: readonly FieldError[]): Refusal {
  const [first = { path: '', message: 'is not valid' }] = errors;
  const detail = first.path === '' ? `the body ${first.message}` : `${first.path}: ${first.message}`;
  return new Refusal(400, 'invalid-request', detail, errors.slice(0, SHOWN_ERRORS));
}
