import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';

export interface ServerSentEvent {
  id: string;
  event: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test names what it expects of it
  data: any;
  at: number;
}

/** A reader of an event stream, as a browser without a screen. */
export interface EventReader {
  status: number;
  headers: IncomingHttpHeaders;
  events: ServerSentEvent[];
  comments: string[];
  /** The first event that fits, past or to come. */
  until(fits: (event: ServerSentEvent) => boolean, withinMs?: number): Promise<ServerSentEvent>;
  rows(): ServerSentEvent[];
  lastId(): string;
  /** Resolves when the server has ended it. */
  ended: Promise<void>;
  close(): void;
}

function summary({ id, event, data }: ServerSentEvent): string {
  const { html: _html, ids, ...rest } = data as Record<string, unknown>;
  return `${id} ${event} ${JSON.stringify({ ...rest, ...(Array.isArray(ids) ? { ids: ids.length } : {}) })}`;
}

export async function readEvents(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
  const events: ServerSentEvent[] = [];
  const comments: string[] = [];
  const waiting = new Set<() => void>();
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request(
      url,
      { headers: { Accept: 'text/event-stream', 'Accept-Encoding': 'gzip, deflate, br', ...headers }, agent: false },
      resolve,
    )
      .once('error', reject)
      .end();
  });
  let text = '';
  let id = '';
  answer.setEncoding('utf8');
  answer.on('error', () => {});
  answer.on('data', (chunk: string) => {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
      );
      if (fields.has('')) comments.push(fields.get('') ?? '');
      id = fields.get('id') ?? id;
      const data = fields.get('data');
      if (data !== undefined)
        events.push({ id, event: fields.get('event') ?? '', data: JSON.parse(data), at: performance.now() });
    }
    for (const look of waiting) look();
  });
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    events,
    comments,
    until(fits, withinMs = 5_000) {
      return new Promise((resolve, reject) => {
        const look = () => {
          const found = events.find(fits);
          if (found === undefined) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(found);
        };
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(
            new Error(`no such event within ${withinMs} ms, but ${events.map(summary).join('; ').slice(0, 3000)}`),
          );
        }, withinMs);
        waiting.add(look);
        look();
      });
    },
    rows: () => events.filter(({ event }) => event === 'row'),
    lastId: () => id,
    ended: new Promise((resolve) => answer.once('close', () => resolve())),
    close: () => answer.destroy(),
  };
}
