import { AdapterError } from '../../base/adapter-error.ts';
import type { QueryVariables } from './metrics-source.ts';
import { escapeRegex, fillPlaceholders, type QueryLanguage } from './placeholders.ts';

/** https://docs.influxdata.com/flux/v0/spec/lexical-elements/; after these a `/` begins a regex. */
const FLUX: QueryLanguage = {
  quotes: [
    { open: '"', close: '"', escape: '\\', fill: inFluxString },
    { open: '//', close: '\n', comment: true },
    { open: '/', close: '/', escape: '\\', afterOperator: true, fill: inRegex },
  ],
  patternOperators: ['=~', '!~', ':', '(', ',', '['],
};

/** https://docs.influxdata.com/influxdb/v1/query_language/spec/#literals */
export const INFLUXQL: QueryLanguage = {
  quotes: [
    { open: "'", close: "'", escape: '\\', fill: inInfluxqlString },
    { open: '"', close: '"', escape: '\\', fill: inInfluxqlString },
    { open: '--', close: '\n', comment: true },
    { open: '/*', close: '*/', comment: true },
    { open: '/', close: '/', escape: '\\', afterOperator: true, fill: inRegex },
  ],
  patternOperators: ['=~', '!~', '(', ',', 'SELECT', 'FROM', 'BY'],
};

/**
 * Fills a Flux query. An expression inside a string (`"${x}"`) is refused: quotes in it would make text
 * of what is code, and the other way round.
 *
 * @throws {AdapterError} `rejected`
 */
export function fillFlux(query: string, variables: QueryVariables): string {
  if (query.includes('${'))
    throw new AdapterError('rejected', 'the query has "${": put strings together with + instead');
  return fillPlaceholders(query, variables, FLUX);
}

/** `$` as well: before a brace it would begin an expression. */
function inFluxString(value: string): string {
  return value.replace(/[\\"$\p{Cc}]/gu, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : character;
  });
}

/** Other control characters have no escape, and NUL ends the query. */
function inInfluxqlString(value: string): string | undefined {
  const text = value.replace(/[\\'"]/g, '\\$&').replaceAll('\n', '\\n');
  return /\p{Cc}/u.test(text) ? undefined : text;
}

function inRegex(value: string): string | undefined {
  return /[\p{Cc}\u2028\u2029]/u.test(value) ? undefined : escapeRegex(value).replaceAll('/', '\\/');
}
