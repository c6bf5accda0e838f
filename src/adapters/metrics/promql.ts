import { AdapterError } from '../../base/adapter-error.ts';
import type { QueryVariables } from './metrics-source.ts';

/** Longer queries are refused by proxies long before Prometheus would. */
const MAX_QUERY = 16_384;
/** What may stand in a query outside of quotes: numbers, durations, names. Nothing that is syntax. */
const BARE_VALUE = /^[A-Za-z0-9_:.-]+$/;
/** A dotted name is one only after `LABEL`: in `"$SERVICE.example.org"` the name ends at the dot. */
const PLACEHOLDER = /^\$(LABEL\.[A-Za-z0-9_]+(?:[./-][A-Za-z0-9_]+)*|[A-Za-z_][A-Za-z0-9_]*)/;

/** Where in a query a placeholder stands, which decides how its value is made safe. */
interface Context {
  /** `"`, `'` and a backtick open a string that ends with the same; `#` a comment that ends with the line. */
  inside: '"' | "'" | '`' | '#' | undefined;
  /** The string is, or the next one will be, the right side of `=~` or `!~`. */
  regex: boolean;
}

/**
 * Puts values for placeholders such as `$SERVICE` into a PromQL query. Inside quotes a value becomes
 * exactly that text, in a regex matcher (`=~`, `!~`) a regex that matches exactly that text; outside
 * of quotes, in backticks and in comments only letters, digits and `_:.-` are accepted. Whatever the
 * value, the structure of the query stays as it was written.
 *
 * @throws {AdapterError} `rejected`: an unknown placeholder, or a value that cannot stand there
 */
export function fillPlaceholders(query: string, variables: QueryVariables): string {
  if (query.length > MAX_QUERY) throw new AdapterError('rejected', `the query is longer than ${MAX_QUERY} characters`);
  let filled = '';
  let context: Context = { inside: undefined, regex: false };
  for (let at = 0; at < query.length; ) {
    const placeholder = query[at] === '$' ? placeholderAt(query.slice(at), variables) : undefined;
    if (placeholder !== undefined) {
      filled += toSource(placeholder.name, placeholder.value, context);
      at += placeholder.name.length + 1;
      continue;
    }
    const token = tokenAt(query, at, context);
    context = contextAfter(token, context);
    filled += token;
    at += token.length;
  }
  return filled;
}

/** An escape and a regex operator are one token each. */
function tokenAt(query: string, at: number, { inside }: Context): string {
  const pair = query.slice(at, at + 2);
  const isEscape = (inside === '"' || inside === "'") && pair.startsWith('\\');
  const isOperator = inside === undefined && (pair === '=~' || pair === '!~');
  return isEscape || isOperator ? pair : pair.slice(0, 1);
}

function contextAfter(token: string, context: Context): Context {
  const { inside, regex } = context;
  if (inside === '#') return token === '\n' ? { inside: undefined, regex } : context;
  if (inside !== undefined) return token === inside ? { inside: undefined, regex: false } : context;
  if (token === '"' || token === "'" || token === '`' || token === '#') return { inside: token, regex };
  return /^\s$/.test(token) ? context : { inside: undefined, regex: token === '=~' || token === '!~' };
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

function toSource(name: string, value: string, context: Context): string {
  if (context.inside !== '"' && context.inside !== "'") {
    if (BARE_VALUE.test(value)) return value;
    throw new AdapterError('rejected', `the value of $${name} can only stand inside quotes in a query`);
  }
  if (!value.isWellFormed()) throw new AdapterError('rejected', `the value of $${name} is not valid text`);
  return escapeString(context.regex ? escapeRegex(value) : value);
}

/** As RE2's QuoteMeta does. */
function escapeRegex(value: string): string {
  return value.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}

/** PromQL strings follow Go: both quotes may be escaped only inside their own kind, so use code points. */
function escapeString(value: string): string {
  return value.replace(/[\\"'\p{Cc}\u2028\u2029]/gu, (character) => {
    if (character === '\\') return '\\\\';
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}
