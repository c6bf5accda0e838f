import { describe, expect, it } from 'vitest';
import { changeRow, needsOf } from '../../src/answers/answer.ts';
import { answersText } from '../../src/answers/answers-text.ts';
import { BLOCKER_RULES } from '../../src/answers/blockers/all.ts';
import type { ChangeFacts } from '../../src/answers/change-facts.ts';
import { BLOCKER_KINDS, type BlockerKind } from '../../src/answers/change-row.ts';
import { ago, GOLDEN_NOW, goldenAhead, goldenChange, goldenFacts, viewer } from '../support/change-rows.ts';
import { fiveAnswers, OMAR } from './five-answers.ts';
import { GOLDEN } from './golden.ts';

const read = (facts: ChangeFacts, reading: Partial<Parameters<typeof changeRow>[1]> = {}) =>
  changeRow(facts, { now: GOLDEN_NOW, ...reading });
const say = (facts: ChangeFacts) => read(facts).blocker.sentence;

describe('the five answers', () => {
  it.each(BLOCKER_KINDS)('of a change that waits for %s are these, now and half an hour later', (kind) => {
    expect(fiveAnswers(goldenFacts[kind], GOLDEN_NOW)).toEqual(GOLDEN[kind].now);
    expect(fiveAnswers(goldenFacts[kind], ago(-30))).toEqual(GOLDEN[kind].later);
  });

  it('are looked for in the order of the kinds', () => {
    expect([...BLOCKER_RULES.map(({ kind }) => kind), 'none']).toEqual(BLOCKER_KINDS);
  });

  it('are kept as facts of less than 3 kB', () => {
    for (const kind of BLOCKER_KINDS) expect(JSON.stringify(goldenFacts[kind]).length).toBeLessThan(3_000);
  });

  it('have no time and no odds once the change is over, and no number without a history', () => {
    expect(read(goldenFacts.none)).toMatchObject({ eta: null, odds: null });
    expect(read(goldenFacts.approval)).toMatchObject({ eta: { text: 'no history yet' }, odds: null });
  });
});

describe('a sentence', () => {
  const waiting = (sentence: string) =>
    goldenChange({}, { wait: { kind: 'sync', sentence, since: ago(1) }, since: ago(1), heardAt: ago(1) });

  it('loses the middle of names, never a number', () => {
    const long = 'checkout-of-the-shop-in-the-middle-of-nowhere-with-a-name-that-nobody-can-read';
    const facts = goldenChange(
      { state: 'failed' },
      {
        step: 'evaluation',
        failed: {
          at: ago(1),
          reason: 'failed',
          task: 'evaluation',
          message: '',
          indicator: { name: long, value: 612.4, unit: 'ms', operator: '>', limit: 500 },
        },
      },
    );
    expect(say(facts)).toBe(
      'SLO gate failed: checkout-of-the-shop-in-the-…-a-name-that-nobody-can-read 612 ms > 500 ms',
    );
  });

  it('tells two numbers apart that would be the same when rounded', () => {
    const indicator = { name: 'error_rate', value: 0.010004, operator: '>', limit: 0.01 };
    const failed = { at: ago(1), reason: 'failed', task: 'evaluation', message: '', indicator } as const;
    expect(say(goldenChange({ state: 'failed' }, { step: 'evaluation', failed }))).toBe(
      'SLO gate failed: error_rate 0.010004 > 0.01',
    );
  });

  it('says first that a rollback failed', () => {
    const message = 'ROLLBACK FAILED: 1a2b3c4d is not healthy either (response_time_p95 is 612)';
    const [spot] = goldenFacts.gate.spots;
    const failed = { ...spot?.failed, at: ago(1), reason: 'failed', message, rollback: 'failed' } as const;
    expect(say({ ...goldenFacts.gate, spots: [{ ...spot, failed } as never] })).toBe(message);
  });

  it('is one line that steers nothing, whatever others wrote', () => {
    const hostile = 'a\u001b[2J\u202Eb\n\nc\u0000\u2028d\ud800';
    expect(say(waiting(hostile))).toBe('Sync to staging: a [2J b c d\ufffd');
  });
});

describe('who', () => {
  const approvedBy = (...people: string[]) =>
    goldenChange(
      { state: 'waiting' },
      {
        stage: 'production',
        step: 'approval',
        approval: { to: 'production', quorum: 1, groups: [], people, approved: [] },
      },
    );

  it('reads comes first; of many three are named, and the rest counted', () => {
    const row = read(approvedBy('lin', 'eva', 'max', 'omar', 'ida'), { viewer: OMAR });
    expect(row.unblock[0]).toMatchObject({
      who: [{ login: 'omar' }, { login: 'lin' }, { login: 'eva' }],
      more: 2,
      you: true,
      action: { allowed: true, href: '/changes/b7c41d09#decision' },
    });
  });

  it('is not known where nobody is configured, and then it is said where to mend that', () => {
    const { owners: _, team: __, ...nobody } = { ...goldenFacts['no-signal'], author: { name: 'unknown' } };
    expect(read(nobody).unblock).toEqual([
      {
        who: [],
        more: 0,
        you: false,
        does: 'no owner configured',
        action: { label: 'Connections', href: '/connections', method: 'GET', allowed: true },
      },
    ]);
  });

  it.each([
    ['nobody who has signed in', undefined, 'Sign in first.'],
    ['a viewer', viewer('eva'), 'You are not an approver.'],
    [
      'an approver of another stage',
      viewer('eva', { roles: ['viewer', 'approver'], stages: ['dev'] }),
      'You may not decide in production.',
    ],
    [
      'an approver outside of the group',
      viewer('eva', { roles: ['viewer', 'approver'], stages: 'all' }),
      'You are not in payments-approvers.',
    ],
    ['an approver of another project', { ...OMAR, projects: ['bank'] }, 'You may not do that in shop.'],
    ['an approver in the group', { ...OMAR, projects: ['bank', 'shop'] }, undefined],
  ] as const)('approves: %s', (_, reader, why) => {
    const action = read(goldenFacts.approval, { viewer: reader }).unblock[0]?.action;
    expect(action).toMatchObject({ allowed: why === undefined, needs: 'payments-approvers' });
    expect(action?.why).toBe(why);
  });

  it('lets it through, rolls it back or retries it is not who it waits for', () => {
    expect(needsOf(goldenFacts.gate, GOLDEN_NOW)).toEqual(['person:ada']);
    expect(needsOf(goldenFacts.budget, GOLDEN_NOW)).toEqual([]);
    expect(needsOf(goldenFacts.approval, GOLDEN_NOW)).toEqual(['group:payments-approvers']);
  });

  it('is asked for a review at the Git host is named, and found, beside the groups of the policy', () => {
    const [spot] = goldenFacts.review.spots;
    const review = {
      ...{ number: 412, quorum: 2, groups: ['acme/release-managers'], approved: ['lin'] },
      ...{ reviewers: [{ name: 'omar', login: 'omar' }], asked: ['acme/owners', 'acme/release-managers'] },
    };
    const facts = { ...goldenFacts.review, spots: [{ ...spot!, review }] };
    expect(read(facts, { viewer: OMAR }).unblock[0]).toMatchObject({
      who: [{ login: 'omar' }, { group: 'acme/release-managers' }, { group: 'acme/owners' }],
      ...{ you: true, does: 'approves' },
    });
    expect(needsOf(facts, GOLDEN_NOW)).toContain('person:omar');
  });

  it('unblocks the change ahead unblocks this one, on the page of that one', () => {
    const row = read(goldenFacts.queue, { changeOf: (id) => (id === goldenAhead.id ? goldenAhead : undefined) });
    expect(row.unblock).toMatchObject([
      { who: [{ group: 'payments-approvers' }], action: { href: `/changes/${goldenAhead.id}#decision` } },
    ]);
    expect(read(goldenFacts.queue).unblock).toEqual([]);
  });
});

describe('what is silent', () => {
  it('is never told as running, neither in the row nor in its cell', () => {
    const row = read(goldenFacts['no-signal']);
    expect(row.state).toBe('unknown');
    expect(row.cells.find(({ stage }) => stage === 'staging')?.state).toBe('unknown');
    expect(row.blocker.stale).toBe(true);
  });

  it('is silent only after three times what the step usually takes', () => {
    const forecast = () => ({ eta: null, odds: null, stepP90: 1_200 });
    expect(read(goldenFacts['no-signal'], { forecast }).blocker.kind).toBe('sync');
    expect(read(goldenFacts['no-signal'], { forecast, now: ago(-20) }).blocker.kind).toBe('no-signal');
  });

  it('is told by what does not answer, and since when', () => {
    const wait = {
      kind: 'unreachable',
      sentence: 'Prometheus main cannot be reached: ECONNREFUSED',
      since: ago(4),
    } as const;
    expect(read(goldenChange({ state: 'unknown' }, { step: 'evaluation', wait })).blocker).toMatchObject({
      kind: 'no-signal',
      sentence: 'No answer for 4 min: Prometheus main cannot be reached: ECONNREFUSED',
    });
  });

  it('may be a person, and then nothing is wrong', () => {
    const wait = { kind: 'sync', sentence: 'somebody has to sync it', since: ago(600), byHand: true } as const;
    expect(read(goldenChange({}, { wait, since: ago(600), heardAt: ago(600) }))).toMatchObject({
      blocker: { kind: 'sync' },
      unblock: [
        { who: [{ login: 'omar' }, { group: 'sre' }], does: 'syncs', action: { label: 'Sync now', allowed: false } },
      ],
    });
    const reader = viewer('lin', { roles: ['viewer', 'operator'] });
    const [own] = read(goldenChange({}, { wait, since: ago(600), heardAt: ago(600) }), { viewer: reader }).unblock;
    expect(own?.action).toMatchObject({ label: 'Sync now', allowed: true, needs: 'operator' });
  });
});

describe('the answers in one line', () => {
  const eta = { total: { p10: 420, p50: 840, p90: 1860, n: 34 }, text: '~14 min' };
  const odds = { p: 0.88, lo: 0.71, hi: 0.95, n: 34, basis: 'service', text: '88 % (71–95)' } as const;
  const forecast = () => ({ eta, odds });

  it.each([
    ['approval', 'Waiting 23 min for payments-approvers: Approval: gate warned (82, needs 90). Then ~14 min, 88 %'],
    ['tests', 'Running 1 min: Tests running in staging. Then ~14 min, 88 %'],
    ['gate', 'Stopped 8 min: SLO gate failed: response_time_p95 612 ms > 500 ms'],
    ['none', 'In production since 12:40 UTC'],
  ] as [BlockerKind, string][])('of %s', (kind, text) => {
    expect(answersText(read(goldenFacts[kind], { forecast }), GOLDEN_NOW)).toBe(text);
  });

  it('say nothing of how long where they must not change with time alone, nor of what nobody foresees', () => {
    expect(answersText(read(goldenFacts.approval))).toBe(
      'Waiting for payments-approvers: Approval: gate warned (82, needs 90)',
    );
  });

  it('fit a commit status, and keep what comes last', () => {
    for (const kind of BLOCKER_KINDS)
      expect(answersText(read(goldenFacts[kind], { forecast }), GOLDEN_NOW).length).toBeLessThanOrEqual(140);
    expect(answersText(read(goldenFacts.health, { forecast }), GOLDEN_NOW)).toMatch(/….? Then ~14 min, 88 %$/);
  });
});
