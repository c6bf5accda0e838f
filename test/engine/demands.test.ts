import { describe, expect, it } from 'vitest';
import type { Stage, Window } from '../../src/definitions/delivery.ts';
import { quorumOf, soakMsOf } from '../../src/engine/decide.ts';
import { planDelivery } from '../../src/engine/plan.ts';
import { parseWindow, untilClosing } from '../../src/engine/windows.ts';
import { decision, given, planned, step, taskFinished, taskTriggered } from '../support/sequence.ts';

const asked = (data: object, result: 'pass' | 'warning' = 'warning') => [
  taskTriggered(1, 'checks'),
  taskFinished('checks', result, { data }),
];
const steps = (soakMs = 60_000, quorum = 1) => [
  step('checks'),
  step('approval', { quorum }),
  step('sync'),
  step('rollout'),
  step('soak', { durationMs: soakMs }),
];

describe('a check that asks for more people', () => {
  const waiting = (quorum: number, demanded?: number) =>
    given(
      ...planned(...steps(60_000, quorum)),
      ...asked(demanded === undefined ? {} : { approval: { quorum: demanded } }),
      taskTriggered(2, 'approval'),
      decision('approve', { task: 'seq.2-approval', actor: 'ada' }),
    );

  it.each([
    [1, undefined, 1],
    [1, 2, 2],
    [3, 2, 3],
  ])('where the stage wants %i and the check %s makes it %i', (quorum, demanded, expected) => {
    const found = waiting(quorum, demanded);
    expect(quorumOf(found.state)).toBe(expected);
    if (expected === 1) found.now().says({ name: 'task.finished', result: 'pass' });
    else found.now().saysNothing();
  });
});

describe('a check that asks for a longer soak', () => {
  const soaked = (planned_: number, data: object) =>
    given(
      ...planned(...steps(planned_)),
      ...asked(data, 'pass'),
      taskTriggered(2, 'sync'),
      taskFinished('sync', 'pass'),
      taskTriggered(3, 'rollout'),
      taskFinished('rollout', 'pass'),
    );

  it.each([
    [60_000, {}, 60_000],
    [60_000, { soakMs: 600_000 }, 600_000],
    [3_600_000, { soakMs: 600_000 }, 3_600_000],
    [0, { soakMs: 600_000 }, 600_000],
    [60_000, { soakMs: 'long' }, 60_000],
  ])('where the stage wants %i ms and the check %j makes it %i ms', (stage, data, expected) => {
    const found = soaked(stage, data);
    expect(soakMsOf(found.state)).toBe(expected);
    found.now().says({ name: 'task.triggered', task: 'seq.4-soak' });
  });

  it('that neither of them wants is left out', () => {
    soaked(0, {}).now().says({ name: 'sequence.finished', result: 'pass' });
  });
});

describe('a plan', () => {
  const stage = (soakMs: number | undefined, high: number | undefined): Stage => ({
    name: 'production',
    sync: 'gated',
    prune: false,
    checks: { windows: [], risk: { approvalAbove: 25, ...(high === undefined ? {} : { soakMs: { high } }) } },
    rollout: { settleMs: 0, timeLimitMs: 1 },
    tests: [],
    ...(soakMs === undefined ? {} : { soakMs }),
  });
  const soakOf = (one: Stage) => planDelivery({ stage: one, files: [] }).steps.find(({ name }) => name === 'soak');

  it('has room for the longest soak that risk may ask for', () => {
    expect(soakOf(stage(undefined, undefined))).toBeUndefined();
    expect(soakOf(stage(undefined, 7_200_000))).toEqual({ name: 'soak', durationMs: 0, timeLimitMs: 10_800_000 });
    expect(soakOf(stage(60_000, 7_200_000))).toEqual({ name: 'soak', durationMs: 60_000, timeLimitMs: 10_800_000 });
    expect(soakOf(stage(60_000, undefined))).toEqual({ name: 'soak', durationMs: 60_000, timeLimitMs: 3_660_000 });
  });
});

describe('the time until a window closes', () => {
  const window = (text: string, kind: Window['kind'] = 'deny'): Window => {
    const spans = parseWindow(text);
    if (!spans.ok) throw new Error(spans.message);
    return { kind, spans: spans.spans, timeZone: 'Europe/Vienna', reason: '', text };
  };
  const HOUR = 3_600_000;
  // A Friday in winter: Vienna is an hour ahead.
  const at = (time: string) => new Date(`2026-01-09T${time}Z`);

  it.each([
    ['12:00:00', 2 * HOUR],
    ['13:59:30', 30_000],
    ['14:00:00', undefined],
    ['03:00:00', 11 * HOUR],
  ])('at %s is %s ms', (time, expected) => {
    expect(untilClosing([window('FR 15:00/MO 07:00')], at(time), 24 * HOUR)).toBe(expected);
  });

  it('is none beyond the horizon, and the end of an open window counts too', () => {
    expect(untilClosing([window('FR 15:00/MO 07:00')], at('03:00:00'), 10 * HOUR)).toBeUndefined();
    expect(untilClosing([window('MO-FR 09:00/17:00', 'allow')], at('12:00:00'), 24 * HOUR)).toBe(4 * HOUR);
    expect(untilClosing([], at('12:00:00'), 24 * HOUR)).toBeUndefined();
  });
});
