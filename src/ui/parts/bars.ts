import type { Odds, Quant } from '../../answers/change-row.ts';
import { sayDuration } from '../../base/duration.ts';
import { type Html, html } from '../html.ts';

const WIDTH = 80;
const EDGE = 4;

/** Where a share of 0..1 lies on a bar, in its units. */
function place(share: number): number {
  const within = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0));
  return Math.round((EDGE + within * (WIDTH - 2 * EDGE)) * 10) / 10;
}

/** Dot: the middle. Thick: the range that 8 of 10 land in. */
function bar(low: number, middle: number, high: number, label: string): Html {
  const [from, to] = [place(low), place(high)];
  return html`<svg class="bar" viewBox="0 0 ${WIDTH} 12" role="img" aria-label="${label}"><path d="M${from} 6H${to}"/><circle cx="${place(middle)}" cy="6" r="4"/></svg>`;
}

/** How long: `longest` (seconds) is where the bar ends; a little beyond the slowest of ten unless told. */
export function rangeBar({ p10, p50, p90, n }: Quant, longest: number = p90 * 1.15): Html {
  const whole = Math.max(longest, 1);
  const label = `Middle ${say(p50)}, 8 of 10 between ${say(p10)} and ${say(p90)}, known from ${n} runs`;
  return bar(p10 / whole, p50 / whole, p90 / whole, label);
}

/** How likely, from 0 to 100 %. */
export function oddsBar({ p, lo, hi, n }: Odds): Html {
  return bar(lo, p, hi, `${percent(p)} % likely, between ${percent(lo)} and ${percent(hi)} %, known from ${n} runs`);
}

function say(seconds: number): string {
  return sayDuration(Math.max(0, seconds) * 1000);
}

function percent(share: number): number {
  return Math.round(share * 100);
}
