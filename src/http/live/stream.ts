import type { Response } from 'express';
import type { LiveEvent } from '../../runtime/live-types.ts';

/** Who reads more slowly than this fills up is let go; they come back and read on. */
export const MAX_BUFFERED_BYTES = 256 * 1024;
/** What browsers wait before they come back by themselves. */
const RETRY_MS = 3_000;

/** Events on their way to one browser (server-sent events). */
export interface EventStream {
  send(event: StreamEvent): void;
  /** Ends it, with a last event. */
  end(event?: StreamEvent): void;
}

export type StreamEvent =
  | LiveEvent
  | { name: 'beat'; data: { at: string; ok: boolean } }
  | { name: 'end'; data: object };

/**
 * Begins the answer. `position` answers up to where this reader has been told everything; `undefined` while that is not
 * so. `left` is called once, whoever ended it.
 */
export function openEventStream(response: Response, position: () => string | undefined, left: () => void): EventStream {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-cache',
    // Proxies that collect answers before they pass them on would keep every event for themselves.
    'X-Accel-Buffering': 'no',
  });
  response.write(`retry: ${RETRY_MS}\n\n`);
  response.once('close', left);
  // A connection that broke closes, which is handled once for all cases.
  response.on('error', () => {});

  function send(event: StreamEvent): void {
    if (response.writableEnded || response.destroyed) return;
    const at = position();
    response.write(`${at === undefined ? '' : `id: ${at}\n`}${textOf(event)}`);
    if (response.writableLength > MAX_BUFFERED_BYTES) response.destroy();
  }

  return {
    send,
    end(event) {
      if (event) send(event);
      response.end();
    },
  };
}

const texts = new WeakMap<StreamEvent, string>();

/** Many are sent the same event: it is written once. JSON has no line breaks, which would end a field. */
function textOf(event: StreamEvent): string {
  const known = texts.get(event);
  if (known !== undefined) return known;
  const comment = event.name === 'beat' ? ': heartbeat\n' : '';
  const text = `${comment}event: ${event.name}\ndata: ${JSON.stringify(event.data)}\n\n`;
  texts.set(event, text);
  return text;
}
