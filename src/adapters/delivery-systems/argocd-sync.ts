import type { SyncPolicy, SyncRequest } from './delivery-system.ts';

/**
 * The body of `POST .../sync`. Nothing in it lets Argo CD choose a commit by itself: every source is
 * pinned, and a retry stays with the pins (`refresh` is never sent). What the policy leaves out is not
 * sent, so that the application's own syncOptions and retry count.
 */
export function syncBody({ revision, revisions, prune, policy = {}, infos }: SyncRequest) {
  return {
    ...pinsOf(revision, revisions),
    prune,
    infos: Object.entries(infos).map(([name, value]) => ({ name, value })),
    ...(policy.options === undefined ? {} : { syncOptions: { items: policy.options } }),
    ...(policy.retry === undefined ? {} : { retryStrategy: retryStrategyOf(policy.retry) }),
  };
}

/**
 * An application with one source looks at `revision` only, one with several at `revisions` and
 * `sourcePositions` only: numbers from 1, whatever the swagger says. Sending all three where one is
 * known pins the first source of either; otherwise Argo CD would silently deploy what the target
 * points at by now, which nobody has checked.
 */
function pinsOf(revision: string, revisions: readonly string[] | undefined) {
  if (revisions === undefined) return { revision, revisions: [revision], sourcePositions: [1] };
  return { revisions, sourcePositions: revisions.map((_, at) => at + 1) };
}

function retryStrategyOf({ limit, backoffMs, factor, maxBackoffMs }: NonNullable<SyncPolicy['retry']>) {
  const backoff = {
    ...(backoffMs === undefined ? {} : { duration: goDuration(backoffMs) }),
    ...(factor === undefined ? {} : { factor }),
    ...(maxBackoffMs === undefined ? {} : { maxDuration: goDuration(maxBackoffMs) }),
  };
  return { limit, ...(Object.keys(backoff).length === 0 ? {} : { backoff }) };
}

/** As Go's time.ParseDuration reads it. */
function goDuration(ms: number): string {
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${Math.round(ms)}ms`;
}
