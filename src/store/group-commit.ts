import { StoreUnavailableError } from './store.ts';

/** Above this the database is far behind: better to answer "not now" than to fill the memory. */
const MAX_WAITING_ITEMS = 20_000;
const MAX_WAITING_BYTES = 128 * 1024 * 1024;
/** A turn takes as long as its requests take; the first in the group must not wait for endless newcomers. */
const MAX_TURNS = 8;
/** Fewer than these gain less from two flushes than the second one costs. */
const WORTH_HALVING = 32;

export interface GroupCommit<Item, Result> {
  /** Joins the next flush. `bytes` is its rough size. */
  add(item: Item, bytes: number): Promise<Result>;
  /** Resolves when nothing waits or is under way. */
  drained(): Promise<void>;
}

export interface GroupCommitOptions<Item, Result> {
  maxItems: number;
  maxBytes: number;
  /**
   * The flush happens elsewhere, and this thread has time meanwhile: half of those who come again and again share a
   * flush, while the others are listened to. Otherwise all of them do.
   */
  overlaps?: boolean;
  /** Writes all items at once and answers for each, in their order. A throw fails all of them. */
  flush(items: readonly Item[]): Promise<readonly PromiseSettledResult<Result>[]>;
}

interface Waiting<Item, Result> {
  item: Item;
  bytes: number;
  resolve: (result: Result) => void;
  reject: (reason: unknown) => void;
}

/**
 * Lets concurrent writers share one transaction: what arrives while a flush is under way goes into
 * the next one. A single writer waits for nothing but its own flush.
 */
export function createGroupCommit<Item, Result>(options: GroupCommitOptions<Item, Result>): GroupCommit<Item, Result> {
  let waiting: Waiting<Item, Result>[] = [];
  let waitingBytes = 0;
  let running: Promise<void> | undefined;
  /** So many share a flush, and it waits for no more. */
  let enough = options.maxItems;

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      await gather();
      const batch = take();
      const tell = await flushBatch(options, batch);
      // Nobody of the flush has come again yet: these and those who wait are all there are.
      if (options.overlaps) enough = share(batch.length + waiting.length);
      tell();
    }
    running = undefined;
  }

  function share(senders: number): number {
    return senders < WORTH_HALVING ? options.maxItems : Math.min(options.maxItems, Math.ceil(senders / 2));
  }

  /** Gives the sockets their turns for as long as each brings more: all of it shares this flush. */
  async function gather(): Promise<void> {
    let before = 0;
    for (let turn = 0; turn < MAX_TURNS && waiting.length > before && waiting.length < enough; turn += 1) {
      before = waiting.length;
      await nextTurn();
    }
  }

  function take(): Waiting<Item, Result>[] {
    let bytes = 0;
    let count = 0;
    for (const entry of waiting) {
      if (count === enough || (count > 0 && bytes + entry.bytes > options.maxBytes)) break;
      bytes += entry.bytes;
      count += 1;
    }
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    waitingBytes -= bytes;
    return batch;
  }

  return {
    add(item, bytes) {
      if (waiting.length >= MAX_WAITING_ITEMS || waitingBytes + bytes > MAX_WAITING_BYTES) {
        return Promise.reject(new StoreUnavailableError('The store is overloaded: too many writes are waiting'));
      }
      return new Promise((resolve, reject) => {
        waiting.push({ item, bytes, resolve, reject });
        waitingBytes += bytes;
        running ??= run();
      });
    },
    async drained() {
      while (running !== undefined) await running;
    },
  };
}

/** Answers how to tell those who wait for it. */
async function flushBatch<Item, Result>(
  options: GroupCommitOptions<Item, Result>,
  batch: readonly Waiting<Item, Result>[],
): Promise<() => void> {
  try {
    const outcomes = await options.flush(batch.map((entry) => entry.item));
    return () =>
      batch.forEach((entry, index) => {
        settle(entry, outcomes[index]);
      });
  } catch (error) {
    return () => {
      for (const entry of batch) entry.reject(error);
    };
  }
}

function settle<Result>(entry: Waiting<unknown, Result>, outcome: PromiseSettledResult<Result> | undefined): void {
  if (outcome === undefined) entry.reject(new Error('The flush gave no answer for a write'));
  else if (outcome.status === 'fulfilled') entry.resolve(outcome.value);
  else entry.reject(outcome.reason);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
