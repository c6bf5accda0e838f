import type { Leases } from './sqlite-commit.ts';
import type { Claim } from './store.ts';

interface Lease {
  claim: Claim;
  endsAt: number;
}

/** Leases on a clock that only ever goes forward (milliseconds). */
export function createLeases(monotonicMs: () => number = () => performance.now()): Leases {
  const byToken = new Map<string, Lease>();
  return {
    isAlive: (claim) => (byToken.get(claim.token)?.endsAt ?? Number.NEGATIVE_INFINITY) > monotonicMs(),
    hold: ({ queue, key, token }, leaseMs) => {
      byToken.set(token, { claim: { queue, key, token }, endsAt: monotonicMs() + leaseMs });
    },
    drop: (claim) => {
      byToken.delete(claim.token);
    },
    expired: () => {
      const now = monotonicMs();
      return [...byToken.values()].filter((lease) => lease.endsAt <= now).map((lease) => lease.claim);
    },
  };
}
