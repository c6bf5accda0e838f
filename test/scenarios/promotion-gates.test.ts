import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toWindow } from '../../src/definitions/delivery-window.ts';
import type { StageVerdict } from '../../src/engine/stage-verdict.ts';
import { createPromotionLine, type PromotionLine, type Verified } from '../support/promotion-line.ts';

let line: PromotionLine;
let change: Verified;
beforeEach(() => {
  line = createPromotionLine({ staging: { to: ['production'] } });
  change = line.verified('staging', 'ctx-1', line.commit('stage/staging', { 'app.json': '1\n' }));
});
afterEach(() => line.close());

const arrived = () => line.read('stage/production', 'app.json') === '1';

describe('a stopped line', () => {
  it('lets nothing in, says who stopped it and why, and goes on afterwards', async () => {
    line.stops = [{ id: 'a', at: '2026-03-02T10:00:00Z', actor: 'ada', reason: 'INC-42', stage: 'production' }];
    expect(await change.settle()).toMatchObject({
      kind: 'waiting',
      blocker: { kind: 'stopped', sentence: 'the line to production was stopped by ada: INC-42' },
    });
    expect(arrived()).toBe(false);
    line.stops = [];
    expect(await change.settle()).toMatchObject({ kind: 'finished', result: 'pass' });
    expect(arrived()).toBe(true);
  });

  it('somewhere else stops nothing here', async () => {
    line.stops = [{ id: 'a', at: '2026-03-02T10:00:00Z', actor: 'ada', reason: 'x', stage: 'staging' }];
    expect(await change.settle()).toMatchObject({ kind: 'finished', result: 'pass' });
  });
});

describe('a change that somebody holds', () => {
  it('is not merged until somebody lets it go on', async () => {
    change.decide('pause');
    expect(await change.settle()).toMatchObject({ blocker: { kind: 'review', sentence: 'held by ada: told so' } });
    change.decide('resume');
    expect(await change.settle()).toMatchObject({ kind: 'finished', result: 'pass' });
  });
});

describe('a window', () => {
  const all = (kind: 'allow' | 'deny') => [toWindow({ [kind]: '00:00/24:00', reason: 'holidays' })];
  const withWindows = (policy: object) => {
    line.close();
    line = createPromotionLine({ staging: { to: ['production'], ...policy } });
    change = line.verified('staging', 'ctx-1', line.commit('stage/staging', { 'app.json': '1\n' }));
  };

  it('that is closed holds the merge back, and says until when', async () => {
    withWindows({ windows: all('deny') });
    const outcome = await change.settle();
    expect(outcome).toMatchObject({ kind: 'waiting', blocker: { kind: 'window' } });
    expect(outcome.kind === 'waiting' && outcome.blocker).toMatchObject({
      sentence: expect.stringContaining('holidays'),
      until: expect.any(String),
    });
    expect(arrived()).toBe(false);
  });

  it('that is open holds nothing back', async () => {
    withWindows({ windows: all('allow') });
    expect(await change.settle()).toMatchObject({ kind: 'finished', result: 'pass' });
  });
});

describe('a later evaluation in the stage that verified it', () => {
  const verdict = (
    result: StageVerdict['result'],
    seconds: number,
    more: Partial<StageVerdict> = {},
  ): StageVerdict => ({
    id: `e-${seconds}`,
    context: 'another',
    revision: change.commit,
    result,
    at: new Date(Date.now() + seconds * 1000).toISOString(),
    score: 62.5,
    ...more,
  });

  it('that fails withdraws the green mark, and a still later one gives it back', async () => {
    line.verdicts = [verdict('fail', 1)];
    expect(await change.settle()).toMatchObject({
      kind: 'waiting',
      blocker: {
        kind: 'evaluation',
        sentence: expect.stringMatching(/^staging evaluated it again with 62.5 of 100 at .*: fail$/),
      },
    });
    expect(arrived()).toBe(false);
    line.verdicts = [verdict('pass', 2), ...line.verdicts];
    expect(await change.settle()).toMatchObject({ kind: 'finished', result: 'pass' });
  });

  it('that failed is not forgotten once those of many other changes came after it', async () => {
    line.verdicts = [verdict('fail', 1)];
    await change.settle();
    const other = { revision: 'f'.repeat(40) };
    line.verdicts = Array.from({ length: 100 }, (_, at) => verdict('pass', 200 - at, other));
    expect(await change.settle()).toMatchObject({ kind: 'waiting', blocker: { kind: 'evaluation' } });
    line.verdicts = [verdict('pass', 300), ...line.verdicts];
    expect(await change.settle()).toMatchObject({ kind: 'finished', result: 'pass' });
  });

  it('that was declared invalid counts for nothing', async () => {
    line.verdicts = [verdict('fail', 1, { invalidated: { actor: 'ada', reason: 'wrong query' } })];
    expect(await change.settle()).toMatchObject({ kind: 'finished', result: 'pass' });
  });

  it('of another commit says nothing', async () => {
    line.verdicts = [verdict('fail', 1, { revision: 'f'.repeat(40) })];
    expect(await change.settle()).toMatchObject({ kind: 'finished', result: 'pass' });
  });
});

describe('a promotion that somebody closed', () => {
  it('is taken up again with a new pull request when a person asks for it', async () => {
    line.close();
    line = createPromotionLine({ staging: { to: ['production'], onPass: 'manual' } });
    change = line.verified('staging', 'ctx-1', line.commit('stage/staging', { 'app.json': '1\n' }));
    await change.settle();
    const first = change.number('production');
    await line.host.closePullRequest({ url: line.origin.path }, first, 'not today');
    expect(await change.settle()).toMatchObject({
      kind: 'finished',
      result: 'fail',
      message: `pull request ${first} was closed by Lynceus`,
    });
    const at = new Date().toISOString();
    change.happens({
      name: 'sequence.finished',
      at,
      data: { status: 'succeeded', result: 'fail', reason: 'failed', message: '' },
    });
    change.decide('retry');
    const { sequence } = change.state().triggered ?? { sequence: '' };
    const task = `${sequence}.2-promotion`;
    change.happens({ name: 'task.triggered', at, data: { task, name: 'promotion', timeLimitMs: 86_400_000 } });
    await change.settle();
    expect(change.number('production')).toBeGreaterThan(first);
    change.decide('approve');
    expect(await change.settle()).toMatchObject({ kind: 'finished', result: 'pass' });
    expect(arrived()).toBe(true);
  });
});
