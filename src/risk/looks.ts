import { sayDuration } from '../base/duration.ts';
import { isRed, type Probe, type RiskSignals } from './signals.ts';

/** A signal that was looked at. */
export interface Seen {
  /** 0..1 */
  strength: number;
  /** What was seen, for people: `420 changed lines`. */
  seen: string;
}

const DAY_MINUTES = 1440;
/** From 9 h, when people are there, to 17 h, when they go. */
const WORK_START = 9 * 60;
const WORK_END = 17 * 60;
const FRIDAY = 4;
const FRIDAY_EVENING = 15 * 60;
/** A freeze that is nearer than this leaves too little time to mend something. */
const FREEZE_HOURS = 8;

export function sizeOf(lines: number): number {
  return Math.log1p(lines) / Math.log(2001);
}

export function lookAtAuthors({ authors }: RiskSignals): Seen | undefined {
  if (!authors || !isCount(authors.all) || !isCount(authors.unfamiliar) || authors.all === 0) return undefined;
  const unfamiliar = Math.min(authors.unfamiliar, authors.all);
  return {
    strength: unfamiliar / authors.all,
    seen: unfamiliar === 0 ? 'authors know these parts' : `${unfamiliar} of ${count(authors.all, 'author')} new here`,
  };
}

/** Counts fully for a day, then fades until the third day is over. */
export function lookAtFailure({ hoursSinceFailure }: RiskSignals): Seen | undefined {
  if (hoursSinceFailure === 'none') return { strength: 0, seen: 'it never failed' };
  return graded(
    hoursSinceFailure,
    (hours) => (72 - hours) / 48,
    (hours) => `failed ${Math.round(hours)} h ago`,
  );
}

export function lookAtSoak({ previousSoak }: RiskSignals): Seen | undefined {
  if (!previousSoak || !(previousSoak.ranMs >= 0) || !(previousSoak.expectedMs > 0)) return undefined;
  const { ranMs, expectedMs } = previousSoak;
  return {
    strength: unit(1 - ranMs / expectedMs),
    seen: `ran ${sayDuration(ranMs)} of ${sayDuration(expectedMs)} there`,
  };
}

export function lookAtBudget({ budgetRemaining }: RiskSignals): Seen | undefined {
  if (budgetRemaining === undefined || !Number.isFinite(budgetRemaining)) return undefined;
  return { strength: unit(1 - budgetRemaining), seen: `${Math.round(budgetRemaining * 100)} % left` };
}

/** One that is red is enough; all must be read to say that none is. */
export function lookAtProbes(probes: readonly Probe[] | undefined): Seen | undefined {
  if (!probes || probes.length === 0) return undefined;
  const red = probes.filter((probe) => isRed(probe) === true);
  if (red.length > 0) return { strength: 1, seen: red.map(sayProbe).join(', ') };
  return probes.every((probe) => isRed(probe) === false) ? { strength: 0, seen: 'all fine' } : undefined;
}

/** `cluster upgrade 1 is above 0` */
export function sayProbe(probe: Probe): string {
  const { name, value, above, below, why } = probe;
  if (isRed(probe) === undefined) return `${name} could not be read${why === undefined ? '' : `: ${why}`}`;
  const said = `${name} ${Number(value?.toPrecision(6))}`;
  if (above !== undefined && Number(value) > above) return `${said} is above ${above}`;
  return below !== undefined && Number(value) < below ? `${said} is below ${below}` : said;
}

export function lookAtTime({ localMinuteOfWeek: minute }: RiskSignals): Seen | undefined {
  if (minute === undefined || !(minute >= 0 && minute < 7 * DAY_MINUTES)) return undefined;
  const [day, time] = [Math.floor(minute / DAY_MINUTES), minute % DAY_MINUTES];
  if (day === FRIDAY && time >= FRIDAY_EVENING) return { strength: 1, seen: 'Friday evening' };
  if (day > FRIDAY) return { strength: 1, seen: 'weekend' };
  return flag(time < WORK_START || time >= WORK_END, 'out of hours', 'working hours');
}

export function lookAtFreeze({ hoursToFreeze }: RiskSignals): Seen | undefined {
  if (hoursToFreeze === 'none') return { strength: 0, seen: 'no freeze within a day' };
  return graded(
    hoursToFreeze,
    (hours) => 1 - hours / FREEZE_HOURS,
    (hours) => `${sayDuration(hours * 3_600_000)} until the freeze`,
  );
}

export function flag(raised: boolean | undefined, yes: string, no: string): Seen | undefined {
  return raised === undefined ? undefined : { strength: raised ? 1 : 0, seen: raised ? yes : no };
}

export function amount(value: number | undefined, strength: (n: number) => number, one: string, many = `${one}s`) {
  return graded(value, strength, (n) => count(n, one, many));
}

export function graded(
  value: number | undefined,
  strength: (value: number) => number,
  say: (value: number) => string,
): Seen | undefined {
  if (value === undefined || !Number.isFinite(value) || value < 0) return undefined;
  return { strength: unit(strength(value)), seen: say(value) };
}

/** `1 commit`, `7 commits` */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function unit(value: number): number {
  return Math.min(1, Math.max(0, value));
}
