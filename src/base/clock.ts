/** Where the time comes from; tests bring their own. */
export interface Clock {
  /** Wall clock: for records and people, never for leases. */
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };
