import { describe, expect, it } from 'vitest';
import { fold } from '../../src/engine/sequence.ts';
import type { SequenceEvent } from '../../src/events/types.ts';
import { BARE_FRAME } from '../../src/ui/layout.ts';
import { changePage } from '../../src/ui/pages/change.ts';
import { changeView } from '../../src/views/change.ts';
import { planned, START, step, taskTriggered } from '../support/sequence.ts';

const targets = ['eu', 'us'].map((to) => ({ to, branch: `stage/${to}` }));
const merged = {
  status: 'succeeded',
  result: 'pass',
  message: 'promoted to eu',
  data: { pullRequest: 7, mergeSha: 'm' },
};
const drift = { commits: [{ sha: 'a'.repeat(40), subject: '<b>Patch</b> by hand', author: 'Eve' }], total: 12 };

function view(memo: object, ...more: SequenceEvent[]) {
  const waits = {
    name: 'task.waiting',
    at: START,
    data: { task: 'seq.1-promotion', blocker: { kind: 'review', sentence: 'needs an approval' }, memo },
  } as SequenceEvent;
  const { to: _, branch: __, ...promotion } = step('promotion') as { to?: string; branch?: string };
  const events = [...planned({ ...promotion, targets } as never), taskTriggered(1, 'promotion'), waits, ...more];
  const found = changeView([fold(events)], { progress: () => undefined, evidence: () => 'e' });
  if (!found) throw new Error('no change');
  return found;
}

describe('a change that goes to several stages', () => {
  const memo = {
    targets: {
      eu: { pullRequest: 7, outcome: merged },
      us: { pullRequest: 8, url: 'https://git.example.com/8', drift },
    },
  };

  it('shows each of them, and what others brought to its branch', () => {
    const change = view(memo);
    expect(change.stages[0]?.promotions).toEqual([
      { to: 'eu', state: 'promoted', pullRequest: 7, message: 'promoted to eu' },
      { to: 'us', state: 'open', pullRequest: 8, url: 'https://git.example.com/8', drift },
    ]);
    const page = changePage(BARE_FRAME, { change, steps: [] });
    expect(page).toContain('eu: promoted');
    expect(page).toContain('us: open');
    expect(page).toContain('12 commits on the branch of us that no promotion brought');
    expect(page).toContain('&lt;b&gt;Patch&lt;/b&gt; by hand (Eve)');
    expect(page).toContain('and 11 more');
    expect(page).not.toContain('Promote again');
  });

  it('can be promoted again where somebody closed one', () => {
    const closed = {
      status: 'succeeded',
      result: 'fail',
      message: 'pull request 8 was closed',
      data: { closed: true },
    };
    const change = view({ targets: { eu: { outcome: merged }, us: { pullRequest: 8, outcome: closed } } });
    expect(change.stages[0]).toMatchObject({ canBeTakenUp: true });
    expect(changePage(BARE_FRAME, { change, steps: [] })).toContain('value="retry"');
  });

  it('waits where it has no pull request yet', () => {
    expect(view({ targets: { eu: { ready: true } } }).stages[0]?.promotions).toEqual([
      { to: 'eu', state: 'waiting' },
      { to: 'us', state: 'waiting' },
    ]);
  });
});
