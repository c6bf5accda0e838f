import { Refusal } from './problem.ts';

/** @throws {Refusal} naming the key and the limits */
export function wholeNumber(value: unknown, name: string, fallback: number, least: number, most: number): number {
  if (value === undefined || value === '') return fallback;
  const number = Number(value);
  if (!Number.isInteger(number) || number < least || number > most) {
    throw new Refusal(400, 'invalid-request', `${name}: must be a whole number from ${least} to ${most}`);
  }
  return number;
}
