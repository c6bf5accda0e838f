import { describe, expect, it } from 'vitest';
import { fold } from '../../src/engine/sequence.ts';
import type { SequenceEvent } from '../../src/events/types.ts';
import { BARE_FRAME } from '../../src/ui/layout.ts';
import { changePage } from '../../src/ui/pages/change.ts';
import { type ChangeView, changeView } from '../../src/views/change.ts';
import { COMMIT, planned, START, step, taskFinished, taskTriggered, triggered } from '../support/sequence.ts';

const GOOD = '1'.repeat(40);
const memo = { by: 'pullRequest', good: GOOD, pullRequest: 7, url: 'https://git.example.com/7', reviews: 'lynceus' };

const failed = [
  ...planned(step('sync')),
  taskTriggered(1, 'sync'),
  taskFinished('sync', 'pass'),
  taskTriggered(2, 'test'),
  taskFinished('test', 'fail', { message: 'half of the requests failed' }),
  taskTriggered(3, 'rollback', 1e12),
];
const waits = (more: object = {}): SequenceEvent =>
  ({
    name: 'task.waiting',
    at: START,
    data: {
      task: 'seq.3-rollback',
      blocker: { kind: 'review', sentence: 'needs an approval' },
      memo: { ...memo, ...more },
    },
  }) as SequenceEvent;
const ended = (result: 'pass' | 'fail', data: object, message: string): SequenceEvent[] => [
  waits(),
  taskFinished('rollback', result, { position: 3, data, message }),
  { name: 'sequence.finished', at: START, data: { status: 'succeeded', result: 'fail', reason: 'failed', message } },
];

function view(...events: SequenceEvent[]): ChangeView {
  const found = changeView([fold(events)], { progress: () => undefined, evidence: () => 'e' });
  if (!found) throw new Error('no change');
  return found;
}

describe('the page of a change that failed', () => {
  it('asks a person where the revert waits for one, and says what is merged', () => {
    const change = view(...failed, waits());
    expect(change.stages[0]).toMatchObject({
      rollback: { state: 'under way', by: 'pullRequest', to: GOOD },
      pullRequest: { number: 7, to: 'staging' },
      decide: { what: 'rollback', task: 'seq.3-rollback' },
    });
    const page = changePage(BARE_FRAME, { change, steps: [] });
    expect(page).toContain('Roll back: merge pull request 7');
    expect(page).toMatch(/going back[\s\S]*11111111/);
  });

  it('asks nobody any more once it is merged, or where the Git host has the reviews', () => {
    expect(view(...failed, waits({ mergeSha: 'x' })).stages[0]?.decide).toBeUndefined();
    expect(view(...failed, waits({ reviews: 'host' })).stages[0]?.decide).toBeUndefined();
  });

  it.each<[string, 'pass' | 'fail', object, string]>([
    ['that it was rolled back', 'pass', { to: GOOD, by: 'sync' }, 'failed, rolled back'],
    ['loudly that its rollback failed', 'fail', {}, 'failed, ROLLBACK FAILED'],
    ['that it was not rolled back on purpose', 'fail', { notRolledBack: true }, 'failed, not rolled back'],
  ])('says %s, in its heading as well', (_what, result, data, words) => {
    const change = view(...failed, ...ended(result, data, 'over'));
    expect(changePage(BARE_FRAME, { change, steps: [] })).toContain(`staging: ${words}`);
    expect(changePage(BARE_FRAME, { change, steps: [] })).toContain(words.replace('failed, ', ''));
  });
});

describe('the page of a revert', () => {
  it('says what it takes back, and is no change that passed', () => {
    const rollsBack = { sequence: 's1', revision: COMMIT, to: GOOD, pullRequest: 7 };
    const finished: SequenceEvent = {
      name: 'sequence.finished',
      at: START,
      data: { status: 'succeeded', result: 'pass', reason: 'completed', message: 'rolled back' },
    };
    const change = view(triggered({ rollsBack, revision: '3'.repeat(40) }), finished);
    expect(changePage(BARE_FRAME, { change, steps: [] })).toContain('staging: rollback passed');
    expect(changePage(BARE_FRAME, { change, steps: [] })).toMatch(
      /Takes back [\s\S]*8a3d1f0c[\s\S]*which failed here[\s\S]*11111111/,
    );
  });
});
