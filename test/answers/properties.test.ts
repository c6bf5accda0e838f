import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeRow, needsOf } from '../../src/answers/answer.ts';
import { answersText } from '../../src/answers/answers-text.ts';
import { type ChangeFacts, changeFacts, type Spot } from '../../src/answers/change-facts.ts';
import { needsByTime } from '../../src/answers/needs.ts';
import { fold, type SequenceState } from '../../src/engine/sequence.ts';
import type { SequenceEvent } from '../../src/events/types.ts';
import { ago, GOLDEN_NOW, goldenFacts, viewer } from '../support/change-rows.ts';
import { planned, step, taskFinished, taskTriggered } from '../support/sequence.ts';

const RUNS = { numRuns: 300 };
const CONTROLS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

const text = fc.oneof(
  fc.string({ maxLength: 200, unit: 'grapheme' }),
  fc.string({ maxLength: 200, unit: 'binary' }),
  fc.constantFrom('', '\u001b[2J', '\u202e', 'a\n\nb', '\ud800', '<script>', 'x'.repeat(500)),
);
const moment = fc.oneof(fc.integer({ min: -3_000, max: 30_000 }).map(ago), fc.constantFrom('', 'yesterday'));
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const people = fc.array(text, { maxLength: 6 });
const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY));
const kinds = [
  ...['queue', 'unreachable', 'data', 'budget', 'risk', 'window', 'approval', 'sync', 'health', 'tests'],
  ...['evaluation', 'soak', 'review', 'conflict', 'stopped', 'something new'],
] as const;
const steps = [
  ...['build', 'image', 'manifest', 'review', 'checks', 'approval', 'sync', 'rollout', 'test', 'evaluation'],
  ...['release', 'soak', 'promotion', 'rollback', 'plan', 'turn', 'something new'],
] as const;

const spot = fc.record({
  stage: maybe(text),
  step: fc.constantFrom(...steps),
  since: moment,
  heardAt: moment,
  wait: maybe(
    fc.record({
      kind: fc.constantFrom(...kinds),
      sentence: text,
      since: moment,
      until: maybe(moment),
      byHand: maybe(fc.constant(true)),
    }),
  ),
  failed: maybe(
    fc.record({
      at: moment,
      reason: fc.constantFrom('failed', 'rejected', 'aborted', 'timed-out'),
      message: text,
      actor: maybe(text),
      why: maybe(text),
      indicator: maybe(
        fc.record({ name: text, value: number, unit: maybe(text), operator: fc.constant('>'), limit: number }),
      ),
      score: maybe(fc.record({ value: number, pass: number })),
    }),
  ),
  check: maybe(
    fc.record({
      name: fc.constantFrom('error-budget', 'risk', 'window'),
      value: maybe(number),
      limit: maybe(number),
      why: maybe(text),
    }),
  ),
  stopped: maybe(fc.record({ what: fc.constantFrom('held', 'line'), actor: text, reason: text, at: moment })),
  approval: maybe(
    fc.record({
      to: text,
      quorum: fc.nat(9),
      groups: people,
      people: maybe(people),
      approved: people,
      why: maybe(text),
    }),
  ),
  review: maybe(fc.record({ to: maybe(text), number: fc.nat(), quorum: fc.nat(9), groups: people, approved: people })),
  ahead: maybe(fc.record({ change: text, text })),
  reported: maybe(fc.record({ state: fc.constantFrom('failed', 'running', 'passed', 'idle'), detail: maybe(text) })),
  override: maybe(people),
});

const anyFacts: fc.Arbitrary<ChangeFacts> = fc
  .record({ spots: fc.array(spot, { maxLength: 3 }), owners: maybe(people), author: text, team: maybe(text) })
  .map(({ spots, author, ...rest }) => {
    const clean = JSON.parse(JSON.stringify({ ...rest, spots })) as { spots: Spot[] };
    return { ...goldenFacts.sync, ...clean, author: { name: author } };
  });

describe('of any facts', () => {
  it('the answer is one sentence of at most 90 characters without control characters, for at most three people', () => {
    fc.assert(
      fc.property(anyFacts, moment, (facts, now) => {
        const row = changeRow(facts, { now, viewer: viewer('omar'), changeOf: () => facts });
        expect(row.blocker.sentence.length).toBeLessThanOrEqual(90);
        expect(row.blocker.sentence.trim()).not.toBe('');
        expect(row.blocker.sentence).not.toMatch(CONTROLS);
        expect(row.blocker.sentence.isWellFormed()).toBe(true);
        for (const { who } of row.unblock) expect(who.length).toBeLessThanOrEqual(3);
        expect(answersText(row, now).length).toBeLessThanOrEqual(140);
        expect(answersText(row)).not.toMatch(CONTROLS);
        needsOf(facts, now);
      }),
      RUNS,
    );
  });

  it('whom a change comes to wait for by time alone is known before', () => {
    fc.assert(
      fc.property(
        anyFacts,
        fc.integer({ min: -3_000, max: 23 }).map(ago),
        fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined }),
        (facts, now, p90) => {
          const { always, perhaps } = needsByTime(facts);
          const known = [...always, ...perhaps.filter(({ from }) => from <= Date.parse(now)).map(({ key }) => key)];
          const needed = needsOf(facts, now, p90);
          expect(known).toEqual(expect.arrayContaining(needed));
          expect(needed).toEqual(expect.arrayContaining(always));
        },
      ),
      RUNS,
    );
  });

  it('whoever reads is named first, and may do nothing that their roles do not let them', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const row = changeRow(facts, { now: GOLDEN_NOW, viewer: viewer('nobody in particular') });
        const actions = row.unblock.flatMap(({ action }) => action ?? []);
        expect(actions.filter(({ allowed, needs }) => allowed && needs !== undefined)).toEqual([]);
      }),
      RUNS,
    );
  });

  it('time that passes makes no wait shorter', () => {
    fc.assert(
      fc.property(anyFacts, fc.integer({ min: 0, max: 10_000 }), (facts, minutes) => {
        const [now, later] = [GOLDEN_NOW, ago(-minutes)].map((at) => changeRow(facts, { now: at }).blocker);
        // Silence may be noticed meanwhile; what it waits for else stays what it is.
        if (now?.kind === later?.kind) expect(later?.since).toBe(now?.since);
        else expect(later?.kind).toBe('no-signal');
      }),
      RUNS,
    );
  });
});

describe('of any sequences', () => {
  const keys = [
    ...['clusters', 'blocking', 'targets', 'approval', 'reviews', 'pullRequest', 'url', 'answers', 'evaluation'],
    ...['images', 'commit', 'merge', 'handedOver'],
  ];
  const odd = fc
    .dictionary(fc.constantFrom(...keys), fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('host', 'lynceus')))
    .map((value) => JSON.parse(JSON.stringify(value)) as object);
  const broken: fc.Arbitrary<SequenceState> = fc
    .tuple(fc.constantFrom('approval', 'sync', 'rollout', 'promotion', 'soak', 'checks'), odd, fc.boolean())
    .map(([name, remembered, ended]) => {
      const task = taskTriggered(1, name as 'sync');
      const wait = { task: 'seq.1-'.concat(name), blocker: { kind: 'sync', sentence: 's' }, memo: remembered };
      const events = [
        ...planned(step('checks'), step('approval'), step('sync'), step('promotion')),
        task,
        { name: 'task.waiting', at: GOLDEN_NOW, data: wait } as unknown as SequenceEvent,
        ...(ended ? [taskFinished(name as 'sync', 'fail', { data: remembered })] : []),
      ];
      return fold(events);
    });

  it('facts and answers come out, however odd what tasks remember is', () => {
    fc.assert(
      fc.property(fc.array(broken, { maxLength: 3 }), (sequences) => {
        const facts = changeFacts({ id: 'ctx', rev: 1, sequences });
        changeRow(facts, { now: GOLDEN_NOW });
        expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
      }),
      RUNS,
    );
  });

  it('the same sequences are the same facts, whatever the time', () => {
    const sequences = [fold([...planned(step('approval', { always: true })), taskTriggered(1, 'approval')])];
    const [one, other] = [changeFacts({ id: 'c', rev: 1, sequences }), changeFacts({ id: 'c', rev: 1, sequences })];
    expect(one).toEqual(other);
  });
});
