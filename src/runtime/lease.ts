import { AdapterError } from '../base/adapter-error.ts';
import type { Guard } from '../base/guard.ts';
import type { ClaimedJob, Store } from '../store/store.ts';

/** Stop acting this long before the lease really ends: bytes need time on the wire. */
const MARGIN_MS = 500;

/** The right to work on one job, kept alive in the background and checked before every outside effect. */
export interface Lease {
  guard: Guard;
  /** Aborted when the lease is lost or the work is no longer wanted. */
  signal: AbortSignal;
  /** Gives up the work from outside, e.g. because its sequence was aborted. */
  giveUp(why: string): void;
  /** Ends the renewals; call it whatever happened. */
  end(): void;
}

/**
 * @param claimedAt monotonic time (performance.now) from before the claim was sent: the store's own
 *   lease starts later, so ours always ends first, also when the process was frozen in between
 * @param onRenewed called after each renewal, a good moment to see whether the work is still wanted
 */
export function holdLease(
  store: Store,
  job: ClaimedJob,
  claimedAt: number,
  onRenewed: (lease: Lease) => Promise<void>,
): Lease {
  const controller = new AbortController();
  let heldUntil = claimedAt + job.leaseMs - MARGIN_MS;
  const timer = setInterval(() => void renew(), Math.max(200, job.leaseMs / 3));

  async function renew(): Promise<void> {
    const asked = performance.now();
    try {
      if (await store.extend(job, job.leaseMs)) {
        heldUntil = asked + job.leaseMs - MARGIN_MS;
        await onRenewed(lease);
        return;
      }
      lease.giveUp('the lease was lost');
    } catch {
      // The store cannot be reached: the lease runs out by itself, and the guard sees it.
    }
  }

  const lease: Lease = {
    guard() {
      if (controller.signal.aborted || performance.now() >= heldUntil) {
        throw new AdapterError('cancelled', 'no longer in charge of this work');
      }
    },
    signal: controller.signal,
    giveUp(why) {
      clearInterval(timer);
      controller.abort(new AdapterError('cancelled', why));
    },
    end() {
      clearInterval(timer);
    },
  };
  return lease;
}
