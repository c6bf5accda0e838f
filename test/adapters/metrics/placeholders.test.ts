import { describe, expect, it } from 'vitest';
import {
  fillPlaceholders,
  fillText,
  periodOf,
  type QueryLanguage,
} from '../../../src/adapters/metrics/placeholders.ts';
import { PROMQL } from '../../../src/adapters/metrics/promql.ts';
import { query } from '../../contracts/metrics-source.ts';

describe('a placeholder in PromQL', () => {
  const fill = (text: string, variables: Record<string, string> = {}) =>
    fillPlaceholders(
      text,
      { SERVICE: 'cart', 'LABEL.team': 'a', 'LABEL.app.kubernetes.io/name': 'n', WINDOW: '1h', ...variables },
      PROMQL,
    );

  it.each([
    ['x{s="$SERVICE"}', 'x{s="cart"}'],
    ["x{job='$SERVICE-$LABEL.team-canary'}", "x{job='cart-a-canary'}"],
    ['x{h="$SERVICE.example.org"}', 'x{h="cart.example.org"}'],
    ['x{n="$LABEL.app.kubernetes.io/name"}', 'x{n="n"}'],
    ['rate(x[$WINDOW])', 'rate(x[1h])'],
    ['x{a=~"(b|c)$"}', 'x{a=~"(b|c)$"}'],
    ['label_replace(x, "a", "$1", "b", "(.*)")', 'label_replace(x, "a", "$1", "b", "(.*)")'],
    ['x{a="\\"$SERVICE\\\\"}', 'x{a="\\"cart\\\\"}'],
  ])('in %s is replaced by its value', (text, expected) => {
    expect(fill(text)).toBe(expected);
  });

  it('ends with the word: a longer name is another one', () => {
    expect(() => fill('x{s="$SERVICE_NAME"}')).toThrow('unknown placeholder $SERVICE_NAME');
    expect(fill('x{s="$SERVICE_NAME"}', { SERVICE_NAME: 'long' })).toBe('x{s="long"}');
  });

  it('does not inherit names from JavaScript', () => {
    expect(() => fill('x{s="$constructor"}')).toThrow('unknown placeholder');
    expect(() => fill('x{s="$__proto__"}')).toThrow('unknown placeholder');
  });

  it.each(['x{a=~"$SERVICE.*"}', 'x{a !~ # why not\n "$SERVICE"}'])(
    'in the regex of %s stands for its own characters',
    (text) => {
      expect(fill(text, { SERVICE: '.*' })).toContain('\\\\.\\\\*');
    },
  );

  it.each([
    ['outside of quotes', 'sum($SERVICE)'],
    ['in a range', 'rate(x[$SERVICE])'],
    ['in backticks', 'x{a=`$SERVICE`}'],
    ['in a comment', 'x # $SERVICE\n'],
    ['after a comment with a quote', 'x # "\n + $SERVICE'],
    ['after a string with the other quote', `x{a="'"} + $SERVICE`],
  ])('%s takes no syntax', (_where, text) => {
    expect(fill(text)).toContain('cart');
    for (const hostile of ['a b', '"', 'x) or vector(0', '', 'a\n', '`', '{', "'"]) {
      expect(() => fill(text, { SERVICE: hostile })).toThrow(/can only stand inside quotes|cannot be written there/);
    }
  });

  it('in backticks of a regex stands for its own dots', () => {
    expect(fill('x{a=~`$SERVICE`}', { SERVICE: 'a.b' })).toBe('x{a=~`a\\.b`}');
  });

  it('with text that is not valid is refused', () => {
    expect(() => fill('x{s="$SERVICE"}', { SERVICE: '\ud800' })).toThrow('not valid text');
  });

  it('cannot make a query of any length', () => {
    expect(() => fill(`${'x'.repeat(20_000)}`)).toThrow('longer than');
  });
});

describe('a placeholder in a language', () => {
  const language: QueryLanguage = {
    quotes: [
      { open: '--', close: '\n', comment: true },
      { open: "'", close: "'", doubled: true, fill: (value, operator) => `<${operator ?? 'text'}:${value}>` },
      { open: '/', close: '/', escape: '\\', afterOperator: true, fill: (value) => `<regex:${value}>` },
      { open: '"', close: '"', fill: (value) => (value.includes('"') ? undefined : value) },
    ],
    patternOperators: ['=~', 'LIKE'],
  };
  const fill = (text: string, value = 'v') => fillPlaceholders(text, { V: value }, language);

  it.each([
    ["'it''s $V'", "'it''s <text:v>'"],
    ["a like '$V'", "a like '<LIKE:v>'"],
    ["dislike '$V'", "dislike '<text:v>'"],
    ["a LIKE -- why\n '$V' = '$V'", "a LIKE -- why\n '<LIKE:v>' = '<text:v>'"],
    ['a =~ /\\/$V/', 'a =~ /\\/<regex:v>/'],
    ['a / $V / b', 'a / v / b'],
    ["a =~ $V '$V'", "a =~ v '<text:v>'"],
  ])('knows where it stands in %s', (text, expected) => {
    expect(fill(text)).toBe(expected);
  });

  it('is refused where the language has no way to write it', () => {
    expect(() => fill('"$V"', 'a"b')).toThrow('the value of $V has characters that cannot be written there');
  });

  it('may become a bind parameter', () => {
    const values: string[] = [];
    const bare = (value: string) => `$${values.push(value)}`;
    expect(fillPlaceholders('a = $V or b = $V', { V: "' or 1" }, { quotes: [], bare })).toBe('a = $1 or b = $2');
    expect(values).toEqual(["' or 1", "' or 1"]);
  });

  it('in text without syntax is that text', () => {
    expect(fillText('svc-$V$', { V: '"\'\n' })).toBe('svc-"\'\n$');
    expect(() => fillText('$W', { V: '' })).toThrow('unknown placeholder $W; known: $V');
  });
});

describe('the period of a query', () => {
  it('is known to every query, unless a variable has its name', () => {
    const { startMs, endMs, variables } = periodOf(query({ variables: { END: 'mine' } }));
    expect(endMs - startMs).toBe(300_000);
    expect(variables).toEqual({ START: '2026-01-01T10:00:00.000Z', END: 'mine', DURATION_SECONDS: '300s' });
  });

  it('is that of a step for points, whatever was said before', () => {
    const asked = query({ variables: { DURATION_SECONDS: '300s' } });
    expect(periodOf(asked, 60_000).variables).toMatchObject({ DURATION_SECONDS: '60s' });
    expect(() => periodOf(asked, 300_001)).toThrow('the step is longer than the period');
  });
});
