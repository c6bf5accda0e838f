import { describe, expect, it } from 'vitest';
import { decide } from '../../src/engine/decide.ts';
import { fold } from '../../src/engine/sequence.ts';
import type { SequenceEvent } from '../../src/events/types.ts';
import { planned, step, taskTriggered } from '../support/sequence.ts';

const START = Date.parse('2026-03-02T10:00:00.000Z');
const HOUR = 3_600_000;
const at = (hours: number) => new Date(START + hours * HOUR).toISOString();

function waits(hours: number, kind: 'window' | 'sync', memo = {}): SequenceEvent {
  return { name: 'task.waiting', at: at(hours), data: { task: 'seq.1-sync', blocker: { kind, sentence: kind }, memo } };
}
const begun = [...planned(step('sync')), { ...taskTriggered(1, 'sync', HOUR), at: at(0) }] as SequenceEvent[];
const decided = (events: SequenceEvent[], hours: number, line = {}) =>
  decide(fold([...begun, ...events]), { now: at(hours), line }).map(({ name }) => name);

describe('a sync that a window of Argo CD keeps waiting', () => {
  it('does not fail for want of time over a weekend, but it does after two weeks', () => {
    expect(decided([waits(0.5, 'window')], 60)).toEqual([]);
    expect(decided([waits(0.5, 'window')], 14 * 24 + 1)).toContain('sequence.finished');
  });

  it('has as much time left when the window opens as it had when it closed', () => {
    const story = [waits(0.5, 'window'), waits(60.5, 'sync')];
    expect(decided(story, 60.9)).toEqual([]);
    expect(decided(story, 61.1)).toContain('sequence.finished');
  });

  it('gives way to a newer change, unless it was asked for already', () => {
    const line = { newer: 'another' };
    expect(decided([waits(0.5, 'window')], 1, line)).toContain('sequence.finished');
    expect(decided([waits(0.5, 'window', { intents: { 'main/argocd/a': at(0.4) } })], 0.9, line)).toEqual([]);
  });

  it('has its usual time when nothing but the sync itself is slow', () => {
    expect(decided([waits(0.5, 'sync')], 1.1)).toContain('sequence.finished');
  });
});
