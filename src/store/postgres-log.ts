import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresSession } from './postgres-session.ts';
import { type EventRow, toStoredEvent } from './records.ts';
import { EVENT_COLUMNS, MAX_PAGE, pageSize } from './statements.ts';
import { type StoredEvent, StoreUnavailableError } from './store.ts';

/** Writers take milliseconds; one that takes longer is cut off by its own time limits before this. */
const PATIENCE_MS = 12_000;
const FIRST_PAUSE_MS = 1;
const MAX_PAUSE_MS = 50;

/** `quiet`: when this was read, no transaction that writes was under way. */
const PAGE = `select ${EVENT_COLUMNS},
  pg_snapshot_xmin(pg_current_snapshot()) = pg_snapshot_xmax(pg_current_snapshot()) as quiet from events`;

/** Every transaction that inserts events holds this lock from before its first number to its end. */
const WRITERS = `select virtualtransaction as writer from pg_locks
  where locktype = 'relation' and relation = 'events'::regclass and mode = 'RowExclusiveLock' and granted
    and database = (select oid from pg_database where datname = current_database())`;

export interface LogPage {
  afterSeq?: number;
  stream?: string;
  limit?: number;
}

/**
 * Reads the log in the order of `seq`, complete up to the last event that it answers.
 *
 * PostgreSQL hands out numbers before it commits, so number 12 can be visible while 11 is still
 * under way; a reader that went on from 12 would never see 11. Hiding 12 would be wrong too: the
 * worker that 12 woke would find nothing and call its work done. So the reader waits for those that
 * were writing when it saw 12, and then reads up to 12 again.
 *
 * When nothing was being written (every writer has its transaction number before it draws an event
 * number, so the snapshot tells), the first read is complete and nobody waits.
 */
export async function readLog(session: PostgresSession, page: LogPage): Promise<StoredEvent[]> {
  const rows = await readPage(session, page, Number.MAX_SAFE_INTEGER);
  const last = rows.at(-1);
  if (last === undefined || last.quiet) return rows.map(toStoredEvent);
  await writersToFinish(session);
  return (await readPage(session, page, last.seq)).map(toStoredEvent);
}

async function readPage(
  session: PostgresSession,
  { afterSeq = 0, stream, limit = MAX_PAGE }: LogPage,
  upTo: number,
): Promise<(EventRow & { quiet: boolean })[]> {
  const values = [afterSeq, upTo, pageSize(limit)];
  const order = 'order by seq limit $3';
  const query =
    stream === undefined
      ? { name: 'log', text: `${PAGE} where seq > $1 and seq <= $2 ${order}`, values }
      : {
          name: 'log-of-stream',
          text: `${PAGE} where stream = $4 and seq > $1 and seq <= $2 ${order}`,
          values: [...values, stream],
        };
  return (await session.run<EventRow & { quiet: boolean }>(query)).rows;
}

async function writersToFinish(session: PostgresSession): Promise<void> {
  const startedAt = performance.now();
  let earlier = await writers(session);
  for (let pause = FIRST_PAUSE_MS; earlier.size > 0; pause = Math.min(MAX_PAUSE_MS, pause * 2)) {
    if (performance.now() - startedAt > PATIENCE_MS) {
      throw new StoreUnavailableError('The log cannot be read: a transaction that writes to it does not end');
    }
    await sleep(pause);
    const now = await writers(session);
    earlier = new Set([...earlier].filter((writer) => now.has(writer)));
  }
}

async function writers(session: PostgresSession): Promise<Set<string>> {
  const { rows } = await session.run<{ writer: string }>({ name: 'writers', text: WRITERS, values: [] });
  return new Set(rows.map((row) => row.writer));
}
