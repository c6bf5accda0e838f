import type { EventSink } from '../adapters/event-sinks/event-sink.ts';
import { AdapterError } from '../base/adapter-error.ts';
import type { Clock } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import { evolve, noSequence } from '../engine/sequence.ts';
import { type CdEvent, cdEventsOf, inCloudEvent } from '../events/cd-events.ts';
import { fromEnvelope } from '../events/codec.ts';
import type { ClaimedJob, Document, NewJob, Store, StoredEvent } from '../store/store.ts';
import { backoffMs } from './backoff.ts';
import type { Lease } from './lease.ts';
import type { Log } from './log.ts';

export interface EmitRoom {
  store: Store;
  clock: Clock;
  log: Log;
  eventSinks: readonly EventSink[];
  words: CdEventWords;
}

/** Whose events they are, and where people look at a change. */
export interface CdEventWords {
  source: string;
  linkTo: (change: string) => string | undefined;
}

/** One row per sink: how far in the log it is. */
const CURSOR = 'emit-cursor';
/** Events that a sink refused, or that nobody took for a day. */
export const DEAD_LETTER = 'dead-letter';
const PAGE = 100;
const IDLE_MS = 1_000;
/** Nobody who could not be reached for so long is waited for with everything that came after. */
const GIVE_UP_MS = 24 * 3_600_000;

interface Cursor {
  /** The last event of the log that is done with. */
  seq: number;
  /** Nothing older is sent: who subscribes today does not want last year. ISO 8601. */
  since: string;
  sentAt?: string;
  /** Present: the event after `seq` could not be sent. */
  failing?: { since: string; error: string };
}

/** How a sink is doing, for people. */
export interface SinkHealth extends Cursor {
  name: string;
  dead: { id: string; type: string; why: string; at: string }[];
}

/** One job per sink follows the log. */
export function emitJobs(sinks: readonly EventSink[]): NewJob[] {
  return sinks.map(({ name }) => ({ queue: 'emit', key: name }));
}

/** The words that our own door recognises as ours, so that nothing goes in a circle. */
export function cdEventWords(publicUrl: string | undefined, linkTo: CdEventWords['linkTo']): CdEventWords {
  return { source: publicUrl === undefined ? 'lynceus' : `lynceus://${new URL(publicUrl).host}`, linkTo };
}

/**
 * Sends the next page of the log to a sink, in order and at least once: how far it came is written down after each event
 * that was taken. What a sink refuses for good is kept for people, and the next one is sent.
 */
export async function emitEvents(room: EmitRoom, job: ClaimedJob, lease: Lease): Promise<void> {
  const { store, clock } = room;
  const sink = room.eventSinks.find(({ name }) => name === job.key);
  // It was taken out of the configuration.
  if (!sink) return void (await store.commit({ claim: job, settle: { kind: 'done' } }));
  let cursor = await cursorOf(store, clock, sink);
  const events = await store.readLog({ afterSeq: cursor.seq, limit: PAGE });
  const told = createTeller(store, room.words);
  for (const event of events) {
    const isNew = event.recordedAt >= cursor.since;
    const cdEvents = isNew ? await told(event) : [];
    for (const cdEvent of cdEvents) {
      const failure = await sendOne(sink, cdEvent, lease.signal);
      if (failure === undefined) cursor = { ...withoutFailure(cursor), sentAt: clock.now().toISOString() };
      else if (!isOver(failure, cursor, clock)) return putOff(room, job, sink, cursor, failure);
      else await bury(room, sink, cdEvent, failure);
    }
    cursor = { ...withoutFailure(cursor), seq: event.seq };
    if (cdEvents.length > 0) await store.commit({ documents: [cursorRow(sink, cursor)], claim: job });
  }
  const delayMs = events.length < PAGE ? IDLE_MS : 0;
  await store.commit({ documents: [cursorRow(sink, cursor)], claim: job, settle: { kind: 'again', delayMs } });
}

/** Events of ours as CDEvents; reads each sequence once. */
export function createTeller(store: Store, words: CdEventWords): (event: StoredEvent) => Promise<CdEvent[]> {
  const streams = new Map<string, Promise<StoredEvent[]>>();
  return async (event) => {
    const known = fromEnvelope(event);
    if (!known || event.version === undefined || event.source !== 'lynceus') return [];
    const stream = streams.get(event.stream) ?? store.readStream(event.stream);
    streams.set(event.stream, stream);
    const version = event.version;
    const before = (await stream)
      .filter((one) => (one.version ?? 0) < version)
      .flatMap((one) => fromEnvelope(one) ?? [])
      .reduce(evolve, noSequence);
    return cdEventsOf(known, before, { ...words, eventId: event.id });
  };
}

/** How the sinks are doing, with what could not be delivered, the newest first. */
export async function sinkHealth(store: Store, clock: Clock, sinks: readonly EventSink[]): Promise<SinkHealth[]> {
  return Promise.all(
    sinks.map(async (sink) => {
      const dead = await store.documents({ kind: DEAD_LETTER, status: [sink.name], limit: 100 });
      const cursor = await cursorOf(store, clock, sink);
      return {
        name: sink.name,
        ...cursor,
        dead: dead.map(({ data }) => data as unknown as SinkHealth['dead'][number]),
      };
    }),
  );
}

async function cursorOf(store: Store, clock: Clock, { name }: EventSink): Promise<Cursor> {
  const row = await store.document(CURSOR, name);
  return (row?.data as unknown as Cursor | undefined) ?? { seq: 0, since: clock.now().toISOString() };
}

function cursorRow({ name }: EventSink, cursor: Cursor): Document {
  const data = JSON.parse(JSON.stringify(cursor)) as JsonObject;
  return { kind: CURSOR, id: name, version: cursor.seq, sort: cursor.seq, data };
}

function withoutFailure({ failing: _, ...cursor }: Cursor): Cursor {
  return cursor;
}

async function sendOne(sink: EventSink, event: CdEvent, signal: AbortSignal): Promise<AdapterError | undefined> {
  try {
    await sink.send(inCloudEvent(event), { signal });
    return undefined;
  } catch (error) {
    if (error instanceof AdapterError && error.reason !== 'cancelled') return error;
    throw error;
  }
}

function isOver(failure: AdapterError, { failing }: Cursor, clock: Clock): boolean {
  return (
    !failure.retryable || (failing !== undefined && clock.now().getTime() - Date.parse(failing.since) > GIVE_UP_MS)
  );
}

async function putOff(room: EmitRoom, job: ClaimedJob, sink: EventSink, cursor: Cursor, failure: AdapterError) {
  const { store, clock } = room;
  const since = cursor.failing?.since ?? clock.now().toISOString();
  const row = cursorRow(sink, { ...cursor, failing: { since, error: failure.message } });
  const delayMs = Math.max(backoffMs(job.attempt), failure.retryAfterMs ?? 0);
  const settle = { kind: 'retry', delayMs, error: failure.message } as const;
  await store.commit({ documents: [row], claim: job, settle });
}

async function bury({ store, clock, log }: EmitRoom, { name }: EventSink, event: CdEvent, failure: AdapterError) {
  const { id, type } = event.context;
  const at = clock.now();
  log.warn({ sink: name, type, id, outcome: failure.message }, 'an event was given up');
  const data = { id, type, why: failure.message, at: at.toISOString() };
  const row = { kind: DEAD_LETTER, id: `${name}/${id}`, version: 1, status: name, sort: at.getTime(), data };
  await store.commit({ documents: [row] });
}
