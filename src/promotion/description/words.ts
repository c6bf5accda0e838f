import type { CheckAnswer } from '../../engine/check.ts';
import { inline } from '../markdown.ts';

export const MAX_NAME = 80;
export const MAX_LINE = 160;
export const MAX_REASON = 240;

/** A name of a stage, a service or a person, for the text of a pull request. */
export function name(text: string): string {
  return inline(text, MAX_NAME);
}

/** The beginning of a commit's name; never anything else. */
export function hex(sha: string): string {
  return /^[0-9a-f]{7,64}$/.test(sha) ? sha.slice(0, 7) : 'unknown';
}

/** Never rounded up: 89.96 of the 90 that are needed is no 90. */
export function score(value: number): string {
  return Number.isFinite(value) ? String(Math.floor(value * 10) / 10) : 'unknown';
}

export function number(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(6))) : 'no number';
}

export function sign(points: number): string {
  const text = Number.isFinite(points) ? points.toFixed(1) : 'no number';
  return points > 0 ? `+${text}` : text;
}

/** `2026-11-21 18:05 UTC`: a text that is written once says no "in an hour". */
export function moment(at: string): string {
  const time = Date.parse(at);
  return Number.isNaN(time) ? 'at no known time' : `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** `2 h 5 min`, never more than two units. */
export function lasting(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return 'unknown';
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return 'less than a minute';
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60)];
  if (days > 0) return `${days} d${hours > 0 ? ` ${hours} h` : ''}`;
  return hours > 0 ? `${hours} h${minutes % 60 > 0 ? ` ${minutes % 60} min` : ''}` : `${minutes} min`;
}

/** The line below a list that says how much of it is not shown. */
export function more(count: number, what: string, asRow = false): string[] {
  if (count <= 0) return [];
  const words = `and ${count} more ${what}${count === 1 ? '' : 's'}`;
  return asRow ? ['', words] : [`- ${words}`];
}

/** Hidden until somebody opens it. Hosts that know no such thing show it open. */
export function folded(title: string, lines: readonly string[]): string[] {
  return ['<details>', `<summary>${title}</summary>`, '', ...lines, '', '</details>'];
}

const ANSWERS: Readonly<Record<CheckAnswer['answer'], string>> = {
  pass: 'Pass.',
  'needs-approval': 'A person must agree.',
  deny: 'Denied.',
  unknown: 'Could not be judged.',
};

export function sayAnswer(answer: CheckAnswer['answer']): string {
  return ANSWERS[answer];
}

export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
