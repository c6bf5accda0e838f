/** A score of 0..100 as people read it; decisions are made on the exact value. */
export function sayScore(score: number): string {
  return String(Math.round(score * 10) / 10);
}

/** For people: four significant digits. Decisions are made on the exact value. */
export function sayNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

/** `2,400 rps`; without a unit the number alone. */
export function withUnit(value: number, unit: string | undefined): string {
  return unit === undefined ? sayNumber(value) : `${sayNumber(value)} ${unit}`;
}

/** `1,250`. */
export function sayWhole(count: number): string {
  return count.toLocaleString('en-GB', { maximumFractionDigits: 0 });
}

/** `1,250 services`, `1 service`. */
export function sayCount(count: number, what: string): string {
  return `${sayWhole(count)} ${what}${count === 1 ? '' : 's'}`;
}
