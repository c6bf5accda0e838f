import { sayDuration } from '../base/duration.ts';
import type { ErrorBudgetPolicy } from '../definitions/delivery-budget.ts';
import type { BudgetFigures, Burn } from './budget-figures.ts';
import type { BurnLimit } from './budget-objective.ts';
import type { BurnPair } from './budget-pairs.ts';

export interface BurnFinding {
  answer: 'deny' | 'needs-approval' | 'pass' | 'unknown';
  reason: string;
  /** Nothing is known of a window that matters. */
  missing?: true;
}

type Policy = Pick<ErrorBudgetPolicy, 'maximumBurnRate' | 'minimumEvents'>;

/**
 * Holds the burn rates against the policy's own limits, and against pairs of windows: fast on both
 * windows of a pair is too fast, and the last pair's long window alone asks for an approval.
 */
export function judgeBurns(policy: Policy, figures: BudgetFigures, pairs: readonly BurnPair[]): BurnFinding[] {
  return [
    ...policy.maximumBurnRate.map((limit) => judgeLimit(policy, figures, limit)),
    ...pairs.map((pair) => judgePair(policy, figures, pair)),
  ];
}

function judgeLimit(
  policy: Policy,
  figures: BudgetFigures,
  { windowMs, factor, answer = 'deny' }: BurnLimit,
): BurnFinding {
  const burn = figures.burns.find((each) => each.windowMs === windowMs);
  if (burn === undefined) return unknown(figures, [windowMs]);
  const speed = speedOf(policy, burn, factor);
  const said = sayBurn(burn);
  if (speed === 'slow') return { answer: 'pass', reason: `${said} (limit ${factor})` };
  if (speed === 'few') return { answer: 'pass', reason: sayFew(policy, burn) };
  if (speed === 'doubtful') return { answer: 'needs-approval', reason: sayDoubt(burn, factor) };
  return { answer, reason: `${said}, at most ${factor} is accepted` };
}

function judgePair(policy: Policy, figures: BudgetFigures, { factor, longMs, shortMs, answer }: BurnPair): BurnFinding {
  const long = figures.burns.find(({ windowMs }) => windowMs === longMs);
  const short = figures.burns.find(({ windowMs }) => windowMs === shortMs);
  const needed = factor <= 1 ? [long] : [long, short];
  const speeds = needed.map((burn) => (burn === undefined ? 'unknown' : speedOf(policy, burn, factor)));
  const limits = `limit ${factor} over ${sayDuration(longMs)}${factor <= 1 ? '' : ` and ${sayDuration(shortMs)}`}`;
  // One slow window is enough to know that the two are not both fast.
  const slow = needed.find((burn, at) => burn !== undefined && speeds[at] === 'slow');
  if (slow !== undefined) return { answer: 'pass', reason: `${sayBurn(slow)} (${limits})` };
  const few = needed.find((burn, at) => burn !== undefined && speeds[at] === 'few');
  if (few !== undefined) return { answer: 'pass', reason: sayFew(policy, few) };
  if (speeds.includes('unknown') || long === undefined)
    return unknown(figures, factor <= 1 ? [longMs] : [longMs, shortMs]);
  if (speeds.includes('doubtful')) return { answer: 'needs-approval', reason: sayDoubt(long, factor) };
  const verdict = answer === 'deny' ? '' : ': a person must agree';
  return { answer, reason: `${sayBurn(long)}, ${limits}${verdict}` };
}

function speedOf({ minimumEvents = 0 }: Policy, burn: Burn, factor: number): 'slow' | 'fast' | 'doubtful' | 'few' {
  if (burn.rate <= factor) return 'slow';
  if (burn.events !== undefined && burn.events < minimumEvents) return 'few';
  return burn.atLeast > factor ? 'fast' : 'doubtful';
}

function unknown(figures: BudgetFigures, windows: readonly number[]): BurnFinding {
  const missing = figures.missing.find(({ windowMs }) => windows.includes(windowMs));
  const reason = missing?.message ?? `the burn over ${windows.map(sayDuration).join(' and ')} was not read`;
  return { answer: 'unknown', reason, missing: true };
}

function sayBurn({ windowMs, rate }: Burn): string {
  return `the budget burns ${round(rate)} times as fast as allowed over ${sayDuration(windowMs)}`;
}

function sayFew({ minimumEvents = 0 }: Policy, { windowMs, events = 0 }: Burn): string {
  return `${Math.round(events)} events in ${sayDuration(windowMs)} are too few to judge a burn (at least ${minimumEvents})`;
}

function sayDoubt(burn: Burn, factor: number): string {
  const events = Math.round(burn.events ?? 0);
  return `${sayBurn(burn)}, at most ${factor} is accepted; of ${events} events only, it may be ${round(burn.atLeast)}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
