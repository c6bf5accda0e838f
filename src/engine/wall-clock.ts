const MINUTE_MS = 60_000;
const QUARTER_MS = 15 * MINUTE_MS;

/** Clocks on walls somewhere, computed without looking at any. */
export class Clock {
  readonly #format: Intl.DateTimeFormat;
  #steady = { quarter: Number.NaN, offset: 0 };
  static readonly #known = new Map<string, Clock>();

  private constructor(format: Intl.DateTimeFormat) {
    this.#format = format;
  }

  /** `undefined` when there is no such time zone. */
  static in(timeZone: string): Clock | undefined {
    const known = Clock.#known.get(timeZone);
    if (known !== undefined) return known;
    try {
      const clock = new Clock(new Intl.DateTimeFormat('en-US', { ...FIELDS, timeZone }));
      Clock.#known.set(timeZone, clock);
      return clock;
    } catch {
      return undefined;
    }
  }

  /** Milliseconds by which it is ahead of UTC at a moment (milliseconds since 1970). */
  offsetAt(at: number): number {
    // Clocks are changed at full quarter hours of UTC everywhere.
    const quarter = Math.floor(at / QUARTER_MS);
    if (this.#steady.quarter !== quarter) this.#steady = { quarter, offset: this.#computeOffset(at) };
    return this.#steady.offset;
  }

  #computeOffset(at: number): number {
    const parts = this.#format.formatToParts(new Date(at));
    const part = (type: string) => Number(parts.find((each) => each.type === type)?.value);
    const wall = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
    return wall - Math.floor(at / 1000) * 1000;
  }

  /** The first moment up to the second one at which the clock was changed since the first, else the second one. */
  steadyUntil(from: number, to: number): number {
    const offset = this.offsetAt(from);
    if (this.offsetAt(to) === offset) return to;
    let [before, after] = [Math.floor(from / MINUTE_MS), Math.ceil(to / MINUTE_MS)];
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (this.offsetAt(middle * MINUTE_MS) === offset) before = middle;
      else after = middle;
    }
    return Math.min(after * MINUTE_MS, to);
  }
}

const FIELDS = {
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
  hourCycle: 'h23',
} as const;
