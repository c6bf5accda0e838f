import sax from 'sax';
import type { AdapterError } from '../../../base/adapter-error.ts';
import { badReport, figuresOf, type Report } from './report.ts';

/** Deeper than any report; a document that nests further is an attack. */
const MAX_DEPTH = 64;
/** Only the five entities of XML itself. */
const OPTIONS = { strictEntities: true, position: true };
type Outcome = 'failure' | 'error' | 'skipped';

interface Seen {
  tests: number;
  failure: number;
  error: number;
  skipped: number;
  seconds: number;
  /** Elements that say a failure or an error; a test may have several. */
  shown: number;
  /** What the outermost suites say of themselves. */
  claimed: { tests: number; failures: number };
  /** How deep the suite is that said so last; those inside it say the same again. */
  claimDepth: number;
  path: string[];
  outcome: Outcome | undefined;
}

/**
 * JUnit XML as Surefire, pytest, vitest and the like write it
 * (https://github.com/testmoapp/junitxml). Test cases are counted, not what suites say of themselves.
 * Entities are not expanded, and a document type is refused.
 *
 * @throws {AdapterError} `bad-response`, with the line that is wrong
 */
export function parseJunit(text: string): Report {
  const seen = read(text);
  const { tests, failure, error, skipped, claimed } = seen;
  if (claimed.failures > seen.shown) {
    throw badReport('JUnit', `contradicts itself: it says ${claimed.failures} failures but shows ${seen.shown}`);
  }
  if (tests === 0 && claimed.tests > 0) throw badReport('JUnit', `says ${claimed.tests} tests but shows none`);
  const executed = tests - skipped;
  if (executed <= 0 && failure + error === 0) throw badReport('JUnit', 'has no test in it that ran');
  return {
    figures: figuresOf({
      tests,
      skipped,
      failures: failure,
      errors: error,
      passed: Math.max(0, executed - failure - error),
      error_rate: Math.min(1, (failure + error) / Math.max(1, executed)),
      duration: seen.seconds,
    }),
    artifacts: [],
  };
}

function read(text: string): Seen {
  const seen: Seen = {
    tests: 0,
    failure: 0,
    error: 0,
    skipped: 0,
    seconds: 0,
    shown: 0,
    claimed: { tests: 0, failures: 0 },
    claimDepth: MAX_DEPTH,
    path: [],
    outcome: undefined,
  };
  const parser = sax.parser(true, OPTIONS);
  // The parser calls back in the middle of its own state: the first mistake is kept and thrown at the end.
  let mistake: AdapterError | undefined;
  const fail = (what: string) => {
    mistake ??= badReport('JUnit', what);
  };
  parser.onerror = (error) => {
    fail(`is not well-formed XML in line ${parser.line + 1} (${error.message.split('\n')[0]})`);
    parser.error = null as never;
  };
  parser.ondoctype = () => fail('has a document type, which no report needs');
  parser.onopentag = ({ name, attributes }) => {
    if (mistake !== undefined) return;
    if (seen.path.length >= MAX_DEPTH) return fail('is nested too deeply');
    mistake ??= open(seen, name, attributes as Record<string, string>);
  };
  parser.onclosetag = (name) => close(seen, name);
  parser.write(text.startsWith('\ufeff') ? text.slice(1) : text).close();
  if (mistake !== undefined) throw mistake;
  return seen;
}

function open(seen: Seen, name: string, attributes: Record<string, string>): AdapterError | undefined {
  const parent = seen.path.at(-1);
  if (parent === undefined && name !== 'testsuites' && name !== 'testsuite') {
    return badReport('JUnit', `begins with <${name.slice(0, 60)}> instead of <testsuites> or <testsuite>`);
  }
  seen.path.push(name);
  if (name === 'testsuites' || name === 'testsuite') claim(seen, attributes);
  if (name === 'testcase') {
    seen.tests++;
    seen.seconds += Number((attributes['time'] ?? '0').replaceAll(',', ''));
    seen.outcome = undefined;
  }
  if (name !== 'failure' && name !== 'error' && name !== 'skipped') return undefined;
  if (name !== 'skipped') seen.shown++;
  if (parent === 'testcase') seen.outcome = worse(seen.outcome, name);
  // A suite that could not be set up fails without a test case.
  else if (parent === 'testsuite' && name !== 'skipped') seen[name]++;
  return undefined;
}

function close(seen: Seen, name: string): void {
  if (name === 'testcase' && seen.outcome !== undefined) seen[seen.outcome]++;
  if (seen.path.length < seen.claimDepth) seen.claimDepth = MAX_DEPTH;
  seen.path.pop();
}

function claim(seen: Seen, attributes: Record<string, string>): void {
  if (seen.path.length > seen.claimDepth || attributes['tests'] === undefined) return;
  seen.claimDepth = seen.path.length;
  const number = (name: string) => Number(attributes[name] ?? 0) || 0;
  seen.claimed.tests += number('tests');
  seen.claimed.failures += number('failures') + number('errors');
}

/** A test counts once, however many assertions of it failed. */
function worse(one: Outcome | undefined, other: Outcome): Outcome {
  const order: Outcome[] = ['skipped', 'failure', 'error'];
  return one !== undefined && order.indexOf(one) > order.indexOf(other) ? one : other;
}
