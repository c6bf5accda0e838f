import { AdapterError } from '../base/adapter-error.ts';
import type { ClaimedJob, Store } from '../store/store.ts';
import { backoffMs, MAX_ATTEMPTS } from './backoff.ts';
import { holdLease, type Lease } from './lease.ts';
import type { Log } from './log.ts';
import type { RuntimeMetrics } from './metrics.ts';

export type JobHandler = (job: ClaimedJob, lease: Lease) => Promise<void>;

export interface WorkerOptions {
  store: Store;
  handlers: Readonly<Record<string, JobHandler>>;
  /** Asked at every renewal of a lease: whether the work is still wanted. */
  stillWanted: (job: ClaimedJob) => Promise<boolean>;
  /** Jobs at a time. Long ones (tests) hold a place, so this bounds them too. */
  concurrency: number;
  leaseMs: number;
  /** How often the queue is looked at when nobody calls. */
  pollMs: number;
  log: Log;
  metrics: RuntimeMetrics;
}

/** After the signal, how long work under way may take to reach a good place; then its lease runs out. */
const DRAIN_MS = 5_000;

/**
 * The loop: claim what is due, work on it, report, until told to stop. A job whose handler throws is
 * tried again with growing pauses; what it did so far is read back by the next attempt.
 */
export async function runWorker(options: WorkerOptions, signal: AbortSignal): Promise<void> {
  const { store, concurrency } = options;
  const running = new Set<Promise<void>>();
  const bell = createBell();
  store.onWork(bell.ring);
  signal.addEventListener('abort', bell.ring, { once: true });
  while (!signal.aborted) {
    const free = concurrency - running.size;
    const claimedAt = performance.now();
    const jobs = free > 0 ? await claimSome(options, free) : [];
    for (const job of jobs) {
      const work = workOn(options, job, claimedAt, signal).finally(() => {
        running.delete(work);
        bell.ring();
      });
      running.add(work);
    }
    if (jobs.length < free || free === 0) await bell.wait(options.pollMs);
  }
  await Promise.race([Promise.allSettled(running), sleep(DRAIN_MS)]);
}

async function claimSome({ store, leaseMs, log, pollMs }: WorkerOptions, limit: number): Promise<ClaimedJob[]> {
  try {
    return await store.claim({ limit, leaseMs });
  } catch (error) {
    log.warn({ err: error }, 'the queue cannot be read');
    await sleep(Math.max(pollMs, 500));
    return [];
  }
}

async function workOn(options: WorkerOptions, job: ClaimedJob, claimedAt: number, signal: AbortSignal): Promise<void> {
  const { store, handlers, metrics, stillWanted } = options;
  const lease = holdLease(store, job, claimedAt, async (held) => {
    if (!(await stillWanted(job))) held.giveUp('the work is no longer wanted');
  });
  const stop = () => lease.giveUp('the process is stopping');
  signal.addEventListener('abort', stop, { once: true });
  try {
    const handler = handlers[job.queue];
    if (!handler) return; // A newer version's work: its own workers will take it.
    await handler(job, lease);
    metrics.jobs.inc({ queue: job.queue, outcome: 'done' });
  } catch (error) {
    await putBack(options, job, error, signal.aborted);
  } finally {
    signal.removeEventListener('abort', stop);
    lease.end();
  }
}

async function putBack(
  { store, log, metrics }: WorkerOptions,
  job: ClaimedJob,
  error: unknown,
  stopping: boolean,
): Promise<void> {
  const name = error instanceof Error ? error.name : '';
  const where = { queue: job.queue, key: job.key, attempt: job.attempt };
  metrics.jobs.inc({ queue: job.queue, outcome: name === 'LeaseLostError' ? 'lease-lost' : 'failed' });
  if (error instanceof AdapterError) metrics.taskFailures.inc({ task: job.queue, reason: error.reason });
  if (name === 'LeaseLostError') {
    log.info(where, 'somebody else took over this work');
    // Whoever tells of it did not die of it.
    return store.forgive(job).catch(() => undefined);
  }
  const expected = name === 'AdapterError' || name === 'ConflictError' || name === 'StoreUnavailableError';
  if (!stopping)
    log[expected ? 'info' : 'error'](
      { ...where, err: expected ? { message: String(error) } : error },
      'work will be tried again',
    );
  const text = String(error).slice(0, 500);
  const dead = !expected && job.queue !== 'task' && job.attempt >= MAX_ATTEMPTS;
  const settle = dead
    ? ({ kind: 'dead', error: text } as const)
    : ({ kind: 'retry', delayMs: stopping ? 0 : backoffMs(job.attempt), error: text } as const);
  // If this fails too, the lease runs out and somebody tries again.
  await store.commit({ claim: job, settle }).catch(() => undefined);
}

/** Rings wake the waiter at once; a ring while nobody waits is remembered. */
function createBell() {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring: () => {
      rung = true;
      wake?.();
    },
    async wait(ms: number): Promise<void> {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        wake = undefined;
      }
      rung = false;
    },
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
