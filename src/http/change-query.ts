import type { State } from '../answers/change-row.ts';
import { type BoardQuery, momentIn } from '../runtime/board-query.ts';
import { positionIn } from '../runtime/change-board.ts';
import { Refusal } from './problem.ts';

const MAX_PAGE = 200;
const MAX_CHARS = 200;
const MAX_VALUES = 50;

const STATES: Readonly<Record<State, true>> = {
  idle: true,
  queued: true,
  running: true,
  waiting: true,
  passed: true,
  warning: true,
  failed: true,
  skipped: true,
  superseded: true,
  unknown: true,
};
const KINDS = ['code', 'config', 'rollback'] as const;
const NAMES = ['stage', 'team', 'author', 'project', 'service', 'ring', 'cluster'] as const;

type Query = Readonly<Record<string, unknown>>;

/**
 * The filters of a list as an address has them: repeated keys are alternatives, unknown keys are left alone, empty values
 * are no filter.
 *
 * @throws {Refusal} naming the key and what would be right
 */
export function parseBoardQuery(query: Query, now: Date): BoardQuery {
  const q = single(query, 'q');
  const needs = single(query, 'needs');
  if (needs !== undefined && needs !== 'me') throw wrong('needs', 'must be me');
  const since = single(query, 'since');
  if (since !== undefined && momentIn(since, now) === undefined)
    throw wrong('since', 'must be a duration such as 7d or 12h, or a date such as 2026-11-01');
  const cursor = single(query, 'cursor');
  if (cursor !== undefined) checkCursor(cursor);
  const limit = wholeNumber(single(query, 'limit'), 'limit', 1, MAX_PAGE);
  return {
    ...Object.fromEntries(NAMES.map((name) => [name, several(query, name)])),
    state: oneOf('state', several(query, 'state'), Object.keys(STATES)),
    kind: oneOf('kind', several(query, 'kind'), KINDS),
    ...(isSet(query, 'mine') ? { mine: true } : {}),
    ...(q === undefined ? {} : { q }),
    ...(needs === undefined ? {} : { needs }),
    ...(since === undefined ? {} : { since }),
    ...(cursor === undefined ? {} : { cursor }),
    ...(limit === undefined ? {} : { limit }),
  };
}

/** `?mine`, `?mine=1` and `?mine=true` are the same. */
export function isSet(query: Query, name: string): boolean {
  const value = query[name];
  if (value === undefined || value === '0' || value === 'false') return false;
  if (value === '' || value === '1' || value === 'true') return true;
  throw wrong(name, 'must be 1 or 0');
}

function single(query: Query, name: string): string | undefined {
  const values = several(query, name);
  if (values.length > 1) throw wrong(name, 'may be given once');
  return values[0];
}

function several(query: Query, name: string): string[] {
  const value = query[name];
  const all = value === undefined ? [] : Array.isArray(value) ? value : [value];
  const texts = all.map((one) => {
    if (typeof one !== 'string') throw wrong(name, 'must be a text');
    if (one.length > MAX_CHARS) throw wrong(name, `at most ${MAX_CHARS} characters`);
    return one.trim();
  });
  if (texts.length > MAX_VALUES) throw wrong(name, `at most ${MAX_VALUES} values`);
  return [...new Set(texts.filter((text) => text !== ''))];
}

function oneOf(name: string, values: string[], allowed: readonly string[]): string[] {
  if (!values.every((value) => allowed.includes(value))) throw wrong(name, `must be one of ${allowed.join(', ')}`);
  return values;
}

function checkCursor(cursor: string): void {
  try {
    positionIn(cursor);
  } catch (error) {
    throw wrong('cursor', error instanceof Error ? error.message : 'take it from the page before');
  }
}

function wholeNumber(text: string | undefined, name: string, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!Number.isInteger(number) || number < least || number > most)
    throw wrong(name, `must be a whole number from ${least} to ${most}`);
  return number;
}

function wrong(name: string, what: string): Refusal {
  return new Refusal(400, 'invalid-request', `${name}: ${what}`);
}
