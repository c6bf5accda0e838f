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
