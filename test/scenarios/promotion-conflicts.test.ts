import { afterEach, describe, expect, it } from 'vitest';
import { promotionsOf } from '../../src/engine/promotion.ts';
import { driftIn } from '../../src/engine/promotion-drift.ts';
import { CONFLICT_MARKER } from '../../src/promotion/conflict.ts';
import { createPromotionLine, type PromotionLine, type Verified } from '../support/promotion-line.ts';

let line: PromotionLine;
afterEach(() => line.close());

const begin = (policy: object = {}) => {
  line = createPromotionLine({ staging: { to: ['production'], onPass: 'manual', ...policy } });
};
const verified = (number: number, files: Record<string, string>): Verified =>
  line.verified('staging', `ctx-${number}`, line.commit('stage/staging', files, `Release ${number}`));
const comments = async (one: Verified) =>
  (await line.host.readComments?.({ url: line.origin.path }, one.number('production'))) ?? [];

describe('a promotion that collides with its branch', () => {
  it('explains which files do, by whose commits, once; and goes on when that is solved', async () => {
    begin();
    const change = verified(1, { 'app.json': '1\n', 'other.json': '1\n' });
    await change.settle();
    const patch = line.commit('stage/production', { 'app.json': 'patched\n' }, 'Patch @everybody by hand');
    change.decide('approve');
    expect(await change.settle()).toMatchObject({
      kind: 'waiting',
      blocker: { kind: 'conflict', sentence: '1 file collides with stage/production: app.json' },
    });
    await change.settle();
    const about = (await comments(change)).filter(({ body }) => body.startsWith(CONFLICT_MARKER));
    expect(about).toHaveLength(1);
    expect(about[0]?.body).toContain(`- ${patch.slice(0, 8)} Patch @\u200beverybody by hand`);
    expect(about[0]?.body).not.toContain('other.json');
    line.commit('stage/production', { 'app.json': '{"version": 0}\n' }, 'Take the patch back');
    expect(await change.settle()).toMatchObject({ kind: 'finished', result: 'pass' });
    expect(line.read('stage/production', 'app.json')).toBe('1');
    expect((await comments(change)).find(({ body }) => body.startsWith(CONFLICT_MARKER))?.body).toContain('solved');
  });

  it('takes the verified files where policy says so, and says what it overwrites', async () => {
    begin({ conflicts: 'takeVerified', onPass: 'automatic' });
    const first = verified(1, { 'app.json': '1\n' });
    await first.settle();
    const patch = line.commit('stage/production', { 'app.json': 'patched\n', 'hand.json': 'x\n' }, 'Patch by hand');
    const second = verified(2, { 'app.json': '2\n' });
    expect(await second.settle()).toMatchObject({ kind: 'finished', result: 'pass' });
    const tree = (revision: string) => line.origin.git('rev-parse', `${revision}^{tree}`);
    expect(tree('stage/production')).toBe(tree(second.commit));
    expect(line.origin.tries('merge-base', '--is-ancestor', patch, 'stage/production')).toBe(true);
    expect(line.origin.tries('merge-base', '--is-ancestor', second.commit, 'stage/production')).toBe(true);
  });

  it('is not merged when somebody pushed to its own branch', async () => {
    begin();
    const change = verified(1, { 'app.json': '1\n' });
    await change.settle();
    const { headBranch, number } = await line.pullRequest(change.number('production'));
    line.commit(headBranch, { 'app.json': 'evil\n' }, 'Slip in');
    change.decide('approve');
    expect(await change.settle()).toMatchObject({
      kind: 'waiting',
      blocker: { kind: 'conflict', sentence: `pull request ${number} no longer points at the evaluated commit` },
    });
    expect(line.read('stage/production', 'app.json')).toBe('{"version": 0}');
  });
});

describe('commits that others brought to the branch', () => {
  const drift = (change: Verified) => driftIn(promotionsOf(change.state())[0]?.memo ?? {});

  it('are named, and ours are not', async () => {
    begin();
    const first = verified(1, { 'app.json': '1\n' });
    await first.settle();
    first.decide('approve');
    await first.settle();
    const patch = line.commit('stage/production', { 'hand.json': 'x\n' }, 'Patch by hand');
    const second = verified(2, { 'app.json': '2\n' });
    await second.settle();
    expect(drift(second)).toEqual({ commits: [{ sha: patch, subject: 'Patch by hand', author: 'Ada' }], total: 1 });
    second.decide('approve');
    await second.settle();
    const third = verified(3, { 'app.json': '3\n' });
    await third.settle();
    expect(drift(third)).toBeUndefined();
  });

  it('are not those of another service that is promoted to the same branch', async () => {
    begin({ onPass: 'automatic' });
    await verified(1, { 'app.json': '1\n' }).settle();
    const cart = line.commit('stage/staging', { 'cart.json': '1\n' }, 'Release the cart');
    expect(await line.verified('staging', 'ctx-cart', cart, 'cart').settle()).toMatchObject({ result: 'pass' });
    const own = line.origin.git('rev-parse', 'main');
    const apart = line.origin.commit({ branch: 'apart', from: own, files: { 'app2.json': '2\n' } });
    const next = line.verified('staging', 'ctx-3', apart);
    await next.look();
    expect(drift(next)).toBeUndefined();
  });
});
