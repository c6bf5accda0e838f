import type { Readable } from 'node:stream';
import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { objectAt, textAt } from './kubernetes-object.ts';

export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: JsonObject;
  /** Where to go on from when the stream breaks. */
  resourceVersion: string;
}

/** How long the server is asked to keep a watch open; then it is opened again. */
export const WATCH_MS = 240_000;
/** A connection that died without a word does not end by itself. */
const SILENCE_MS = WATCH_MS + 30_000;
/** Longer than any object; a line that never ends must not fill the memory. */
const MAX_LINE_CHARS = 4 * 1024 * 1024;
const TYPES: ReadonlySet<string> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);
const GONE = 410;

/**
 * The events of a watch, one JSON object a line (https://kubernetes.io/docs/reference/using-api/api-concepts/),
 * until the server ends it or the signal aborts. The stream is closed when the reader stops.
 *
 * @throws {AdapterError} `conflict` when the resource version is too old (410), `unavailable` when the connection
 *   breaks, `bad-response` when what comes is no watch
 */
export async function* readWatch(stream: Readable, what: string, signal: AbortSignal): AsyncGenerator<WatchEvent> {
  const stop = () => stream.destroy();
  const silence = setTimeout(stop, SILENCE_MS);
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) return;
    for await (const line of readLines(stream, what)) {
      if (signal.aborted) return;
      silence.refresh();
      yield toEvent(line, what);
    }
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof AdapterError) throw error;
    throw new AdapterError('unavailable', `${what} broke off`);
  } finally {
    clearTimeout(silence);
    signal.removeEventListener('abort', stop);
    stream.destroy();
  }
}

async function* readLines(stream: Readable, what: string): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_CHARS) throw new AdapterError('bad-response', `${what} sent more than we read`);
    for (const line of lines) if (line.trim() !== '') yield line;
  }
}

function toEvent(line: string, what: string): WatchEvent {
  const message = parse(line);
  const object = objectAt(message['object']);
  const type = String(message['type']);
  if (type === 'ERROR') {
    const reason = object['code'] === GONE ? 'conflict' : 'unavailable';
    throw new AdapterError(
      reason,
      `${what} was ended: ${(textAt(object['reason']) ?? 'no reason given').slice(0, 100)}`,
    );
  }
  if (!TYPES.has(type)) throw new AdapterError('bad-response', `${what} sent something that is no event`);
  return {
    type: type as WatchEvent['type'],
    object,
    resourceVersion: textAt(objectAt(object['metadata'])['resourceVersion']) ?? '',
  };
}

function parse(line: string): JsonObject {
  try {
    const value: unknown = JSON.parse(line);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
