import type { Viewer } from '../answers/viewer.ts';
import { createLivePace, type LivePace } from './live-pace.ts';
import type { LiveTopic } from './live-topic.ts';
import type { LiveEvent, Subscription } from './live-types.ts';

/** Everybody who listens to the same list. */
export interface LiveGroup {
  topic: LiveTopic;
  viewer: Viewer | undefined;
  listeners: Set<Subscription>;
  /** What a page with this filter shows or showed, and whether the filter leaves it still. */
  shown: Map<string, boolean>;
  pace: LivePace;
  /** Something is different since the counts, or the whole page, were told. */
  stale: boolean;
  /** Not before the page can show it. */
  notBefore: number;
  /** And once more after that: something happened while it was waiting. */
  again: boolean;
  toldAt: number;
  /** Its question could not be answered: it is told to read the page again when it can be. */
  broken: boolean;
  resetAt: number;
  /** How many rows it was told are waiting. */
  waiting: number;
}

const MAX_SHOWN = 2_000;
/** How often counts are made, and pages that are read as a whole are told to, at most. */
export const WHOLE_EVERY_MS = 2_000;
const CONNECTIONS_EVERY_MS = 15_000;
const RESET_EVERY_MS = 5_000;
/** The rows of the fleet follow the changes by seconds: see fleet-job.ts. */
const FLEET_FOLLOWS_MS = 4_000;

export function newGroup(topic: LiveTopic, viewer: Viewer | undefined): LiveGroup {
  const told = {
    stale: false,
    notBefore: 0,
    again: false,
    toldAt: Number.NEGATIVE_INFINITY,
    broken: false,
    resetAt: Number.NEGATIVE_INFINITY,
    waiting: 0,
  };
  return { topic, viewer, listeners: new Set(), shown: new Map(), pace: createLivePace(), ...told };
}

/** What was told as a whole is not so any more. */
export function spoil(group: LiveGroup): void {
  const follows = group.topic.kind === 'fleet' ? FLEET_FOLLOWS_MS : 0;
  if (group.stale) group.again = follows > 0;
  else group.notBefore = performance.now() + follows;
  group.stale = true;
}

/** Whether it is time to tell it anew. */
export function takeTurn(group: LiveGroup): boolean {
  const now = performance.now();
  if (!group.stale || now < group.notBefore || now - group.toldAt < WHOLE_EVERY_MS) return false;
  group.stale = group.again;
  group.again = false;
  group.notBefore = now + FLEET_FOLLOWS_MS;
  group.toldAt = now;
  return true;
}

/** Whether it is told now to read the page again: while everything is written anew that would be without end. */
export function takeReset(group: LiveGroup): boolean {
  const now = performance.now();
  if (!group.broken || now - group.resetAt < RESET_EVERY_MS) return false;
  group.broken = false;
  group.resetAt = now;
  return true;
}

/** A page of one change is concerned by that; the others show more than they could be asked about. */
export function isConcerned(topic: LiveTopic, ids: readonly string[]): boolean {
  return topic.kind === 'change' ? ids.includes(topic.id) : topic.kind !== 'connections';
}

/** Nobody tells us that a connection has something new. */
export function isOld({ topic, toldAt }: LiveGroup): boolean {
  return topic.kind === 'connections' && performance.now() - toldAt >= CONNECTIONS_EVERY_MS;
}

export function sendAll(listeners: ReadonlySet<Subscription>, event: LiveEvent): void {
  for (const { send } of listeners) send(event);
}

export function show({ shown }: LiveGroup, ids: readonly string[]): void {
  for (const id of ids) shown.set(id, true);
  forget(shown);
}

export function forget(shown: Map<string, boolean>): void {
  for (const id of shown.keys()) {
    if (shown.size <= MAX_SHOWN) break;
    shown.delete(id);
  }
}
