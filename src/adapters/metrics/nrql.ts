import { AdapterError } from '../../base/adapter-error.ts';
import type { QueryVariables } from './metrics-source.ts';
import { escapeRegex, fillPlaceholders, type QueryLanguage } from './placeholders.ts';

/** NRQL strings stand in single quotes; how to escape one inside is not documented, so it cannot be in a value. */
export const NRQL: QueryLanguage = {
  quotes: [
    { open: "r'", close: "'", fill: inRawString },
    { open: "'", close: "'", escape: '\\', fill: inString },
    { open: '`', close: '`' },
    { open: '--', close: '\n', comment: true },
    { open: '//', close: '\n', comment: true },
    { open: '/*', close: '*/', comment: true },
  ],
  patternOperators: ['LIKE', 'RLIKE'],
};
/** Strings, quoted names and comments: words in there are no clauses. */
const NO_CLAUSES = /'(?:\\[\s\S]|[^'\\])*'|`[^`]*`|--[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

/**
 * The query for a period: values put in, and the period (and step) added at its end, where neither a
 * comment nor a value can swallow it.
 *
 * @throws {AdapterError} `rejected` when the query has a period of its own, or a value cannot stand in it
 */
export function toNrql(
  text: string,
  variables: QueryVariables,
  { startMs, endMs, stepMs }: { startMs: number; endMs: number; stepMs?: number },
): string {
  const clauses = text.replace(NO_CLAUSES, ' ');
  const own = /\b(SINCE|UNTIL|TIMESERIES|COMPARE)\b/i.exec(clauses)?.[1];
  if (own !== undefined) {
    throw new AdapterError(
      'rejected',
      `leave ${own.toUpperCase()} out of the query: the period of the evaluation is added`,
    );
  }
  const step = stepMs === undefined ? '' : ` TIMESERIES ${stepMs / 1000} seconds`;
  return `${fillPlaceholders(text, variables, NRQL)}\nSINCE ${startMs} UNTIL ${endMs}${step}`;
}

function inString(value: string, operator: string | undefined): string | undefined {
  const syntax = operator === undefined ? /['\\\p{Cc}]/u : operator === 'LIKE' ? /['\\%_\p{Cc}]/u : /[^A-Za-z0-9_: -]/;
  return syntax.test(value) ? undefined : value;
}

function inRawString(value: string, operator: string | undefined): string | undefined {
  if (/['\p{Cc}]/u.test(value)) return undefined;
  return operator === 'RLIKE' ? escapeRegex(value) : inString(value, operator);
}
