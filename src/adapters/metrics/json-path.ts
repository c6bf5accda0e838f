import { JSONPathEnvironment, type JSONPathQuery } from 'json-p3';
import { AdapterError } from '../../base/adapter-error.ts';
import type { Json } from '../../base/json.ts';
import type { QueryVariables, Reading } from './metrics-source.ts';
import { noData, severalValues } from './missing.ts';
import { readJson } from './numbers.ts';
import { fillPlaceholders, type QueryLanguage } from './placeholders.ts';

const MAX_PATH = 500;
/** Enough to say that there are several. */
const MAX_NODES = 4;
const STRING = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/gs;

/** JSONPath (RFC 9535) without its regular expressions, which can be made to run for hours. */
const environment = new JSONPathEnvironment();
environment.functionRegister.delete('match');
environment.functionRegister.delete('search');

const JSONPATH: QueryLanguage = {
  quotes: ["'", '"'].map((quote) => ({ open: quote, close: quote, escape: '\\', fill: inString })),
};

/** A path that picks one number out of a JSON document. */
export type NumberPath = (document: Json) => Reading;

/**
 * Compiles a JSONPath. What could visit a document more than once for each of its levels is refused: two
 * `..`, several selectors in one bracket, and a filter that looks at the whole document.
 *
 * @throws {AdapterError} `rejected` when it is none, or has an unknown placeholder
 */
export function compileNumberPath(path: string, variables: QueryVariables): NumberPath {
  const filled = fillPlaceholders(path, variables, JSONPATH);
  if (filled.length > MAX_PATH)
    throw new AdapterError('rejected', `the JSONPath is longer than ${MAX_PATH} characters`);
  refuseExpensive(filled.replace(STRING, "''"));
  const compiled = compile(filled);
  return (document) => {
    const found: Json[] = [];
    try {
      for (const node of compiled.lazyQuery(document)) {
        found.push(node.value as Json);
        if (found.length === MAX_NODES) break;
      }
    } catch {
      throw new AdapterError('bad-response', 'the answer is nested too deeply for the JSONPath');
    }
    return toReading(found);
  };
}

function refuseExpensive(path: string): void {
  const [outside = '', ...filters] = path.split('?');
  const doubtful = filters.some((filter) => filter.includes('..') || filter.includes('$'));
  if (!doubtful && !path.includes(',') && (outside.match(/\.\./g)?.length ?? 0) <= 1) return;
  const allowed = 'one "..", one selector in brackets, and filters of what is right there';
  throw new AdapterError('rejected', `the JSONPath could look at too much: it may have ${allowed}`);
}

function compile(path: string): JSONPathQuery {
  try {
    return environment.compile(path);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/\s+/g, ' ').slice(0, 200) : '';
    throw new AdapterError('rejected', `${JSON.stringify(path.slice(0, 100))} is not a JSONPath that is taken: ${why}`);
  }
}

function toReading(found: readonly Json[]): Reading {
  const [only, second] = found;
  if (only === undefined) return noData('nothing in the answer is where the JSONPath looks');
  if (second === undefined) return readJson(only);
  const named = found.map((one) => JSON.stringify(one));
  const count = found.length < MAX_NODES ? String(found.length) : `${MAX_NODES} or more`;
  return { ...severalValues('values', named, 'pick one'), message: `the JSONPath picks ${count} values: pick one` };
}

/** RFC 9535, 2.3.1.1; the library takes no control characters, however they are written. */
function inString(value: string): string | undefined {
  if (/\p{Cc}/u.test(value)) return undefined;
  return value.replace(/[\\'"]/g, (character) => {
    return character === '\\' ? '\\\\' : `\\u00${character.charCodeAt(0).toString(16)}`;
  });
}
