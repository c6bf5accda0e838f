import type { Readable } from 'node:stream';
import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject } from '../../base/json.ts';

/** One message of `GET /api/v1/stream/applications`. */
export type StreamFrame = { application: unknown } | { error: { code: number; status: number; message: string } };

/** Longer than any application; a line that never ends must not fill the memory. */
const MAX_FRAME_CHARS = 16 * 1024 * 1024;
/** Argo CD sends a keep-alive every 15 s; after three missed ones nobody is there any more. */
export const SILENCE_MS = 50_000;

/**
 * The frames of an event stream (https://html.spec.whatwg.org/multipage/server-sent-events.html) until
 * it ends or the signal aborts. The stream is closed when the reader stops.
 *
 * @throws {AdapterError} `unavailable` when the connection breaks or falls silent, `bad-response` when
 *   what comes is not a stream of applications
 */
export async function* readStream(
  stream: Readable,
  name: string,
  signal: AbortSignal,
  silenceMs: number = SILENCE_MS,
): AsyncGenerator<StreamFrame> {
  const watchdog = startWatchdog(stream, silenceMs);
  const stop = () => stream.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const data of readData(stream, watchdog.feed, name)) {
      if (signal.aborted) return;
      yield toFrame(data, name);
    }
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof AdapterError) throw error;
    const why = watchdog.silent() ? `sent nothing for ${silenceMs / 1000} s` : 'broke the connection';
    throw new AdapterError('unavailable', `Argo CD ${name}: the stream of applications ${why}`);
  } finally {
    signal.removeEventListener('abort', stop);
    watchdog.stop();
    stream.destroy();
  }
}

/** Joins the `data:` lines of each event; comments (keep-alives) and other fields are skipped. */
async function* readData(stream: Readable, alive: () => void, name: string): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  let rest = '';
  let data: string[] = [];
  let size = 0;
  for await (const chunk of stream) {
    alive();
    const lines = (rest + String(chunk)).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '' && data.length > 0) yield data.join('\n');
      if (line === '') [data, size] = [[], 0];
      if (!line.startsWith('data:')) continue;
      data.push(line.slice(line.startsWith('data: ') ? 6 : 5));
      size += line.length;
    }
    if (rest.length + size > MAX_FRAME_CHARS) {
      throw new AdapterError('bad-response', `Argo CD ${name}: the stream of applications sent more than we read`);
    }
  }
}

function toFrame(data: string, name: string): StreamFrame {
  const message = parse(data);
  const error = message['error'];
  if (isJsonObject(error)) {
    return {
      error: {
        code: typeof error['grpc_code'] === 'number' ? error['grpc_code'] : 2,
        status: typeof error['http_code'] === 'number' ? error['http_code'] : 500,
        message: typeof error['message'] === 'string' ? error['message'].slice(0, 300) : 'no reason given',
      },
    };
  }
  const result = message['result'];
  if (isJsonObject(result) && isJsonObject(result['application'])) return { application: result['application'] };
  throw new AdapterError('bad-response', `Argo CD ${name}: the stream sent something that is not an application`);
}

function parse(data: string) {
  try {
    const value: unknown = JSON.parse(data);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

function startWatchdog(stream: Readable, silenceMs: number) {
  let silent = false;
  const timer = setTimeout(() => {
    silent = true;
    stream.destroy(new Error('silent'));
  }, silenceMs);
  return {
    feed: () => void timer.refresh(),
    silent: () => silent,
    stop: () => clearTimeout(timer),
  };
}
