import { describe, expect, it } from 'vitest';
import { toWindow } from '../../src/definitions/delivery-window.ts';
import { fold } from '../../src/engine/sequence.ts';
import type { StageVerdict } from '../../src/engine/stage-verdict.ts';
import { conflictComment, conflictGate, sayCollision } from '../../src/promotion/conflict.ts';
import { firstClosed } from '../../src/promotion/gate.ts';
import { holdGate, stopGate } from '../../src/promotion/gates/people.ts';
import { verificationGate } from '../../src/promotion/gates/verification.ts';
import { windowGate } from '../../src/promotion/gates/windows.ts';
import { COMMIT, planned, START, step, taskFinished, taskTriggered } from '../support/sequence.ts';

const OTHER = 'f'.repeat(40);
const NOON = new Date('2026-03-04T12:00:00Z');

describe('the gate of verification', () => {
  const evaluated = fold([
    ...planned(step('evaluation')),
    taskTriggered(1, 'evaluation'),
    taskFinished('evaluation', 'pass'),
  ]);
  const own: StageVerdict = { id: 'seq.1-evaluation', context: 'ctx', revision: COMMIT, result: 'pass', at: START };
  const later = (result: StageVerdict['result'], more: Partial<StageVerdict> = {}): StageVerdict => ({
    id: `later-${result}`,
    context: 'of its own',
    revision: COMMIT,
    result,
    at: '2026-03-02T11:00:00.000Z',
    score: 61.25,
    ...more,
  });
  const by = { actor: 'ada', reason: 'the query was wrong' };

  it.each<[string, StageVerdict[], string, string]>([
    ['nothing but its own', [own], 'success', 'it was verified'],
    ['nothing at all', [], 'success', 'it was verified'],
    [
      'a later fail',
      [later('fail'), own],
      'failure',
      'staging evaluated it again with 61.3 of 100 at 2026-03-02T11:00Z: fail',
    ],
    [
      'a later warning',
      [later('warning'), own],
      'success',
      'staging evaluated it again with 61.3 of 100 at 2026-03-02T11:00Z: warning',
    ],
    [
      'a still later pass',
      [later('pass'), later('fail'), own],
      'success',
      'staging evaluated it again with 61.3 of 100 at 2026-03-02T11:00Z: pass',
    ],
    ['a later fail of another commit', [later('fail', { revision: OTHER }), own], 'success', 'it was verified'],
    [
      'a later fail of the same change',
      [later('fail', { revision: OTHER, context: 'ctx' }), own],
      'failure',
      'staging evaluated it again with 61.3 of 100 at 2026-03-02T11:00Z: fail',
    ],
    ['a later fail that is invalid', [later('fail', { invalidated: by }), own], 'success', 'it was verified'],
    [
      'its own that is invalid',
      [{ ...own, invalidated: by }],
      'failure',
      'its evaluation was declared invalid by ada: the query was wrong',
    ],
    [
      'its own that is invalid, done again',
      [later('pass'), { ...own, invalidated: by }],
      'success',
      'staging evaluated it again with 61.3 of 100 at 2026-03-02T11:00Z: pass',
    ],
    [
      'one from before it was delivered',
      [own, later('fail', { at: '2026-03-02T09:00:00.000Z' })],
      'success',
      'it was verified',
    ],
  ])('with %s', (_, verdicts, state, sentence) => {
    expect(verificationGate(evaluated, verdicts)).toMatchObject({ name: 'verification', state, sentence });
  });

  it('of a stage without an evaluation is closed by one that somebody asks for', () => {
    const plain = fold(planned(step('promotion')));
    expect(verificationGate(plain, []).state).toBe('success');
    expect(verificationGate(plain, [later('fail')]).state).toBe('failure');
  });
});

describe('the gate of windows', () => {
  const open = toWindow({ allow: 'MO-FR 09:00/17:00' });
  const freeze = toWindow({ deny: 'WE 00:00/24:00', reason: 'release of the year' });
  const night = toWindow({ deny: 'WE 11:00/13:00' });

  it('is none where no windows are', () => {
    expect(windowGate([[], []], NOON)).toBeUndefined();
  });

  it('is open while all lists are, and closed while one is', () => {
    expect(windowGate([[open], []], NOON)).toMatchObject({ state: 'success' });
    expect(windowGate([[open], [night]], NOON)).toMatchObject({ state: 'pending', until: '2026-03-04T13:00:00.000Z' });
  });

  it('opens when the last of them does', () => {
    expect(windowGate([[night], [freeze]], NOON)).toMatchObject({
      until: '2026-03-05T00:00:00.000Z',
      sentence: expect.stringContaining('release of the year'),
    });
  });
});

describe('every gate', () => {
  const long = 'x'.repeat(500);
  const gates = [
    stopGate({ id: 'a', at: START, actor: long, reason: long }),
    holdGate({ paused: { at: START, actor: long, reason: long } }),
    conflictGate({ conflict: { head: 'h', base: 'b', sentence: 'two files collide' } }, false, 7),
    conflictGate({}, true, 7),
  ];

  it('says why in at most 90 characters', () => {
    for (const { sentence, state } of gates) {
      expect(state).toBe('failure');
      expect(sentence.length).toBeLessThanOrEqual(90);
    }
  });

  it('is named before those that only take time', () => {
    const pending = windowGate([[toWindow({ deny: 'WE 11:00/13:00' })]], NOON);
    const [stop] = gates;
    if (!pending || !stop) throw new Error('no gate');
    expect(firstClosed([pending, stop])?.name).toBe('stop-the-line');
  });
});

describe('a collision', () => {
  const collision = {
    branch: 'stage/production',
    stage: 'production',
    files: ['a.yaml', 'b.yaml', 'c.yaml'],
    totalFiles: 3,
    commits: [{ sha: 'a'.repeat(40), subject: 'Fix <img src=x> for @team, closes #12', author: '@eve' }],
    totalCommits: 251,
  };

  it('names the first files and counts the rest', () => {
    expect(sayCollision(collision)).toBe('3 files collide with stage/production: a.yaml, b.yaml and 1 more');
    expect(sayCollision({ ...collision, files: [], totalFiles: 0 })).toContain('the histories collide');
  });

  it('mentions nobody, closes nothing and brings no markup of others', () => {
    const text = conflictComment(collision);
    expect(text).not.toMatch(/<img|@team|@eve|#12/);
    expect(text).toContain('- and 250 more commits');
    expect(text.startsWith('<!-- lynceus:conflict -->\n')).toBe(true);
  });
});
