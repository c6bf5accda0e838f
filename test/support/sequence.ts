import { expect } from 'vitest';
import { decide, type Line } from '../../src/engine/decide.ts';
import type { PlannedTask } from '../../src/engine/plan.ts';
import { planToJson } from '../../src/engine/plan.ts';
import { fold } from '../../src/engine/sequence.ts';
import type {
  DecisionMade,
  Result,
  SequenceEvent,
  SequenceTriggered,
  Status,
  TaskName,
} from '../../src/events/types.ts';

export const COMMIT = '8a3d1f0c6b7e4d5a9f2b1c0d3e4f5a6b7c8d9e0f';
export const START = '2026-03-02T10:00:00.000Z';

/** A moment some minutes after the sequence was triggered. */
export function minute(minutes: number): string {
  return new Date(Date.parse(START) + minutes * 60_000).toISOString();
}

export function triggered(changes: Partial<SequenceTriggered> = {}): SequenceEvent {
  return {
    name: 'sequence.triggered',
    at: START,
    data: {
      sequence: 'seq',
      context: 'ctx',
      place: { project: 'shop', stage: 'staging', service: 'checkout' },
      revision: COMMIT,
      source: { repoUrl: 'https://git.example.com/shop.git', path: '.' },
      automated: false,
      application: { system: 'main', namespace: 'argocd', name: 'checkout', uid: 'u1', systemProject: 'default' },
      ...changes,
    },
  };
}

export const started: SequenceEvent = { name: 'sequence.started', at: START, data: {} };

const STEPS: Record<string, PlannedTask> = {
  checks: { name: 'checks', timeLimitMs: 3_600_000, windows: [] },
  approval: { name: 'approval', timeLimitMs: 3_600_000, always: false, quorum: 1, groups: [] },
  sync: { name: 'sync', timeLimitMs: 600_000, mode: 'gated', prune: false },
  rollout: { name: 'rollout', timeLimitMs: 600_000, settleMs: 10_000 },
  soak: { name: 'soak', timeLimitMs: 3_600_000, durationMs: 60_000 },
  promotion: {
    name: 'promotion',
    timeLimitMs: 3_600_000,
    to: 'production',
    branch: 'stage/production',
    onPass: 'manual',
    onWarning: 'none',
  },
};

/** A step of a plan with some of its fields changed. */
export function step<Name extends keyof typeof STEPS>(name: Name, changes: object = {}): PlannedTask {
  return { ...STEPS[name], ...changes } as PlannedTask;
}

let position = 0;

/** The events of a task that was triggered; ids follow the engine's. */
export function taskTriggered(at: number, name: TaskName, timeLimitMs = 600_000, when = START): SequenceEvent {
  position = at;
  return { name: 'task.triggered', at: when, data: { task: `seq.${at}-${name}`, name, timeLimitMs } };
}

export function taskFinished(
  name: TaskName,
  result: Result,
  changes: { status?: Status; message?: string; data?: Record<string, never> | object; position?: number } = {},
): SequenceEvent {
  const { status = 'succeeded', message = `${name} says ${result}`, data = {} } = changes;
  return {
    name: 'task.finished',
    at: START,
    data: {
      task: `seq.${changes.position ?? position}-${name}`,
      name,
      status,
      result,
      message,
      data: data as Record<string, never>,
    },
  };
}

/** A sequence whose plan has these steps, and which has done the first ones. */
export function planned(...steps: PlannedTask[]): SequenceEvent[] {
  const data = planToJson({ steps, files: [] });
  return [triggered(), started, taskTriggered(0, 'plan'), taskFinished('plan', 'pass', { data })];
}

export function decision(verdict: DecisionMade['verdict'], changes: Partial<DecisionMade> = {}): SequenceEvent {
  const data: DecisionMade = {
    decision: `d-${verdict}-${changes.actor ?? 'ada'}`,
    verdict,
    actor: 'ada',
    method: 'token',
    reason: 'because',
    revision: COMMIT,
    evidence: 'e',
    ...changes,
  };
  return { name: 'decision.made', at: START, data };
}

/** `given(history).at(minute).alone().then(events)`: the language of the engine's tests. */
export function given(...history: SequenceEvent[]) {
  const state = fold(history);
  const asking = (now: string, line: Line) => {
    const events = decide(state, { now, line });
    return {
      events,
      /** Matches what each event must say; more fields are fine, more events are not. */
      says(...expected: object[]) {
        expect(events.map(({ name, data }) => ({ ...data, name }))).toMatchObject(expected);
        expect(events).toHaveLength(expected.length);
      },
      saysNothing() {
        expect(events).toEqual([]);
      },
    };
  };
  return {
    state,
    now: (minutes = 1, line: Line = {}) => asking(minute(minutes), line),
  };
}
