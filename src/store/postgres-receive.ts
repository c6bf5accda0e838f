import { NOW, type PostgresSession } from './postgres-session.ts';
import type { EventColumns, JobColumns } from './records.ts';
import { onJobConflict } from './statements.ts';
import { StoreUnavailableError } from './store.ts';

export interface Received {
  stream: string;
  event: EventColumns;
  jobs: readonly JobColumns[];
}

export type Reception = 'stored' | 'duplicate';

/** Somebody works on the row and the lease lasts. */
export const CLAIMED = `(jobs.token is not null and jobs.run_at > ${NOW})`;

/**
 * All events of a flush, and the work that the new ones ask for, in one statement. The transaction
 * gets its number before the first event gets its: `postgres-log.ts` relies on it. A key may appear
 * only once in an upsert, so requests for the same work are merged: the earliest time, the last payload.
 * It answers with the duplicates, which mostly means with nothing.
 */
const RECEIVE = `with tx as materialized (select pg_current_xact_id() as number),
input as materialized (
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
    string_to_array($8::text, e'\\n')) with ordinality as input (stream, source, id, key, type, subject, time, data, position)),
stored as (
  insert into events (stream, source, id, key, type, subject, time, data, recorded_at)
  select stream, source, id, key, type, subject, time, data, ${NOW}
  from input, tx where tx.number is not null order by position
  on conflict do nothing
  returning source, id, key),
asked as (
  insert into jobs (queue, key, payload, run_at)
  select job.queue, job.key, (array_agg(job.payload order by job.nth desc))[1], ${NOW} + min(job.delay)
  from unnest($9::bigint[], $10::text[], $11::text[], string_to_array($12::text, e'\\n'), $13::bigint[])
    with ordinality as job (position, queue, key, payload, delay, nth)
  join input on input.position = job.position
  join stored on stored.source = input.source and stored.id = input.id and stored.key is not distinct from input.key
  group by job.queue, job.key
  order by job.queue collate "C", job.key collate "C"
  ${onJobConflict(CLAIMED)})
select source, id, key from input where (select count(*) from stored) < cardinality($1::text[])
except select source, id, key from stored`;

/**
 * Stores a flush. When one bad event fails the statement for all, each is stored by itself, so that
 * only the bad one fails.
 */
export async function receiveAll(
  session: PostgresSession,
  items: readonly Received[],
): Promise<PromiseSettledResult<Reception>[]> {
  try {
    const answers = await receiveTogether(session, items);
    return answers.map((value) => ({ status: 'fulfilled', value }));
  } catch (error) {
    if (error instanceof StoreUnavailableError || items.length === 1) throw error;
    return oneByOne(session, items);
  }
}

async function oneByOne(
  session: PostgresSession,
  items: readonly Received[],
): Promise<PromiseSettledResult<Reception>[]> {
  const outcomes: PromiseSettledResult<Reception>[] = [];
  for (const item of items) outcomes.push(...(await Promise.allSettled([receiveOne(session, item)])));
  return outcomes;
}

async function receiveOne(session: PostgresSession, item: Received): Promise<Reception> {
  const [answer = 'duplicate'] = await receiveTogether(session, [item]);
  return answer;
}

async function receiveTogether(session: PostgresSession, items: readonly Received[]): Promise<Reception[]> {
  const leaders = withoutRepetitions(items);
  const { rows } = await session.run<Identity>({ name: 'receive', text: RECEIVE, values: toArrays(leaders) });
  const duplicates = new Set(rows.map(identity));
  const firsts = new Set(leaders);
  // Of several equal events the first is the one that was stored.
  return items.map((item) => (firsts.has(item) && !duplicates.has(identity(item.event)) ? 'stored' : 'duplicate'));
}

type Identity = Pick<EventColumns, 'source' | 'id' | 'key'>;

/** Unambiguous: no name contains a NUL character, and none is empty. */
function identity({ source, id, key }: Identity): string {
  return `${source}\u0000${id}\u0000${key ?? ''}`;
}

function withoutRepetitions(items: readonly Received[]): Received[] {
  const seen = new Set<string>();
  return items.filter(({ event }) => {
    const name = identity(event);
    return !seen.has(name) && seen.add(name);
  });
}

function toArrays(items: readonly Received[]): unknown[] {
  const events = items.map((item) => item.event);
  const jobs = items.flatMap((item, index) => item.jobs.map((job) => ({ job, position: index + 1 })));
  return [
    items.map((item) => item.stream),
    events.map((event) => event.source),
    events.map((event) => event.id),
    events.map((event) => event.key),
    events.map((event) => event.type),
    events.map((event) => event.subject),
    events.map((event) => event.time),
    linesOf(events.map((event) => event.data)),
    jobs.map(({ position }) => position),
    jobs.map(({ job }) => job.queue),
    jobs.map(({ job }) => job.key),
    linesOf(jobs.map(({ job }) => job.payload)),
    jobs.map(({ job }) => job.delayMs),
  ];
}

/** Most of the bytes: JSON text holds no line break, and quotes within an array would be escaped and back. */
function linesOf(texts: readonly string[]): string {
  return texts.join('\n');
}
