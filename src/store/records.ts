import { isJsonObject, type JsonObject } from '../base/json.ts';
import { type Document, InvalidEventError, type NewEvent, type NewJob, type StoredEvent } from './store.ts';

/** An index entry of PostgreSQL holds about 2,700 bytes; two names of this size fit into one. */
const MAX_NAME_BYTES = 1024;
/** Four of these share an index entry. */
export const MAX_COLUMN_BYTES = 512;
/** A UTF-16 unit takes at most three bytes of UTF-8: shorter texts need no counting. */
const MAX_BYTES_PER_UNIT = 3;

/** An event as its columns, before the store numbers it. */
export interface EventColumns {
  source: string;
  id: string;
  key: string | null;
  type: string;
  subject: string | null;
  time: string;
  data: string;
}

export interface JobColumns {
  queue: string;
  key: string;
  payload: string;
  delayMs: number;
  keepPayload: boolean;
}

export interface DocumentColumns {
  kind: string;
  id: string;
  version: number;
  project: string | null;
  stage: string | null;
  service: string | null;
  context: string | null;
  status: string | null;
  sort: number;
  data: string;
}

export interface EventRow extends EventColumns {
  seq: number;
  stream: string;
  version: number | null;
  recorded_at: number;
}

/** @throws {InvalidEventError} when no store can keep it as it is */
export function eventColumns(event: NewEvent): EventColumns {
  return {
    source: checkedName('source of the event', event.source),
    id: checkedName('id of the event', event.id),
    key: event.key === undefined ? null : checkedName('key of the event', event.key),
    type: checkedName('type of the event', event.type),
    subject: event.subject === undefined ? null : checkedText('subject of the event', event.subject),
    time: checkedText('time of the event', event.time),
    data: checkedJson('data of the event', event.data),
  };
}

/** @throws {InvalidEventError} when no store can keep it as it is */
export function jobColumns(job: NewJob): JobColumns {
  return {
    queue: checkedName('queue of the job', job.queue),
    key: checkedName('key of the job', job.key),
    payload: job.payload === undefined ? '{}' : checkedJson('payload of the job', job.payload),
    delayMs: checkedDelay(job.delayMs ?? 0),
    keepPayload: job.keepPayload === true,
  };
}

/** @throws {InvalidEventError} when no store can keep it as it is */
export function documentColumns(document: Document): DocumentColumns {
  return {
    kind: checkedName('kind of the document', document.kind, MAX_COLUMN_BYTES),
    id: checkedName('id of the document', document.id, MAX_COLUMN_BYTES),
    version: checkedInteger('version of the document', document.version),
    project: checkedColumn('project of the document', document.project),
    stage: checkedColumn('stage of the document', document.stage),
    service: checkedColumn('service of the document', document.service),
    context: checkedColumn('context of the document', document.context),
    status: checkedColumn('status of the document', document.status),
    sort: checkedInteger('sort of the document', document.sort),
    data: checkedJson('data of the document', document.data),
  };
}

/** @throws {InvalidEventError} when it is empty, too long or not a text that both stores keep */
export function checkedName(what: string, text: string, maxBytes: number = MAX_NAME_BYTES): string {
  checkedText(what, text);
  if (text === '') throw new InvalidEventError(`The ${what} is empty`);
  if (text.length * MAX_BYTES_PER_UNIT > maxBytes && Buffer.byteLength(text) > maxBytes) {
    throw new InvalidEventError(`The ${what} is longer than ${maxBytes} bytes; shorten or hash it`);
  }
  return text;
}

/** A delay in whole milliseconds, never negative. */
export function checkedDelay(delayMs: number): number {
  if (!Number.isFinite(delayMs)) throw new InvalidEventError('The delay of the job is not a number of milliseconds');
  return Math.max(0, Math.ceil(delayMs));
}

export function toStoredEvent(row: EventRow): StoredEvent {
  return {
    id: row.id,
    source: row.source,
    type: row.type,
    ...(row.subject === null ? {} : { subject: row.subject }),
    time: row.time,
    ...(row.key === null ? {} : { key: row.key }),
    data: toJson(row.data),
    seq: row.seq,
    stream: row.stream,
    ...(row.version === null ? {} : { version: row.version }),
    recordedAt: new Date(row.recorded_at).toISOString(),
  };
}

export function toDocument(row: DocumentColumns): Document {
  return {
    kind: row.kind,
    id: row.id,
    version: row.version,
    ...(row.project === null ? {} : { project: row.project }),
    ...(row.stage === null ? {} : { stage: row.stage }),
    ...(row.service === null ? {} : { service: row.service }),
    ...(row.context === null ? {} : { context: row.context }),
    ...(row.status === null ? {} : { status: row.status }),
    sort: row.sort,
    data: toJson(row.data),
  };
}

export function toJson(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  // Only objects are written, so anything else means that somebody edited the database by hand.
  if (!isJsonObject(value)) throw new Error('The store holds a value that is not a JSON object');
  return value;
}

function checkedText(what: string, text: string): string {
  if (typeof text !== 'string') throw new InvalidEventError(`The ${what} is not a text`);
  if (text.includes('\u0000')) throw new InvalidEventError(`The ${what} contains a NUL character (\\u0000)`);
  if (!text.isWellFormed()) throw new InvalidEventError(`The ${what} contains half a character (a lone surrogate)`);
  return text;
}

export function checkedColumn(
  what: string,
  text: string | undefined,
  maxBytes: number = MAX_COLUMN_BYTES,
): string | null {
  return text === undefined ? null : checkedName(what, text, maxBytes);
}

export function checkedInteger(what: string, value: number): number {
  if (!Number.isSafeInteger(value)) throw new InvalidEventError(`The ${what} is not a whole number`);
  return value;
}

export function checkedJson(what: string, value: JsonObject): string {
  if (!isJsonObject(value)) throw new InvalidEventError(`The ${what} is not a JSON object`);
  const text = serialised(what, value);
  if (hasNul(text)) throw new InvalidEventError(`The ${what} contains a NUL character (\\u0000)`);
  return text;
}

function serialised(what: string, value: JsonObject): string {
  try {
    return JSON.stringify(value);
  } catch {
    // Too deep, circular, or a value that JSON does not know.
    throw new InvalidEventError(`The ${what} cannot be written as JSON`);
  }
}

/** Whether JSON text escapes a NUL character; an escaped backslash before `u0000` is harmless. */
function hasNul(json: string): boolean {
  return json.includes('\\u0000') && /(?<!\\)(?:\\\\)*\\u0000/.test(json);
}
