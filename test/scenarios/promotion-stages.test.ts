import { afterEach, describe, expect, it } from 'vitest';
import { createPromotionLine, type PromotionLine } from '../support/promotion-line.ts';

let line: PromotionLine;
afterEach(() => line.close());

/** `dev` leads to two regions at once, and both of them lead on to `global`. */
const REGIONS = { dev: { to: ['eu', 'us'] }, eu: { to: ['global'] }, us: { to: ['global'] } };

/** What a merge made of the stage's branch. */
const tip = (stage: string) => line.origin.sha(`stage/${stage}`) ?? '';

describe('a stage that leads to several', () => {
  it('has a pull request for each, and one that is closed does not hold up the other', async () => {
    line = createPromotionLine({ dev: { to: ['eu', 'us'], onPass: 'manual' } });
    const change = line.verified('dev', 'ctx-1', line.commit('stage/dev', { 'app.json': '1\n' }));
    await change.settle();
    const [eu, us] = [change.number('eu'), change.number('us')];
    expect(eu).not.toBe(us);
    await line.host.closePullRequest({ url: line.origin.path }, us, 'not there');
    expect(await change.settle()).toMatchObject({ kind: 'waiting', blocker: { kind: 'review' } });
    change.decide('approve');
    const outcome = await change.settle();
    expect(outcome).toMatchObject({
      kind: 'finished',
      result: 'fail',
      message: expect.stringMatching(/^pull request \d was closed.*; promoted to eu/),
    });
    expect(line.read('stage/eu', 'app.json')).toBe('1');
    expect(line.read('stage/us', 'app.json')).toBe('{"version": 0}');
  });
});

describe('one of several promotions that is taken up again', () => {
  it('is approved anew: what was said of the closed pull request is over', async () => {
    const approval = { quorum: 2, groups: [], people: [], authors: 'allow', bots: [], expiresAfterMs: 86_400_000 };
    line = createPromotionLine({ dev: { to: ['eu', 'us'], approval } as never });
    const change = line.verified('dev', 'ctx-1', line.commit('stage/dev', { 'app.json': '1\n' }));
    await change.settle();
    change.decide('approve', 'ada');
    await line.host.closePullRequest({ url: line.origin.path }, change.number('eu'), 'not now');
    await change.settle();
    line.ahead = 10_000;
    change.decide('retry');
    await change.settle();
    line.ahead = 20_000;
    change.decide('approve', 'grace');
    expect(await change.settle()).toMatchObject({ kind: 'waiting', blocker: { kind: 'review' } });
    expect(line.read('stage/us', 'app.json')).toBe('1');
    expect(line.read('stage/eu', 'app.json')).toBe('{"version": 0}');
    change.decide('approve', 'ada');
    expect(await change.settle()).toMatchObject({ kind: 'finished', result: 'pass' });
    expect(line.read('stage/eu', 'app.json')).toBe('1');
  });
});

describe('a stage that several lead to', () => {
  const through = async (context: string, content: string) => {
    const commit = line.commit('stage/dev', { 'app.json': content });
    await line.verified('dev', context, commit).settle();
    return { eu: tip('eu'), us: tip('us') };
  };

  it('gets a change only once all of them have verified it, by one pull request that ends both', async () => {
    line = createPromotionLine(REGIONS);
    const { eu, us } = await through('ctx-1', '1\n');
    const inEu = line.verified('eu', 'ctx-1', eu);
    expect(await inEu.settle()).toMatchObject({
      kind: 'waiting',
      blocker: { kind: 'queue', sentence: 'waits for us to verify it (1 of 2)' },
    });
    const inUs = line.verified('us', 'ctx-1', us);
    expect(await inEu.look()).toMatchObject({ blocker: { sentence: 'the pull request to global is followed in us' } });
    expect(await inUs.settle()).toMatchObject({ kind: 'finished', result: 'pass' });
    expect(await inEu.settle()).toMatchObject({
      kind: 'finished',
      result: 'pass',
      message: expect.stringMatching(/^promoted to global by pull request \d+.*\(by way of us\)$/),
    });
    expect(line.read('stage/global', 'app.json')).toBe('1');
    expect(
      line.origin.git('log', '--first-parent', '--merges', '--format=%s', 'stage/global').split('\n'),
    ).toHaveLength(1);
  });

  it('never gets one that failed in one of them', async () => {
    line = createPromotionLine(REGIONS);
    const { eu, us } = await through('ctx-1', '1\n');
    const inEu = line.verified('eu', 'ctx-1', eu);
    await inEu.settle();
    line.arrived('us', 'ctx-1', us, 'fail');
    expect(await inEu.settle()).toMatchObject({
      kind: 'finished',
      result: 'fail',
      message: 'us does not let it go on: it failed there',
    });
    expect(line.read('stage/global', 'app.json')).toBe('{"version": 0}');
  });

  it('is not waited for by a change that one of them has passed by', async () => {
    line = createPromotionLine(REGIONS);
    const first = await through('ctx-1', '1\n');
    const inEu = line.verified('eu', 'ctx-1', first.eu);
    await inEu.settle();
    const second = await through('ctx-2', '2\n');
    line.verified('eu', 'ctx-2', second.eu);
    line.arrived('us', 'ctx-2', second.us);
    expect(await inEu.settle()).toMatchObject({
      status: 'aborted',
      message: 'us went on to a newer change',
    });
  });

  it('does not get what the one verified without what the other did', async () => {
    line = createPromotionLine(REGIONS);
    const { eu } = await through('ctx-1', '1\n');
    const us = line.commit('stage/us', { 'region.json': 'us\n' }, 'Patch by hand');
    const inEu = line.verified('eu', 'ctx-1', eu);
    await inEu.settle();
    const inUs = line.verified('us', 'ctx-1', us);
    expect(await inUs.settle()).toMatchObject({
      result: 'fail',
      message: 'eu and us verified different files: region.json; not promoted to global',
    });
    expect(await inEu.settle()).toMatchObject({ kind: 'finished', result: 'fail' });
  });

  it('says of both that a newer change took their place, whichever of them opened it', async () => {
    const manual = { to: ['global'], onPass: 'manual' as const };
    line = createPromotionLine({ ...REGIONS, eu: manual, us: manual });
    const first = await through('ctx-1', '1\n');
    const older = [line.verified('eu', 'ctx-1', first.eu), line.verified('us', 'ctx-1', first.us)];
    for (const one of older) await one.settle();
    const second = await through('ctx-2', '2\n');
    // The other way round: this time the other one comes last.
    const newer = [line.verified('us', 'ctx-2', second.us), line.verified('eu', 'ctx-2', second.eu)];
    for (const one of [...newer, ...newer]) await one.settle();
    for (const one of [...older].reverse()) {
      expect(await one.settle()).toMatchObject({
        kind: 'finished',
        status: 'aborted',
        message: expect.stringMatching(/newer/),
      });
    }
  });

  it('is opened by exactly one, whichever looks first', async () => {
    line = createPromotionLine({
      ...REGIONS,
      eu: { to: ['global'], onPass: 'manual' },
      us: { to: ['global'], onPass: 'manual' },
    });
    const { eu, us } = await through('ctx-1', '1\n');
    const both = [line.verified('eu', 'ctx-1', eu), line.verified('us', 'ctx-1', us)];
    await Promise.all(both.map((one) => one.look()));
    await Promise.all(both.map((one) => one.look()));
    expect(both.map((one) => one.number('global') > 0).filter(Boolean)).toHaveLength(1);
  });
});
