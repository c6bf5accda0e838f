import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toQuestion as cloudWatchQuestion } from '../../../src/adapters/metrics/cloudwatch-query.ts';
import { toQuestion as datadogQuestion } from '../../../src/adapters/metrics/datadog-query.ts';
import { toQuestion as dynatraceQuestion } from '../../../src/adapters/metrics/dynatrace-query.ts';
import { toNrql } from '../../../src/adapters/metrics/nrql.ts';
import { periodOf } from '../../../src/adapters/metrics/placeholders.ts';
import { AdapterError } from '../../../src/base/adapter-error.ts';
import { query } from '../../contracts/metrics-source.ts';

/** Syntax of all these languages, in any order, with any text between. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '"',
        "'",
        '`',
        '~',
        '\\',
        '&',
        '(',
        ')',
        '{',
        '}',
        '[',
        ']',
        ',',
        ';',
        ':',
        '=',
        '%',
        '_',
        '*',
        '!',
      ),
      fc.constantFrom(
        ' OR ',
        '--',
        '/*',
        '*/',
        '//',
        '\n',
        '\r',
        '\u0000',
        '\u2028',
        '$V',
        'SINCE',
        '.',
        'a',
        '|',
        '\ud800',
      ),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => parts.join(''));

/** What comes out with the value, or nothing when it was refused; nothing else may be thrown. */
function filled<T>(fill: () => T): T | undefined {
  try {
    return fill();
  } catch (error) {
    if (error instanceof AdapterError && error.reason === 'rejected') return undefined;
    throw error;
  }
}

const check = (property: (value: string) => unknown) =>
  fc.assert(
    fc.property(hostile, (value) => void property(value)),
    { numRuns: 5000, seed: 1 },
  );

describe('whatever the value', () => {
  it('a text of Dynatrace is that text, and nothing around it changes', () => {
    const text = 'metricSelector=m:filter(eq("k","$V")):avg&entitySelector=type(SERVICE),entityName.equals("$V")';
    let accepted = 0;
    check((value) => {
      const question = filled(() => dynatraceQuestion(text, { V: value }));
      if (question === undefined) return expect(value.isWellFormed()).toBe(false);
      accepted++;
      const {
        metricSelector = '',
        entitySelector = '',
        ...others
      } = 'parameters' in question ? question.parameters : {};
      expect(others).toEqual({});
      // An own reading of the quotes: tilde takes the next character as it is.
      const read = (selector: string) => /^(.*?)"((?:~[\s\S]|[^"~])*)"(\)*(?::avg)?)$/s.exec(selector);
      const [, before, inside, after] = read(metricSelector.replace('"k",', '')) ?? [];
      expect([before, inside?.replace(/~([\s\S])/g, '$1'), after]).toEqual(['m:filter(eq(', value, ')):avg']);
      expect(read(entitySelector)?.[2]?.replace(/~([\s\S])/g, '$1')).toBe(value);
    });
    expect(accepted).toBeGreaterThan(1000);
  });

  it('a text of New Relic is that text, or refused', () => {
    let accepted = 0;
    check((value) => {
      const nrql = filled(() => toNrql("a = '$V' AND b LIKE '$V' AND c = 1", { V: value }, { startMs: 1, endMs: 2 }));
      if (nrql === undefined) return;
      accepted++;
      expect(nrql).toBe(`a = '${value}' AND b LIKE '${value}' AND c = 1\nSINCE 1 UNTIL 2`);
      expect(value).not.toMatch(/['\\%_\n]/);
    });
    expect(accepted).toBeGreaterThan(500);
  });

  it('a tag of Datadog is a name, or refused', () => {
    check((value) => {
      const question = filled(() => datadogQuestion('avg:m{service:$V} by {host}', { V: value }));
      if (question === undefined) return;
      expect(value).toMatch(/^[A-Za-z0-9_:.-]+$/);
      expect(question.queries.map((one) => one.query)).toEqual([`avg:m{service:${value}} by {host}`]);
    });
  });

  it('a dimension of CloudWatch is that text, and an expression takes only names', () => {
    const text = JSON.stringify([
      { Id: 'a', MetricStat: { Metric: { Dimensions: [{ Name: 'n', Value: '$V' }] }, Period: 60 } },
    ]);
    check((value) => {
      const period = periodOf(query({ variables: { V: value } }));
      const question = filled(() => cloudWatchQuestion(text, period));
      if (question === undefined) return expect(value.isWellFormed()).toBe(false);
      expect(question.queries).toEqual(JSON.parse(text.replace('"$V"', () => JSON.stringify(value))));
      const expression = filled(() => cloudWatchQuestion('[{"Id":"a","Expression":"SUM($V)"}]', period));
      expect(expression === undefined).toBe(!/^[A-Za-z0-9_:.-]+$/.test(value));
    });
  });
});
