import type { Reading } from './metrics-source.ts';
import { noData, notANumber } from './missing.ts';

/** How systems write numbers. */
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const NOT_FINITE = /^(?:NaN|[+-]?Inf(?:inity)?)$/i;

/** A number that came as text; empty text is no data. */
export function readText(text: string): Reading {
  if (text === '') return noData();
  if (NOT_FINITE.test(text)) return notANumber(text);
  if (!NUMBER.test(text)) return notNumeric(`the text ${JSON.stringify(text.slice(0, 60))}`);
  const value = Number(text);
  return Number.isFinite(value) ? { ok: true, value } : notANumber(text.slice(0, 20));
}

/** A number as JSON has it; `null` is no data. Text is none, unless it says that there is no number. */
export function readJson(value: unknown): Reading {
  if (value === null || value === undefined) return noData();
  if (typeof value === 'number') return Number.isFinite(value) ? { ok: true, value } : notANumber(String(value));
  if (typeof value === 'string' && NOT_FINITE.test(value)) return notANumber(value);
  return notNumeric(typeof value === 'string' ? 'a text' : `a value of the type ${typeof value}`);
}

export function notNumeric(what: string): Extract<Reading, { ok: false }> {
  return { ok: false, missing: 'not-numeric', message: `the query gives ${what}, not one number` };
}
