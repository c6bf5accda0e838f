import { describe, expect, it } from 'vitest';
import { checkDecision } from '../../src/engine/decisions.ts';
import { evolve, fold, type SequenceState } from '../../src/engine/sequence.ts';
import { syncsAskedFor } from '../../src/engine/sync-by-hand.ts';
import type { Blocker } from '../../src/events/types.ts';
import { changeView } from '../../src/views/change.ts';
import { COMMIT, decision, minute, planned, step, taskTriggered } from '../support/sequence.ts';

const LIN = { name: 'lin', groups: [], method: 'token' } as const;

function waitingFor(blocker: Blocker): SequenceState {
  const sync = [...planned(step('sync', { mode: 'automatic' })), taskTriggered(1, 'sync')];
  return evolve(fold(sync), { name: 'task.waiting', at: minute(1), data: { task: 'seq.1-sync', blocker, memo: {} } });
}

const left = waitingFor({ kind: 'sync', sentence: 'somebody has to sync it in Argo CD', byHand: true });
const asked = (state: SequenceState, revision = COMMIT) =>
  checkDecision(state, { verdict: 'sync', reason: 'now', revision }, LIN, 'e');
const tools = { progress: () => undefined, evidence: () => 'e' };

describe('a sync that is left to people', () => {
  it('can be asked for, for the commit that was seen', () => {
    expect(changeView([left], tools)?.stages).toMatchObject([{ canBeSynced: true }]);
    const checked = asked(left);
    expect(checked).toMatchObject({ ok: true, decision: { verdict: 'sync', task: 'seq.1-sync', actor: 'lin' } });
    const after = evolve(left, decision('sync', { task: 'seq.1-sync' }));
    expect(syncsAskedFor(after.tasks.at(-1)!)).toBe(1);
    expect(asked(left, '1'.repeat(40))).toMatchObject({ ok: false, refusal: 'stale' });
  });

  it.each<[string, SequenceState]>([
    ['goes on by itself', waitingFor({ kind: 'sync', sentence: 'Argo CD has not synced it yet' })],
    ['waits for a window', waitingFor({ kind: 'window', sentence: 'closed until 18:00' })],
    ['is held', evolve(left, decision('pause'))],
    ['has not begun', fold(planned(step('sync')))],
  ])('is nothing to ask for where it %s', (_, state) => {
    expect(asked(state)).toMatchObject({ ok: false, refusal: 'nothing-to-decide' });
    expect(changeView([state], tools)?.stages[0]).not.toHaveProperty('canBeSynced');
  });
});
