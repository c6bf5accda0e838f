import { withUnit } from './number.ts';

/** A criterion as people read it: `≤ +10 %`. */
export function sayCriterion(criterion: string): string {
  return criterion
    .replace(/^\s*(<=|>=|<|>|=)\s*/, (_, sign: string) => `${SIGNS[sign] ?? sign} `)
    .replaceAll(/(\d)\s*%/g, '$1 %')
    .trim();
}

const SIGNS: Readonly<Record<string, string>> = { '<=': '≤', '>=': '≥' };

export function sayCriteria(criteria: readonly string[]): string {
  return criteria.map(sayCriterion).join(', ');
}

/** `−12.1 %`: a share as a change. */
export function sayRelative(share: number): string {
  const percent = Math.round(Math.abs(share) * 1000) / 10;
  return `${percent === 0 ? '±' : share < 0 ? '−' : '+'}${percent} %`;
}

/** `−290 rps`. */
export function sayChange(change: number, unit: string | undefined): string {
  return `${change < 0 ? '−' : '+'}${withUnit(Math.abs(change), unit)}`;
}

/** Rounded down: what does not pass must not read as if it did. */
export function sayScoreShort(score: number): string {
  return String(Math.floor(score));
}

export function sayScoreExactly(score: number): string {
  return String(Math.floor(score * 100) / 100);
}
