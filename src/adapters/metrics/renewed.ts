/** Credentials that end: renewed this long before, so that a request under way still has valid ones. */
const EARLY_MS = 5 * 60_000;

export interface Lease<T> {
  value: T;
  /** Milliseconds since 1970. */
  endsAt: number;
}

export interface Renewed<T> {
  /** The present value; asked for anew when it is about to end. At most one renewal is under way. */
  get(): Promise<T>;
  /** Forgets the value: the other side does not take it any more. */
  drop(): void;
}

/** Keeps what is valid for a time, and renews it when it is needed. A failure is not kept. */
export function renewed<T>(renew: () => Promise<Lease<T>>, now: () => number = Date.now): Renewed<T> {
  let held: Lease<T> | undefined;
  let underWay: Promise<Lease<T>> | undefined;
  return {
    async get() {
      if (held !== undefined && held.endsAt - EARLY_MS > now()) return held.value;
      underWay ??= renew().finally(() => {
        underWay = undefined;
      });
      held = await underWay;
      return held.value;
    },
    drop() {
      held = undefined;
    },
  };
}
