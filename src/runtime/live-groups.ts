import { createLiveDrawing, type LiveDrawing } from './live-drawing.ts';
import { facetsEvent, rowEvent, wholly } from './live-events.ts';
import {
  forget,
  isConcerned,
  isOld,
  type LiveGroup,
  newGroup,
  sendAll,
  show,
  spoil,
  takeReset,
  takeTurn,
  WHOLE_EVERY_MS,
} from './live-group.ts';
import { whyNoNewGroup } from './live-limits.ts';
import type { LiveLog } from './live-log.ts';
import {
  type DrawRow,
  type LiveEvent,
  LiveFullError,
  type LiveRow,
  type LiveSource,
  type Subscribed,
  type Subscription,
} from './live-types.ts';

export interface LiveGroups {
  /** @throws {LiveFullError} */
  add(subscription: Subscription): Subscribed;
  /** Tells everybody of these changes, or at least how many there are. */
  tell(ids: readonly string[], flooded: boolean): Promise<Told>;
}

export interface Told {
  /** Nothing waits for its turn. */
  all: boolean;
  /** In how many milliseconds there is more to tell. */
  againInMs: number;
}

export interface LiveGroupsTools {
  source: LiveSource;
  changes: LiveLog;
  draw: DrawRow;
  /** What went wrong with one listener concerns nobody else. */
  failed(error: unknown): void;
}

/** Above this, reading the page again is cheaper than what is to be told. */
const MAX_CAUGHT_UP = 100;
const WAITING_EVERY_MS = 500;
export function createLiveGroups({ source, changes, draw, failed }: LiveGroupsTools): LiveGroups {
  const groups = new Map<string, LiveGroup>();

  function groupOf(subscription: Subscription): [string, LiveGroup] {
    const { topic, viewer } = subscription;
    const isPersonal = topic.kind === 'changes' && source.isPersonal(topic.filter);
    const key = JSON.stringify([topic.name, isPersonal ? viewer : undefined]);
    const found = groups.get(key);
    if (found) return [key, found];
    const full = whyNoNewGroup([...groups.values()], subscription);
    if (full !== undefined) throw new LiveFullError(full);
    const group = newGroup(topic, viewer);
    groups.set(key, group);
    return [key, group];
  }

  /** From its page on: what is sent meanwhile and what is sent for the past may overlap, rows know which is newer. */
  async function begin(group: LiveGroup, { topic, viewer, since, send }: Subscription): Promise<void> {
    if (topic.kind === 'changes' && group.shown.size === 0) show(group, (await source.page(topic.filter, viewer)).ids);
    const missed = since === undefined ? [] : await changes.after(since);
    if (missed?.length === 0) return;
    if (missed === undefined || missed.length > MAX_CAUGHT_UP) return send(wholly(topic));
    if (topic.kind !== 'changes') return isConcerned(topic, missed) ? send(wholly(topic)) : undefined;
    const left = await source.matching(missed, topic.filter, viewer);
    const drawing = createLiveDrawing(await source.read(missed), draw);
    for (const id of missed) {
      const row = drawing.row(id, viewer);
      if (row) send(rowEvent(row, topic, left.has(id)));
    }
    send(facetsEvent(topic, await source.page(topic.filter, viewer), 0));
  }

  async function sort(group: LiveGroup, ids: readonly string[]): Promise<void> {
    const { topic, viewer, shown, pace } = group;
    if (topic.kind !== 'changes') return;
    const left = await source.matching(ids, topic.filter, viewer);
    for (const id of ids) {
      if (!left.has(id) && !shown.has(id)) continue;
      shown.set(id, left.has(id));
      pace.add(id);
    }
    forget(shown);
  }

  function tellRows({ topic, listeners, shown }: LiveGroup, ids: readonly string[], drawing: LiveDrawing): void {
    const events = new Map<LiveRow, LiveEvent>();
    for (const { viewer, send } of listeners) {
      for (const id of ids) {
        const row = drawing.row(id, viewer);
        if (row === undefined) continue;
        const event = events.get(row) ?? rowEvent(row, topic, shown.get(id) === true);
        events.set(row, event);
        send(event);
      }
    }
  }

  /** What is read or counted as a whole, not more often than somebody can follow. */
  async function tellWhole(group: LiveGroup): Promise<void> {
    const { topic, viewer, listeners, pace } = group;
    if (!takeTurn(group)) return;
    if (topic.kind !== 'changes') return sendAll(listeners, wholly(topic));
    const page = await source.page(topic.filter, viewer);
    show(group, page.ids);
    sendAll(listeners, facetsEvent(topic, page, pace.waiting()));
  }

  return {
    add(subscription) {
      const [key, group] = groupOf(subscription);
      group.listeners.add(subscription);
      const caughtUp = begin(group, subscription).catch((error: unknown) => {
        failed(error);
        subscription.send(wholly(subscription.topic));
      });
      const end = () => {
        group.listeners.delete(subscription);
        if (group.listeners.size === 0 && groups.get(key) === group) groups.delete(key);
      };
      return { caughtUp, end };
    },
    async tell(ids, flooded) {
      const all = [...groups.values()];
      await eachOf(all, async (group) => {
        if (ids.length > 0 ? isConcerned(group.topic, ids) : isOld(group)) spoil(group);
        if (flooded) group.broken = true;
        if (takeReset(group)) sendAll(group.listeners, wholly(group.topic));
        else if (ids.length > 0 && !flooded) await sort(group, ids);
        if (group.pace.givesUp()) sendAll(group.listeners, wholly(group.topic));
      });
      const turns = all.map((group) => ({ group, due: group.pace.due() }));
      const wanted = [...new Set(turns.flatMap(({ due }) => due))];
      const drawing = createLiveDrawing(wanted.length === 0 ? [] : await source.read(wanted), draw);
      for (const { group, due } of turns) tellDue(group, due, drawing);
      await eachOf(all, tellWhole);
      if (all.some(({ broken }) => broken)) return { all: false, againInMs: WHOLE_EVERY_MS };
      if (all.some(({ pace }) => pace.waiting() > 0)) return { all: false, againInMs: WAITING_EVERY_MS };
      return { all: true, againInMs: all.some(({ stale }) => stale) ? WHOLE_EVERY_MS : Number.POSITIVE_INFINITY };
    },
  };

  /** One question that cannot be answered is its own trouble; where none can be, the whole round is for later. */
  async function eachOf(all: readonly LiveGroup[], act: (group: LiveGroup) => Promise<void>): Promise<void> {
    const errors: unknown[] = [];
    for (const group of all) {
      try {
        await act(group);
      } catch (error) {
        group.broken = true;
        errors.push(error);
      }
    }
    if (errors.length < all.length) return errors.forEach(failed);
    for (const group of all) group.broken = false;
    if (errors.length > 0) throw errors[0];
  }

  function tellDue(group: LiveGroup, due: readonly string[], drawing: LiveDrawing): void {
    const { topic, pace, listeners } = group;
    if (due.length > 0) tellRows(group, due, drawing);
    pace.done(due);
    const waiting = pace.waiting();
    if (waiting !== group.waiting) sendAll(listeners, facetsEvent(topic, {}, waiting));
    group.waiting = waiting;
  }
}
