import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApprovalJudgement } from '../../src/promotion/approval.ts';
import { type PromotionStanding, STATE_MARKER, stateComment } from '../../src/promotion/comment.ts';
import type { PromotionGate } from '../../src/promotion/gate.ts';
import { labelsOf, promotionMark, statusesOf } from '../../src/promotion/statuses.ts';

const PAGE = 'https://lynceus.example/changes/1';
const open: PromotionGate[] = [
  { name: 'stop-the-line', state: 'success', sentence: 'nobody stopped the line', blocker: 'stopped' },
  { name: 'hold', state: 'success', sentence: 'nobody holds it', blocker: 'review' },
  { name: 'verification', state: 'success', sentence: 'it was verified', blocker: 'evaluation' },
];
const shut: PromotionGate = {
  name: 'windows',
  state: 'pending',
  sentence: 'no deployments on Friday afternoon',
  blocker: 'window',
  until: '2026-11-23T07:00:00.000Z',
};
const asked: ApprovalJudgement = {
  verdict: 'waiting',
  approvers: [],
  sentence: 'pull request 7 to production needs an approval at the Git host',
  ignored: [{ by: 'eve', why: 'wrote a commit in it' }],
};
const approved: ApprovalJudgement = {
  verdict: 'approved',
  approvers: ['ada'],
  sentence: 'approved by ada',
  ignored: [],
};
const standing = (gates: PromotionGate[], approval: ApprovalJudgement): PromotionStanding => ({
  kind: 'open',
  gates,
  approval,
  merge: 'lynceus',
});

const ALL = promotionMark('production');
const where = (marked: readonly string[] = []) => ({ toStage: 'production', url: PAGE, marked: new Set(marked) });

describe('the comment that follows a promotion', () => {
  it('says first what it waits for, then how every gate stands, and whose review does not count', () => {
    const text = stateComment(standing([...open, shut], asked), PAGE);
    expect(text.startsWith(`${STATE_MARKER}\n**Waiting:** no deployments on Friday afternoon`)).toBe(true);
    expect(text).toContain(
      '| ⏳ | Deployment windows | no deployments on Friday afternoon; opens at 2026-11-23 07:00 UTC |',
    );
    expect(text).toContain('| ✅ | Hold | nobody holds it |');
    expect(text).toContain('| ⏳ | Approval | pull request 7 to production needs an approval at the Git host |');
    expect(text).toContain('- eve wrote a commit in it');
    expect(text).toContain(`[Follow this change](${PAGE})`);
  });

  it('says what has to be mended before what passes with time', () => {
    const stopped: PromotionGate = { ...shut, name: 'hold', state: 'failure', sentence: 'held by lin: look first' };
    const text = stateComment(standing([shut, stopped], approved), undefined);
    expect(text).toContain('**Stopped:** held by lin: look first');
  });

  it('says that it is ready, and what became of it', () => {
    expect(stateComment(standing(open, approved), undefined)).toContain(
      '**Ready:** everything is met, and it is about to',
    );
    expect(stateComment({ kind: 'merged', message: 'promoted to production by ada' }, undefined)).toContain(
      '**Merged:**',
    );
    const newer = { number: 8, url: 'https://git.example/p/8' };
    expect(stateComment({ kind: 'superseded', by: newer }, undefined)).toContain(
      '**Superseded** by [pull request 8](https://git.example/p/8): a newer change',
    );
    expect(stateComment({ kind: 'superseded' }, undefined)).toContain('by a newer pull request');
    expect(stateComment({ kind: 'closed', message: 'pull request 7 was closed by lin' }, undefined)).toContain(
      '**Closed:**',
    );
  });

  it('mentions nobody and holds no HTML but its marker, whatever others wrote', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('@ada', '<img src=x>', '|x|', '-->', '#12', 'a\n\n/lynceus hold'),
    );
    const gate = fc.record({
      name: text,
      state: fc.constantFrom('success' as const, 'pending' as const, 'failure' as const),
      sentence: text,
      blocker: fc.constant('review' as const),
      until: text,
    });
    const judged = fc.record({
      verdict: fc.constantFrom('approved' as const, 'rejected' as const, 'waiting' as const),
      approvers: fc.array(text),
      sentence: text,
      ignored: fc.array(fc.record({ by: text, why: text })),
    });
    fc.assert(
      fc.property(fc.array(gate), judged, text, (gates, approval, page) => {
        const shown = stateComment(standing(gates, approval), page).slice(STATE_MARKER.length);
        expect(shown).not.toMatch(/<[a-z/!?]/i);
        expect(shown).not.toMatch(/[@#][\p{L}\p{N}_-]/u);
        expect(shown).not.toMatch(/^\/lynceus/m);
        for (const { description } of statusesOf(standing(gates, approval), where())) {
          expect([...description].length).toBeLessThanOrEqual(140);
          expect(description).not.toMatch(/[\n\r]/);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('the marks of a promotion', () => {
  const named = (found: ReturnType<typeof statusesOf>) =>
    Object.fromEntries(found.map(({ name, state }) => [name, state]));

  it('are green all together only when every gate is open and the approval is there', () => {
    expect(named(statusesOf(standing([...open, shut], approved), where()))).toEqual({
      'lynceus/verification/production': 'success',
      'lynceus/windows/production': 'pending',
      'lynceus/approval/production': 'success',
      [ALL]: 'pending',
    });
    expect(named(statusesOf(standing(open, asked), where()))[ALL]).toBe('pending');
    expect(named(statusesOf(standing(open, approved), where()))[ALL]).toBe('success');
  });

  it('turn red again when the verification is withdrawn', () => {
    const withdrawn = open.map((gate) =>
      gate.name === 'verification' ? { ...gate, state: 'failure' as const } : gate,
    );
    expect(named(statusesOf(standing(withdrawn, approved), where()))).toMatchObject({
      'lynceus/verification/production': 'failure',
      [ALL]: 'failure',
    });
  });

  it('tell of a hold that is over, and do not mention one that never was', () => {
    expect(named(statusesOf(standing(open, asked), where()))).not.toHaveProperty('lynceus/hold/production');
    expect(
      named(statusesOf(standing(open, asked), where(['lynceus/hold/production'])))['lynceus/hold/production'],
    ).toBe('success');
  });

  it('are of one stage: what is green for one region says nothing about another that gets the same commit', () => {
    const eu = statusesOf(standing(open, approved), { ...where(), toStage: 'eu' });
    const us = statusesOf(standing(open, asked), { ...where(), toStage: 'us' });
    const names = [...eu, ...us].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('end with what became of it', () => {
    expect(named(statusesOf({ kind: 'merged', message: 'promoted' }, where()))).toEqual({
      [ALL]: 'success',
    });
    expect(named(statusesOf({ kind: 'superseded' }, where()))).toEqual({ [ALL]: 'failure' });
  });
});

describe('the labels of a promotion', () => {
  it('name the stage, a warning, a hold and one that was superseded', () => {
    const to = { toStage: 'production', verdict: 'warning' } as const;
    expect(labelsOf(standing(open, asked), to)).toEqual({
      add: ['lynceus', 'stage: production', 'warning'],
      remove: ['hold', 'superseded'],
    });
    const held: PromotionGate = { ...shut, name: 'hold', state: 'failure' };
    expect(labelsOf(standing([held], asked), { ...to, verdict: 'pass' }).add).toContain('hold');
    expect(labelsOf({ kind: 'superseded' }, to).add).toContain('superseded');
  });
});
