import { createChangeListeners } from './change-listeners.ts';
import type { ChangeMoved, ChangesListener } from './changes.ts';
import type { PostgresChannels } from './postgres-channel.ts';
import type { PostgresSession } from './postgres-session.ts';

const CHANNEL = 'lynceus_changes';
/** Changes often move in bursts: they share messages. */
const MESSAGE_EVERY_MS = 50;
/** PostgreSQL takes messages of less than 8,000 bytes. */
const MAX_MESSAGE_BYTES = 7_500;
/** How long a lost message may delay what pages show. */
const LOOK_EVERY_MS = 5_000;
/** A transaction may become visible this much later than the time that it wrote: longer, and its time limits end it. */
const OVERLAP_MS = 15_000;
const MAX_FOUND = 5_000;
/** Above this the oldest are forgotten, and told twice. */
const MAX_REMEMBERED = 5_000;

const RECENT = `select id, version as rev, written_at as at from changes
  where written_at >= $1 order by written_at desc limit $2`;

/** Tells of written changes: those of this process at once, those of others by message, lost messages by a look. */
export interface ChangeChannel {
  add(listener: ChangesListener): () => void;
  /** This process has written them. */
  tell(moved: readonly ChangeMoved[]): void;
  close(): void;
}

export function openChangeChannel(
  session: PostgresSession,
  channels: PostgresChannels,
  instance: string,
): ChangeChannel {
  const listeners = createChangeListeners();
  /** `at`: when it was written, where a look has found that. */
  const told = new Map<string, { rev: number; at?: number }>();
  let unsent = new Map<string, number>();
  let message: NodeJS.Timeout | undefined;
  let look: NodeJS.Timeout | undefined;
  let since: number | undefined;
  let closed = false;

  function announce(moved: readonly (ChangeMoved & { at?: number })[]): void {
    for (const { id, rev, at } of moved) {
      told.delete(id);
      told.set(id, { rev, ...(at === undefined ? {} : { at }) });
    }
    for (const id of told.keys()) {
      if (told.size <= MAX_REMEMBERED) break;
      told.delete(id);
    }
    listeners.tell(moved.map(({ id, rev }) => ({ id, rev })));
  }

  function send(): void {
    message = undefined;
    const batch = [...unsent];
    unsent = new Map();
    for (const payload of messages(instance, batch)) {
      session.run({ name: 'tell', text: 'select pg_notify($1, $2)', values: [CHANNEL, payload] }).catch(() => {});
    }
  }

  /** Finds what was written since the look before last, less what was told of. */
  async function lookAround(): Promise<void> {
    if (closed || listeners.isEmpty()) return;
    try {
      const { rows } = await session.run<Recent>({
        name: 'recent',
        text: RECENT,
        values: [since ?? 0, since === undefined ? 1 : MAX_FOUND],
      });
      const isFirst = since === undefined;
      since = Math.max(since ?? 0, (rows[0]?.at ?? 0) - OVERLAP_MS);
      // Whoever begins to listen has read the rows, or will.
      if (!isFirst) announce(rows.filter(isNews).reverse());
    } catch {
      // The next look finds it.
    }
  }

  /** The same version may be written anew: what a row says of others changes without it. */
  function isNews({ id, rev, at }: Recent): boolean {
    const last = told.get(id);
    if (last?.rev !== rev) return true;
    const isSame = last.at === undefined || last.at === at;
    last.at = at;
    return !isSame;
  }

  function onMessage(payload: string): void {
    const heard = parseMessage(payload);
    if (heard !== undefined && heard.instance !== instance) announce(heard.moved);
  }

  function start(): void {
    channels.listen(CHANNEL, { onMessage, onConnected: () => void lookAround() });
    look = setInterval(lookAround, LOOK_EVERY_MS);
    look.unref();
  }

  return {
    add(listener) {
      const end = listeners.add(listener);
      if (look === undefined && !closed) start();
      return end;
    },
    tell(moved) {
      if (closed || moved.length === 0) return;
      announce(moved);
      for (const { id, rev } of moved) unsent.set(id, rev);
      message ??= setTimeout(send, MESSAGE_EVERY_MS);
    },
    close() {
      closed = true;
      clearTimeout(message);
      clearInterval(look);
    },
  };
}

interface Recent extends ChangeMoved {
  at: number;
}

/** As few messages as hold them all: `[instance, id, rev, id, rev…]`. */
function messages(instance: string, moved: readonly (readonly [string, number])[]): string[] {
  const made: string[] = [];
  let parts: string[] = [];
  let bytes = 0;
  const finish = () => {
    if (parts.length > 0) made.push(`[${[JSON.stringify(instance), ...parts].join(',')}]`);
    parts = [];
    bytes = 0;
  };
  for (const [id, rev] of moved) {
    const part = `${JSON.stringify(id)},${rev}`;
    const size = Buffer.byteLength(part) + 1;
    if (bytes + size > MAX_MESSAGE_BYTES) finish();
    parts.push(part);
    bytes += size;
  }
  finish();
  return made;
}

/** `undefined`: another program sent it. */
function parseMessage(payload: string): { instance: string; moved: ChangeMoved[] } | undefined {
  try {
    const [instance, ...rest] = JSON.parse(payload) as [string, ...(string | number)[]];
    const moved: ChangeMoved[] = [];
    for (let index = 0; index + 1 < rest.length; index += 2) {
      moved.push({ id: String(rest[index]), rev: Number(rest[index + 1]) });
    }
    return { instance, moved };
  } catch {
    return undefined;
  }
}
