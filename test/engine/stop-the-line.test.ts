import { describe, expect, it } from 'vitest';
import { fold } from '../../src/engine/sequence.ts';
import { type LineStop, sayStop, scopeOf, stopFor } from '../../src/engine/stop-the-line.ts';
import type { Blocker, SequenceEvent } from '../../src/events/types.ts';
import { changeView } from '../../src/views/change.ts';
import { gateOfStage } from '../../src/views/gate.ts';
import { planned, START, step, taskTriggered } from '../support/sequence.ts';

const stop = (id: string, scope: Partial<LineStop> = {}): LineStop => ({
  id,
  at: '2026-03-02T10:00:00.000Z',
  actor: 'ada',
  reason: 'INC-42',
  ...scope,
});
const production = { project: 'shop', stage: 'production' };

describe('a stop', () => {
  it.each([
    ['everything', stop('a'), true],
    ['all stages of the project', stop('a', { project: 'shop' }), true],
    ['the stage in all projects', stop('a', { stage: 'production' }), true],
    ['the stage of the project', stop('a', production), true],
    ['another project', stop('a', { project: 'bank' }), false],
    ['another stage', stop('a', { stage: 'staging' }), false],
    ['the stage of another project', stop('a', { project: 'bank', stage: 'production' }), false],
  ])('of %s', (_, one, meant) => {
    expect(stopFor([one], production) !== undefined).toBe(meant);
  });

  it('is told of by the widest that holds', () => {
    const stops = [stop('narrow', production), stop('stage', { stage: 'production' }), stop('all')];
    expect(stopFor(stops, production)?.id).toBe('all');
  });

  it('says what is stopped, by whom and why, in at most 90 characters', () => {
    expect(sayStop(stop('a', production))).toBe('the line of shop to production was stopped by ada: INC-42');
    expect(scopeOf({})).toBe('the line');
    expect(sayStop(stop('a', { reason: 'x'.repeat(300) })).length).toBeLessThanOrEqual(90);
  });
});

describe('the gate that others ask before they deploy', () => {
  const checked = [...planned(step('sync')), taskTriggered(1, 'sync')];
  const waits = (kind: Blocker['kind'], sentence: string): SequenceEvent => ({
    name: 'task.waiting',
    at: START,
    data: { task: 'seq.1-sync', blocker: { kind, sentence }, memo: {} },
  });
  const answer = (...events: SequenceEvent[]) => {
    const stage = changeView([fold(events)], { progress: () => undefined, evidence: () => '' })?.stages[0];
    if (!stage) throw new Error('no stage');
    return gateOfStage(stage, 'deploy', 'https://lynceus.example.com');
  };

  it('stays closed while the line is stopped, and says so', () => {
    expect(answer(...checked, waits('stopped', 'the line was stopped by ada: INC-42'))).toMatchObject({
      result: 'running',
      reason: 'staging: the line was stopped by ada: INC-42',
    });
  });

  it('opens once somebody looked and nothing is stopped', () => {
    expect(answer(...checked).result).toBe('running');
    expect(answer(...checked, waits('sync', 'Argo CD has not synced it yet')).result).toBe('pass');
  });
});
