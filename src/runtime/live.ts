import type { Clock } from '../base/clock.ts';
import { createLiveGroups } from './live-groups.ts';
import { createLiveLog } from './live-log.ts';
import type { DrawRow, LiveSource, Subscribed, Subscription } from './live-types.ts';
import type { Log } from './log.ts';

export interface LiveTools {
  source: LiveSource;
  clock: Clock;
  log: Log;
  draw: DrawRow;
  /** A row is sent at most once in this time. Default 500 ms. */
  coalesceMs?: number;
  /** How long a lost notification may delay. Default 5 s. */
  lookEveryMs?: number;
}

/** Tells those who look at a page of what is different, each row and each filter once however many look. */
export interface Live {
  /** Up to where everything has been told: goes into a page before it reads what it shows. */
  position(): string;
  /** When the store was last read; `ok`: it could be. */
  state(): { at: string; ok: boolean };
  /** @throws {LiveFullError} */
  subscribe(subscription: Subscription): Subscribed;
  close(): void;
}

const COALESCE_MS = 500;
const LOOK_EVERY_MS = 5_000;
/** Writes of one moment are told of together. */
const SETTLE_MS = 10;
const RETRY_MS = 2_000;

export function createLive(tools: LiveTools): Live {
  const { source, clock, log, draw, coalesceMs = COALESCE_MS, lookEveryMs = LOOK_EVERY_MS } = tools;
  const changes = createLiveLog(source);
  const failed = (error: unknown) => log.warn({ err: error }, 'What pages show cannot be kept up to date');
  const groups = createLiveGroups({ source, changes, draw, failed });
  const pending = new Set<string>();
  const round = createRounds(coalesceMs, tellRound);
  let flooded = false;
  let position = changes.position();
  let state = { at: clock.now().toISOString(), ok: true };

  /** Answers in how many milliseconds it wants to be called again. */
  async function tellRound(): Promise<number> {
    const at = clock.now().toISOString();
    try {
      const seen = await changes.look();
      flooded ||= seen.flood;
      for (const id of seen.ids) pending.add(id);
      const seenUpTo = changes.position();
      const told = await groups.tell([...pending], flooded);
      if (told.all) position = seenUpTo;
      pending.clear();
      flooded = false;
      state = { at, ok: true };
      return Math.min(lookEveryMs, told.againInMs);
    } catch (error) {
      if (state.ok) failed(error);
      state = { ...state, ok: false };
      return RETRY_MS;
    }
  }

  const stopListening = source.onChanged(() => round.in(SETTLE_MS));
  round.in(0);
  return {
    position: () => position,
    state: () => state,
    subscribe: groups.add,
    close() {
      round.close();
      stopListening();
    },
  };
}

/** Calls one at a time, not more often than `everyMs`, and as late as it is allowed to. */
function createRounds(everyMs: number, call: () => Promise<number>) {
  let timer: NodeJS.Timeout | undefined;
  let timerAt = Number.POSITIVE_INFINITY;
  let startedAt = Number.NEGATIVE_INFINITY;
  let running = false;
  let closed = false;

  function wakeIn(delayMs: number): void {
    const at = Math.max(performance.now() + delayMs, startedAt + everyMs);
    if (closed || at >= timerAt) return;
    timerAt = at;
    if (running) return;
    clearTimeout(timer);
    timer = setTimeout(run, Math.max(0, at - performance.now()));
    timer.unref();
  }

  async function run(): Promise<void> {
    timerAt = Number.POSITIVE_INFINITY;
    running = true;
    startedAt = performance.now();
    const nextMs = await call();
    running = false;
    const wished = timerAt - performance.now();
    timerAt = Number.POSITIVE_INFINITY;
    wakeIn(Math.min(nextMs, wished));
  }

  return {
    in: wakeIn,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
