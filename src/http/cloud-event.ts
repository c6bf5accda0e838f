import type { IncomingHttpHeaders } from 'node:http';
import ajvFormats from 'ajv-formats';
import Type, { type Static } from 'typebox';
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts';
import { schemas } from '../base/schemas.ts';
import { parseStrictJson } from '../base/strict-json.ts';
import type { NewEvent } from '../store/store.ts';
import { PLAIN_FORMS, plainEvent, REPORTED } from './reports/plain.ts';

/** The envelope as CloudEvents 1.0 defines it; extensions are lower-case letters and digits. */
const Envelope = Type.Object(
  {
    specversion: Type.Literal('1.0'),
    id: Type.String({ minLength: 1, maxLength: 512 }),
    source: Type.String({ minLength: 1, maxLength: 1024 }),
    type: Type.String({ minLength: 1, maxLength: 512 }),
    subject: Type.Optional(Type.String({ minLength: 1, maxLength: 1024 })),
    time: Type.Optional(Type.String({ format: 'date-time' })),
    datacontenttype: Type.Optional(Type.String({ maxLength: 200 })),
    dataschema: Type.Optional(Type.String({ maxLength: 1024 })),
  },
  { additionalProperties: true },
);
type Envelope = Static<typeof Envelope>;

/** What programs write, on days that every month has. The format's own rules cost several times as much. */
const USUAL_TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?Z$/;
const dateTime = ajvFormats.default.get('date-time') as { validate: (text: string) => boolean };
const validator = schemas({}, (ajv) =>
  ajv.addFormat('date-time', (text) => USUAL_TIME.test(text) || dateTime.validate(text)),
)<Envelope>(Envelope);

const EXTENSION = /^[a-z0-9]{1,100}$/;
/** Sources and types that only we write. */
const OURS = /^(?:lynceus|argocd\/|flux\/)|^dev\.lynceus\./;
/** A type of ours that others write: numbers for an evaluation. */
export const PUSHED = 'dev.lynceus.indicators.pushed.v1';
/** Types of ours that others write. */
const OF_OTHERS: ReadonlySet<string> = new Set([PUSHED, REPORTED]);
const ATTRIBUTES = new Set(['specversion', 'id', 'source', 'type', 'subject', 'time', 'data', 'data_base64']);

/** Past this a sender waits for long, and repeats a lot when one event is wrong. */
const MAX_BATCH = 1_000;

/** Whether an event is one that nobody but us may send. */
export function isOurs({ source, type }: Pick<NewEvent, 'source' | 'type'>): boolean {
  return OURS.test(source) || (OURS.test(type) && !OF_OTHERS.has(type));
}

interface Refused {
  ok: false;
  status: 400 | 415;
  code: string;
  detail: string;
}
type OneAnswer = { ok: true; event: NewEvent } | Refused;
export type CloudEventsAnswer = { ok: true; events: NewEvent[] } | Refused;

/**
 * Reads what was sent in one request: a CloudEvent, structured or binary, or a batch of them. Our own
 * envelope check instead of the SDK's: it names the attribute, and costs a tenth.
 */
export function readCloudEvents(headers: IncomingHttpHeaders, body: Buffer, receivedAt: Date): CloudEventsAnswer {
  const media = mediaOf(headers['content-type'] ?? '');
  if (media === 'application/cloudevents-batch+json') return batch(body, receivedAt);
  const answer = readOne(headers, media, body, receivedAt);
  return answer.ok ? { ok: true, events: [answer.event] } : answer;
}

function mediaOf(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

function readOne(headers: IncomingHttpHeaders, media: string, body: Buffer, receivedAt: Date): OneAnswer {
  if (media === 'application/cloudevents+json') return structured(body, receivedAt);
  if (headers['ce-specversion'] !== undefined) return binary(headers, media, body, receivedAt);
  if (media === 'application/json') return plain(body, receivedAt);
  return refuse(
    415,
    'unsupported-media-type',
    'send application/cloudevents+json, application/cloudevents-batch+json, application/json, or the ce-* headers with a JSON body',
  );
}

/** Without an envelope: a CDEvent by itself, or a report of the short form. */
function plain(body: Buffer, receivedAt: Date): OneAnswer {
  const parsed = parseStrictJson(body);
  if (!parsed.ok) return refuse(400, parsed.code, parsed.detail);
  const event = plainEvent(parsed.value, receivedAt);
  if (!event) return refuse(400, 'invalid-event', PLAIN_FORMS);
  const { id, source, type, time, subject } = event;
  const named = { specversion: '1.0', id, source, type, time, ...(subject === undefined ? {} : { subject }) };
  return toEvent({ ...named, data: event.data['data'] ?? null }, receivedAt);
}

function structured(body: Buffer, receivedAt: Date): OneAnswer {
  const parsed = parseStrictJson(body);
  return parsed.ok ? fromJson(parsed.value, receivedAt) : refuse(400, parsed.code, parsed.detail);
}

/** One wrong event refuses all of them: half a batch taken would be repeated whole anyway. */
function batch(body: Buffer, receivedAt: Date): CloudEventsAnswer {
  const parsed = parseStrictJson(body);
  if (!parsed.ok) return refuse(400, parsed.code, parsed.detail);
  if (!Array.isArray(parsed.value)) return refuse(400, 'invalid-event', 'a batch must be a JSON array of events');
  if (parsed.value.length > MAX_BATCH)
    return refuse(400, 'invalid-event', `a batch of ${parsed.value.length} events is more than ${MAX_BATCH}`);
  const events: NewEvent[] = [];
  for (const [at, value] of parsed.value.entries()) {
    const answer = fromJson(value, receivedAt);
    if (!answer.ok) return { ...answer, detail: `event ${at + 1} of the batch: ${answer.detail}` };
    events.push(answer.event);
  }
  return { ok: true, events };
}

function fromJson(value: Json, receivedAt: Date): OneAnswer {
  if (!isJsonObject(value)) return refuse(400, 'invalid-event', 'the event must be a JSON object');
  if (value['data_base64'] !== undefined)
    return refuse(400, 'invalid-event', 'data_base64 is not taken: send JSON data');
  return toEvent(value, receivedAt);
}

function binary(headers: IncomingHttpHeaders, media: string, body: Buffer, receivedAt: Date): OneAnswer {
  if (body.length > 0 && !/^application\/(?:[\w.-]+\+)?json$/.test(media)) {
    return refuse(
      415,
      'unsupported-media-type',
      `data of an event must be JSON, not ${media === '' ? 'unnamed' : media}`,
    );
  }
  const parsed = body.length > 0 ? parseStrictJson(body) : ({ ok: true, value: {} } as const);
  if (!parsed.ok) return refuse(400, parsed.code, parsed.detail);
  const attributes = Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith('ce-') ? [[name.slice(3), decode(String(value))]] : [],
    ),
  );
  return toEvent({ ...attributes, data: parsed.value }, receivedAt);
}

/** The HTTP binding percent-encodes what a header cannot carry. */
function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function toEvent(envelope: JsonObject, receivedAt: Date): OneAnswer {
  const payload = envelope['data'] ?? null;
  const validate = validator();
  if (!validate(envelope)) {
    const [first] = validate.errors ?? [];
    const where = first?.instancePath.slice(1) || String(first?.params['missingProperty'] ?? '');
    return refuse(400, 'invalid-event', `${where}: ${first?.message ?? 'is not valid'}`);
  }
  const extensions = extensionsOf(envelope);
  const misnamed = Object.keys(extensions ?? {}).find((name) => !EXTENSION.test(name));
  if (misnamed !== undefined)
    return refuse(400, 'invalid-event', `${sayName(misnamed)}: attributes have names of lower-case letters and digits`);
  const { id, source, type, subject, time } = envelope as Envelope;
  if (isOurs({ source, type }))
    return refuse(400, 'invalid-event', 'source and type of this event are reserved for Lynceus itself');
  const event: NewEvent = {
    id,
    source,
    type,
    time: time ?? receivedAt.toISOString(),
    data: extensions === undefined ? { data: payload } : { data: payload, extensions },
  };
  if (subject !== undefined) event.subject = subject;
  return { ok: true, event };
}

/** `undefined`: it has none, as most. */
function extensionsOf(envelope: JsonObject): JsonObject | undefined {
  let extensions: [string, Json][] | undefined;
  for (const name in envelope) {
    if (ATTRIBUTES.has(name)) continue;
    extensions ??= [];
    extensions.push([name, envelope[name] ?? null]);
  }
  return extensions && Object.fromEntries(extensions);
}

function sayName(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}...` : name);
}

function refuse(status: 400 | 415, code: string, detail: string): Refused {
  return { ok: false, status, code, detail };
}
