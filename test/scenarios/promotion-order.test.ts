import { afterEach, describe, expect, it } from 'vitest';
import { createPromotionLine, type PromotionLine, type Verified } from '../support/promotion-line.ts';

let line: PromotionLine;
afterEach(() => line.close());

const change = (number: number): Verified =>
  line.verified('staging', `ctx-${number}`, line.commit('stage/staging', { 'app.json': `${number}\n` }));
const state = async (one: Verified) => (await line.pullRequest(one.number('production'))).state;

describe('the newest change', () => {
  const manual = { staging: { to: ['production'], onPass: 'manual' as const } };

  it('takes the place of an older one, which says where it went on', async () => {
    line = createPromotionLine(manual);
    const older = change(1);
    await older.settle();
    const number = older.number('production');
    const newer = change(2);
    await newer.settle();
    expect((await line.pullRequest(number)).state).toBe('closed');
    expect(await state(newer)).toBe('open');
    const outcome = await older.settle();
    const replacement = newer.number('production');
    expect(outcome).toMatchObject({
      status: 'aborted',
      message: `pull request ${number} made room for ${replacement}, a newer promotion`,
      data: { reason: 'superseded' },
    });
  });

  it('is not taken over by an older one that comes late', async () => {
    line = createPromotionLine(manual);
    const [older, newer] = [change(1), change(2)];
    await newer.settle();
    expect(await older.settle()).toMatchObject({
      status: 'aborted',
      message: `pull request ${newer.number('production')} brings a newer change to production`,
    });
    expect(await state(newer)).toBe('open');
  });

  it('and an older one that open in the same moment leave one open, the newer', async () => {
    line = createPromotionLine(manual);
    const [older, newer] = [change(1), change(2)];
    await Promise.all([older.look(), newer.look()]);
    for (const one of [older, newer]) if (one.state().tasks.at(-1)?.finishedAt === undefined) await one.settle();
    const found = await line.host.findOpenPullRequests(
      { url: line.origin.path },
      { headPrefix: 'lynceus/', baseBranch: 'stage/production' },
    );
    expect(found.map(({ number }) => number)).toEqual([newer.number('production')]);
  });

  it('that nobody has opened yet is waited for before an older one counts as closed by somebody', async () => {
    line = createPromotionLine(manual);
    const older = change(1);
    await older.settle();
    await line.host.closePullRequest({ url: line.origin.path }, older.number('production'), 'no');
    change(2);
    expect(await older.look()).toMatchObject({ kind: 'waiting', blocker: { kind: 'queue' } });
    line.ahead = 120_000;
    expect(await older.look()).toMatchObject({
      kind: 'finished',
      result: 'fail',
      message: expect.stringMatching(/was closed/),
    });
  });
});

describe('a queue', () => {
  const queue = { staging: { to: ['production'], onPass: 'manual' as const, order: 'queue' as const } };

  it('keeps its order however long it is', async () => {
    line = createPromotionLine(queue);
    const [first, second] = [change(1), change(2)];
    for (let place = 3; place <= 60; place += 1) line.verified('staging', `ctx-${place}`, second.commit);
    await first.settle();
    expect(await second.look()).toMatchObject({
      kind: 'waiting',
      blocker: { kind: 'queue', sentence: expect.stringContaining('comes first') },
    });
    expect(await state(first)).toBe('open');
  });

  it('lets the next one in once the one before is merged and verified where it went', async () => {
    line = createPromotionLine(queue);
    const [first, second] = [change(1), change(2)];
    await first.settle();
    const number = first.number('production');
    expect(await second.settle()).toMatchObject({
      kind: 'waiting',
      blocker: {
        kind: 'queue',
        sentence: `pull request ${number} (${first.commit.slice(0, 8)}) to production comes first`,
      },
    });
    first.decide('approve');
    expect(await first.settle()).toMatchObject({ kind: 'finished', result: 'pass' });
    const verifying = {
      sentence: `production has not verified pull request ${number} (${first.commit.slice(0, 8)}) yet`,
    };
    expect(await second.settle()).toMatchObject({ kind: 'waiting', blocker: verifying });
    line.arrived('production', 'ctx-1', line.origin.sha('stage/production') ?? '');
    expect(await second.settle()).toMatchObject({ kind: 'waiting', blocker: verifying });
    line.arrived('production', 'ctx-1', line.origin.sha('stage/production') ?? '', 'pass');
    expect(await second.settle()).toMatchObject({ kind: 'waiting', blocker: { kind: 'review' } });
    expect(await state(second)).toBe('open');
  });

  it('goes on when the one before is closed by somebody, who is not taken for a newer change', async () => {
    line = createPromotionLine(queue);
    const [first, second] = [change(1), change(2)];
    await first.settle();
    await second.settle();
    await line.host.closePullRequest({ url: line.origin.path }, first.number('production'), 'no');
    expect(await first.settle()).toMatchObject({ kind: 'finished', result: 'fail', data: { closed: true } });
    expect(await second.settle()).toMatchObject({ kind: 'waiting', blocker: { kind: 'review' } });
  });

  it('has a change that is taken up again wait for what came in between', async () => {
    line = createPromotionLine(queue);
    const [first, second] = [change(1), change(2)];
    await first.settle();
    await line.host.closePullRequest({ url: line.origin.path }, first.number('production'), 'no');
    await first.settle();
    await second.settle();
    const at = new Date().toISOString();
    first.decide('retry');
    const task = `${first.state().triggered?.sequence}.2-promotion`;
    first.happens({ name: 'task.triggered', at, data: { task, name: 'promotion', timeLimitMs: 86_400_000 } });
    const sentence = `pull request ${second.number('production')} to production comes first`;
    expect(await first.settle()).toMatchObject({ kind: 'waiting', blocker: { kind: 'queue', sentence } });
    second.decide('approve');
    await second.settle();
    expect(await first.settle()).toMatchObject({ result: 'pass', message: expect.stringContaining('already') });
  });

  it('lets the remedy in when the one before failed where it went', async () => {
    line = createPromotionLine({ staging: { to: ['production'], order: 'queue' } });
    const first = change(1);
    await first.settle();
    const second = change(2);
    line.arrived('production', 'ctx-1', line.origin.sha('stage/production') ?? '', 'fail');
    expect(await second.settle()).toMatchObject({ kind: 'finished', result: 'pass' });
  });

  it('brings all of them, in their order', async () => {
    line = createPromotionLine({ staging: { to: ['production'], order: 'queue' } });
    const changes = [1, 2, 3].map(change);
    for (const [at, one] of changes.entries()) {
      await one.settle();
      line.arrived('production', `ctx-${at + 1}`, line.origin.sha('stage/production') ?? '', 'pass');
    }
    const merges = line.origin.git('log', '--first-parent', '--merges', '--reverse', '--format=%P', 'stage/production');
    expect(merges.split('\n').map((parents) => parents.split(' ')[1])).toEqual(changes.map(({ commit }) => commit));
  });
});
