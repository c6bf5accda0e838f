import { AdapterError } from '../../base/adapter-error.ts';
import type { MetricQuery, QueryVariables } from './metrics-source.ts';

/** Longer queries are refused by proxies long before a source would. */
const MAX_QUERY = 16_384;
/** What may stand in a query outside of quotes: numbers, durations, names. Nothing that is syntax. */
const BARE_VALUE = /^[A-Za-z0-9_:.-]+$/;
/** A dotted name is one only after `LABEL`: in `"$SERVICE.example.org"` the name ends at the dot. */
const PLACEHOLDER = /^\$(LABEL\.[A-Za-z0-9_]+(?:[./-][A-Za-z0-9_]+)*|[A-Za-z_][A-Za-z0-9_]*)/;

/** What must be known of a query language so that no value can change the structure of a query. */
export interface QueryLanguage {
  /** What opens a string or a comment; the first that fits counts, so longer ones come first. */
  quotes: readonly Quote[];
  /** A string right after one of these is a pattern: `=~`, `LIKE`. Words count in any case. */
  patternOperators?: readonly string[];
  /**
   * A value outside of quotes; `undefined`: it cannot stand there. Without this, only letters, digits
   * and `_:.-` can. A language with bind parameters collects the value and answers its parameter.
   */
  bare?(value: string, name: string): string | undefined;
}

export interface Quote {
  open: string;
  close: string;
  /** The character that takes its meaning from the next one, such as a backslash. */
  escape?: string;
  /** The closing quote, written twice, stands for itself. */
  doubled?: boolean;
  /** Opens only after a pattern operator: the `/` of InfluxQL divides elsewhere. */
  afterOperator?: boolean;
  /** What is inside means nothing, and a pattern operator before it still counts after it. */
  comment?: boolean;
  /**
   * The source text that stands for exactly this text, in a pattern (`operator`) for a pattern that
   * matches exactly this text. `undefined`: there is none. Without this, as outside of quotes.
   */
  fill?(value: string, operator: string | undefined): string | undefined;
}

/** Where in a query something stands. */
interface Context {
  inside: Quote | undefined;
  operator: string | undefined;
}

/**
 * Puts values for placeholders such as `$SERVICE` into a query. Inside quotes a value becomes exactly
 * that text, in a pattern a pattern that matches exactly that text; elsewhere only what is no syntax in
 * any language is accepted. Whatever the value, the structure of the query stays as it was written.
 *
 * @throws {AdapterError} `rejected`: an unknown placeholder, or a value that cannot stand there
 */
export function fillPlaceholders(query: string, variables: QueryVariables, language: QueryLanguage): string {
  if (query.length > MAX_QUERY) throw new AdapterError('rejected', `the query is longer than ${MAX_QUERY} characters`);
  let filled = '';
  let context: Context = { inside: undefined, operator: undefined };
  for (let at = 0; at < query.length; ) {
    const placeholder = query[at] === '$' ? placeholderAt(query.slice(at), variables) : undefined;
    if (placeholder !== undefined) {
      filled += toSource(placeholder, context, language);
      if (context.inside === undefined) context = OUTSIDE;
      at += placeholder.name.length + 1;
      continue;
    }
    const token = tokenAt(query, at, context, language);
    context = contextAfter(token, context);
    filled += token.text;
    at += token.text.length;
  }
  return filled;
}

/**
 * Puts values into text that has no syntax, such as a string of a parsed JSON document or a header.
 *
 * @throws {AdapterError} `rejected`: an unknown placeholder, or a value that is not valid text
 */
export function fillText(text: string, variables: QueryVariables): string {
  return fillPlaceholders(text, variables, PLAIN_TEXT);
}

const PLAIN_TEXT: QueryLanguage = { quotes: [], bare: (value) => value };
const OUTSIDE: Context = { inside: undefined, operator: undefined };

/** The period of a query, in milliseconds, and its variables with `$START`, `$END` and `$DURATION_SECONDS`. */
export interface Period {
  startMs: number;
  endMs: number;
  variables: QueryVariables;
}

/**
 * `$DURATION_SECONDS` carries its unit (`300s`), as in Keptn; `$START` and `$END` are ISO 8601. For a
 * series (`stepMs`), the duration is that of a step: a point looks at its own step.
 *
 * @throws {AdapterError} `rejected` when the period, or the step, is none
 */
export function periodOf({ start, end, variables }: MetricQuery, stepMs?: number): Period {
  const [startMs, endMs] = [Date.parse(start), Date.parse(end)];
  if (!(startMs <= endMs)) throw new AdapterError('rejected', 'the period of the query has no valid start and end');
  const span = stepMs ?? endMs - startMs;
  if (!(span >= 0) || stepMs === 0) throw new AdapterError('rejected', 'the step of the query is none');
  if (span > endMs - startMs) throw new AdapterError('rejected', 'the step is longer than the period');
  const period = {
    START: new Date(startMs).toISOString(),
    END: new Date(endMs).toISOString(),
    DURATION_SECONDS: `${Math.ceil(span / 1000)}s`,
  };
  // Who asks for points may have said before how long the whole period is.
  const step = stepMs === undefined ? {} : { DURATION_SECONDS: period.DURATION_SECONDS };
  return { startMs, endMs, variables: { ...period, ...variables, ...step } };
}

/** Makes a regex of exactly this text, as RE2's QuoteMeta does. */
export function escapeRegex(value: string): string {
  return value.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}

interface Token {
  text: string;
  opens?: Quote;
  closes?: boolean;
  operator?: string;
}

function tokenAt(query: string, at: number, { inside, operator }: Context, language: QueryLanguage): Token {
  if (inside !== undefined) return tokenInside(query, at, inside);
  const opens = language.quotes.find(
    (quote) => query.startsWith(quote.open, at) && (operator !== undefined || !quote.afterOperator),
  );
  if (opens !== undefined) return { text: opens.open, opens };
  const found = language.patternOperators?.find((one) => standsAt(query, at, one));
  if (found !== undefined) return { text: query.slice(at, at + found.length), operator: found };
  return { text: query.slice(at, at + 1) };
}

/** An escape, and a doubled quote, are one token each: neither ends the string. */
function tokenInside(query: string, at: number, { close, escape: mark, doubled }: Quote): Token {
  if (mark !== undefined && query.startsWith(mark, at)) return { text: query.slice(at, at + mark.length + 1) };
  if (!query.startsWith(close, at)) return { text: query.slice(at, at + 1) };
  if (doubled && query.startsWith(close, at + close.length)) return { text: close + close };
  return { text: close, closes: true };
}

/** An operator that is a word is not part of a longer one. */
function standsAt(query: string, at: number, operator: string): boolean {
  const text = query.slice(at, at + operator.length);
  if (!/^\w/.test(operator)) return text === operator;
  const around = `${query.slice(Math.max(0, at - 1), at)} ${query.slice(at + operator.length, at + operator.length + 1)}`;
  return text.toUpperCase() === operator.toUpperCase() && !/\w/.test(around);
}

function contextAfter(token: Token, context: Context): Context {
  const { inside, operator } = context;
  if (inside !== undefined) return token.closes ? { inside: undefined, operator: kept(inside, operator) } : context;
  if (token.opens !== undefined) return { inside: token.opens, operator };
  if (token.operator !== undefined) return { inside: undefined, operator: token.operator };
  return /^\s$/.test(token.text) ? context : OUTSIDE;
}

function kept(quote: Quote, operator: string | undefined): string | undefined {
  return quote.comment ? operator : undefined;
}

function placeholderAt(rest: string, variables: QueryVariables): { name: string; value: string } | undefined {
  const written = PLACEHOLDER.exec(rest)?.[1];
  if (written === undefined) return undefined;
  // `$LABEL.team-x` may be the label `team` before `-x`: the longest name that is known counts.
  for (let name = written; name !== ''; name = name.replace(/(?:^|[./-])[^./-]*$/, '')) {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (value !== undefined) return { name, value };
  }
  throw new AdapterError(
    'rejected',
    `the query has an unknown placeholder $${written.slice(0, 60)}; ${sayKnown(variables)}`,
  );
}

function sayKnown(variables: QueryVariables): string {
  const names = Object.keys(variables).sort().slice(0, 30);
  return names.length === 0 ? 'none are known here' : `known: ${names.map((name) => `$${name}`).join(', ')}`;
}

function toSource(
  { name, value }: { name: string; value: string },
  { inside, operator }: Context,
  language: QueryLanguage,
): string {
  if (!value.isWellFormed()) throw new AdapterError('rejected', `the value of $${name} is not valid text`);
  const quoted = inside?.fill !== undefined;
  const text = quoted ? inside.fill?.(value, operator) : bare(value, name, inside, language);
  if (text !== undefined) return text;
  const why = quoted ? 'has characters that cannot be written there' : 'can only stand inside quotes in a query';
  throw new AdapterError('rejected', `the value of $${name} ${why}`);
}

function bare(value: string, name: string, inside: Quote | undefined, language: QueryLanguage): string | undefined {
  if (inside === undefined && language.bare !== undefined) return language.bare(value, name);
  return BARE_VALUE.test(value) ? value : undefined;
}
