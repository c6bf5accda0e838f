import { describe, expect, it } from 'vitest';
import { isSaidAlready } from '../../src/engine/decisions.ts';
import { fold } from '../../src/engine/sequence.ts';
import type { DecisionMade, SequenceEvent } from '../../src/events/types.ts';
import { decision, minute, planned, START, step, taskTriggered } from '../support/sequence.ts';

const TASK = 'seq.1-promotion';
const made = (changes: Partial<DecisionMade> = {}) =>
  decision(changes.verdict ?? 'approve', { task: TASK, ...changes }) as SequenceEvent & { data: DecisionMade };
const approval = made().data;
const renewed = (at: string): SequenceEvent => ({
  name: 'task.waiting',
  at,
  data: { task: TASK, blocker: { kind: 'review', sentence: 'needs an approval here' }, memo: { renewedAt: at } },
});
const said = (events: SequenceEvent[], now: Omit<DecisionMade, 'decision'> = approval) =>
  isSaidAlready(fold([...planned(step('promotion')), taskTriggered(1, 'promotion'), ...events]), now);

describe('an approval that somebody sends again', () => {
  it('is known, for as long as it is the newest', () => {
    expect(said([])).toBe(false);
    expect(said([made()])).toBe(true);
    expect(said([made(), made({ actor: 'bob' })])).toBe(false);
    expect(said([made({ actor: 'bob' }), made()])).toBe(true);
  });

  it.each<[string, Partial<DecisionMade>]>([
    ['by somebody else', { actor: 'bob' }],
    ['by somebody of that name in another way', { method: 'session' }],
    ['by an account of that name elsewhere', { identity: { issuer: 'https://id.example.com', subject: '7' } }],
    ['for another reason', { reason: 'looked closer' }],
    ['of another commit', { revision: 'b'.repeat(40) }],
    ['on other evidence', { evidence: 'f' }],
    ['of another task', { task: 'seq.2-promotion' }],
  ])('says more when it is %s', (_what, changes) => {
    expect(said([made()], { ...approval, ...changes })).toBe(false);
  });

  it('counts anew for what was planned anew since', () => {
    expect(said([made(), renewed(minute(5))])).toBe(false);
    expect(said([made(), renewed(START)])).toBe(false);
    expect(said([renewed(minute(-5)), made()])).toBe(true);
  });

  it('is nothing else than an approval: a second sync is asked for a second time', () => {
    expect(said([made({ verdict: 'sync' })], { ...approval, verdict: 'sync' })).toBe(false);
  });
});
