import { describe, expect, it } from 'vitest';
import type { CheckAnswer } from '../../src/engine/check.ts';
import { claimedExemption, EXEMPT_KINDS, exempt } from '../../src/slo/budget-exemption.ts';

const claims = (subjects: string[], message = subjects[0] ?? '', complete = true) => ({
  subjects,
  complete,
  message,
  author: 'Ann',
});
const kindOf = (...all: Parameters<typeof claims>) => claimedExemption(claims(...all), EXEMPT_KINDS)?.kind;

describe('a change claims to be exempt', () => {
  it.each([
    ['by a fix', ['fix(cart): stop the leak'], 'fix'],
    ['by several fixes', ['fix: a', 'Merge branch x', 'security!: b'], 'fix'],
    ['by a security fix', ['security: update openssl'], 'security'],
    ['by a revert', ['Revert "feat: faster"'], 'rollback'],
    ['with a feature that rides along', ['fix: a', 'feat: b'], undefined],
    ['by a word that only looks like it', ['fixture: add', 'fix it'], undefined],
    ['by merges alone', ['Merge branch x'], undefined],
    ['by nothing', [], undefined],
  ])('%s', (_what, subjects, kind) => {
    expect(kindOf(subjects)).toBe(kind);
  });

  it('by a trailer, which speaks for the whole change', () => {
    const said = claimedExemption(claims(['feat: b'], 'feat: b\n\nWhy.\n\nLynceus-Exempt: security\n'), EXEMPT_KINDS);
    expect(said).toEqual({ kind: 'security', by: "trailer of Ann's commit", seen: false });
  });

  it.each([
    ['in the middle of the text', 'a\n\nLynceus-Exempt: fix\n\nmore'],
    ['as the subject', 'Lynceus-Exempt: fix'],
    ['for something else', 'a\n\nLynceus-Exempt: hurry'],
    ['twice', 'a\n\nLynceus-Exempt: fix\nLynceus-Exempt: security'],
  ])('but not by a trailer %s', (_what, message) => {
    expect(kindOf(['a'], message)).toBeUndefined();
  });

  it('but not by prefixes of commits that were not all seen', () => {
    expect(kindOf(['fix: a'], 'fix: a', false)).toBeUndefined();
  });

  it('but not by what the stage does not exempt', () => {
    expect(claimedExemption(claims(['fix: a']), ['rollback'])).toBeUndefined();
  });
});

describe('an exemption', () => {
  const said = (answer: CheckAnswer['answer']): CheckAnswer => ({
    check: 'error-budget',
    answer,
    reasons: ['it is spent'],
    figures: { remaining: -1 },
    ...(answer === 'deny' || answer === 'unknown' ? { askAgainAt: '2026-03-01T12:05:00Z' } : {}),
  });
  const seen = { kind: 'rollback', by: '1234abcd is part of what runs already', seen: true } as const;
  const claimed = { kind: 'fix', by: 'the prefix of its commit', seen: false } as const;

  it.each([
    ['a denied rollback that we saw passes', 'deny', seen, 'pass'],
    ['a denied fix goes to a person', 'deny', claimed, 'needs-approval'],
    ['what could not be judged goes to a person, even for a rollback', 'unknown', seen, 'needs-approval'],
    ['what could not be judged goes to a person', 'unknown', claimed, 'needs-approval'],
  ] as const)('%s', (_what, before, exemption, after) => {
    const answer = exempt(said(before), exemption);
    expect(answer.answer).toBe(after);
    expect(answer).not.toHaveProperty('askAgainAt');
    expect(answer.reasons).toEqual([expect.stringContaining(exemption.by), 'it is spent']);
    expect(answer.figures['exemption']).toEqual({ ...exemption, insteadOf: before });
  });

  it.each(['pass', 'needs-approval'] as const)('changes nothing where the answer is %s', (answer) => {
    expect(exempt(said(answer), seen)).toEqual(said(answer));
  });
});
