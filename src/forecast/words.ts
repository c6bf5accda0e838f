import type { Basis, Quant } from './quant.ts';

const MINUTE = 60;
const HOUR = 3600;
const DAY = 24 * HOUR;
/** Up to here minutes are easier to read. */
const MINUTES_UP_TO = 3 * HOUR;

/** To the minute below 10, to 5 minutes below an hour, to 15 above. */
export function roundedMinutes(seconds: number): number {
  const minutes = seconds / MINUTE;
  const step = minutes < 10 ? 1 : minutes < 60 ? 5 : 15;
  return Math.round(minutes / step) * step;
}

/** `under 1 min`, `7 min`, `2 h 15 min`, `3 days`. */
export function sayRounded(seconds: number): string {
  const minutes = roundedMinutes(seconds);
  if (minutes < 1) return 'under 1 min';
  if (seconds >= 2 * DAY) return `${Math.round(seconds / DAY)} days`;
  if (minutes < 120) return `${minutes} min`;
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}

/** `~50 min (20–135)`: the middle with its 80 % range. */
export function sayQuant({ p10, p50, p90 }: Pick<Quant, 'p10' | 'p50' | 'p90'>): string {
  const inMinutes = p90 < MINUTES_UP_TO;
  const [low, middle, high] = [p10, p50, p90].map(roundedMinutes) as [number, number, number];
  if (inMinutes && high < 1) return 'under 1 min';
  const range = inMinutes ? `${low}–${high}` : `${sayRounded(p10)}–${sayRounded(p90)}`;
  const about = middle < 1 ? 'under 1 min' : `~${inMinutes ? `${middle} min` : sayRounded(p50)}`;
  return `${about} (${range})`;
}

/** A share of 0..1 in percent: never certain, and to 5 where the range is wider than 20 points. */
export function percent(share: number, coarse: boolean): number {
  const whole = Math.round(share * 100);
  return Math.min(99, Math.max(1, coarse ? Math.round(whole / 5) * 5 : whole));
}

/** `88 % (71–95, 34 runs)`; whose, where they are not the service's own. */
export function sayOdds({ p, lo, hi, n, basis }: { p: number; lo: number; hi: number; n: number; basis: Basis }) {
  const coarse = Math.round(hi * 100) - Math.round(lo * 100) > 20;
  const [middle, low, high] = [p, lo, hi].map((share) => percent(share, coarse));
  return `${middle} % (${low}–${high}, ${sayRuns(n)}${OF[basis]})`;
}

const OF: Readonly<Record<Basis, string>> = { service: '', team: ' of the team', all: ' of all services' };

export function sayRuns(n: number): string {
  return `${n} ${n === 1 ? 'run' : 'runs'}`;
}

/** Whose median it is, where the service has too little history of its own. */
export function sayMedian(basis: Basis): string {
  if (basis === 'service') return '';
  return basis === 'team' ? 'team median ' : 'median of all services ';
}
