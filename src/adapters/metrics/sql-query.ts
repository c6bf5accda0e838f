import { AdapterError } from '../../base/adapter-error.ts';
import type { QueryVariables } from './metrics-source.ts';
import { fillPlaceholders, type QueryLanguage, type Quote } from './placeholders.ts';

/** A statement whose values travel beside it: `$1` is the first of `values`. */
export interface BoundQuery {
  text: string;
  values: string[];
}

/**
 * Makes bind parameters of placeholders: a value is never part of the statement. At most two rows are asked
 * for, which is enough to see that there is not exactly one.
 *
 * @throws {AdapterError} `rejected`: not a question, a placeholder in quotes, or an unknown one
 */
export function bindQuery(query: string, variables: QueryVariables): BoundQuery {
  const statement = query.trim().replace(/;\s*$/, '');
  const asks = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/|\()*(?:select|with|values)\b/i.test(statement);
  if (!asks) throw new AdapterError('rejected', 'the query must be one SELECT');
  if (/\$\d/.test(statement)) {
    throw new AdapterError(
      'rejected',
      'the query has a numbered parameter: write placeholders by name, such as $SERVICE',
    );
  }
  const values: string[] = [];
  const positions = new Map<string, number>();
  const language: QueryLanguage = {
    quotes: QUOTES,
    bare(value, name) {
      if (value.includes('\u0000'))
        throw new AdapterError('rejected', `the value of $${name} has a character that no text has`);
      const position = positions.get(name) ?? values.push(value);
      positions.set(name, position);
      return `$${position}`;
    },
  };
  const text = fillPlaceholders(statement, variables, language);
  // On a line of its own: the statement may end with a comment.
  return { text: `select * from (${text}\n) as answer limit 2`, values };
}

/** https://www.postgresql.org/docs/15/sql-syntax-lexical.html; in none of them can a parameter stand. */
const QUOTES: readonly Quote[] = [
  { open: "E'", close: "'", escape: '\\', doubled: true, fill: inQuotes },
  { open: "e'", close: "'", escape: '\\', doubled: true, fill: inQuotes },
  { open: "'", close: "'", doubled: true, fill: inQuotes },
  { open: '"', close: '"', doubled: true, fill: inQuotes },
  { open: '$$', close: '$$', fill: inQuotes },
  { open: '--', close: '\n', comment: true, fill: inQuotes },
  { open: '/*', close: '*/', comment: true, fill: inQuotes },
];

function inQuotes(): never {
  throw new AdapterError(
    'rejected',
    'a placeholder stands in quotes or in a comment: write it without, as in service = $SERVICE',
  );
}
