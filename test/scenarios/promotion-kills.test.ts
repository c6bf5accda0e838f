import { afterEach, describe, expect, it } from 'vitest';
import { CONFLICT_MARKER } from '../../src/promotion/conflict.ts';
import { createPromotionLine, type PromotionLine, type Verified } from '../support/promotion-line.ts';

let line: PromotionLine;
afterEach(() => line.close());

class Death extends Error {}

/** Dies right after the so-manyth thing that is done outside; answers how many there were. */
function dieAfter(which: number): { effects: string[] } {
  const effects: string[] = [];
  line.died = (effect) => {
    effects.push(effect);
    if (effects.length === which) throw new Death(effect);
  };
  return { effects };
}

/** As the runtime: whoever died begins the look anew. */
async function settle(change: Verified) {
  for (;;) {
    try {
      return await change.settle();
    } catch (error) {
      if (!(error instanceof Death)) throw error;
    }
  }
}

const change = (number: number, files: Record<string, string>) =>
  line.verified('staging', `ctx-${number}`, line.commit('stage/staging', files, `Release ${number}`));
const states = async (numbers: number[]) =>
  Promise.all(numbers.map(async (one) => (await line.pullRequest(one)).state));

describe('a process that dies after anything that it did outside', () => {
  it.each([1, 2])('while a newer change takes the place of an older one (%i)', async (which) => {
    line = createPromotionLine({ staging: { to: ['production'], onPass: 'manual' } });
    const older = change(1, { 'app.json': '1\n' });
    await older.settle();
    const newer = change(2, { 'app.json': '2\n' });
    const { effects } = dieAfter(which);
    await settle(newer);
    line.died = undefined;
    expect(effects).toContain('close');
    expect(await states([1, 2])).toEqual(['closed', 'open']);
    expect(newer.number('production')).toBe(2);
    expect(await settle(older)).toMatchObject({ status: 'aborted' });
  });

  it.each([1, 2, 3, 4, 5, 6])('while the verified files win over what collides with them (%i)', async (which) => {
    line = createPromotionLine({ staging: { to: ['production'], onPass: 'automatic', conflicts: 'takeVerified' } });
    line.commit('stage/production', { 'app.json': 'patched\n' }, 'Patch by hand');
    const one = change(1, { 'app.json': '1\n' });
    const { effects } = dieAfter(which);
    const end = await settle(one);
    expect(end).toMatchObject({ kind: 'finished', result: 'pass' });
    expect(effects).toContain('head-commit');
    expect(await states([1])).toEqual(['merged']);
    const tree = (revision: string) => line.origin.git('rev-parse', `${revision}^{tree}`);
    expect(tree('stage/production')).toBe(tree(one.commit));
    expect(
      line.origin.git('log', '--first-parent', '--merges', '--format=%H', 'stage/production').split('\n'),
    ).toHaveLength(1);
  });

  it('while a conflict is explained', async () => {
    line = createPromotionLine({ staging: { to: ['production'], onPass: 'automatic' } });
    line.commit('stage/production', { 'app.json': 'patched\n' }, 'Patch by hand');
    const one = change(1, { 'app.json': '1\n' });
    line.died = (effect) => {
      if (effect !== 'comment') return;
      line.died = undefined;
      throw new Death(effect);
    };
    expect(await settle(one)).toMatchObject({ kind: 'waiting', blocker: { kind: 'conflict' } });
    const comments = (await line.host.readComments?.({ url: line.origin.path }, 1)) ?? [];
    expect(comments.filter(({ body }) => body.startsWith(CONFLICT_MARKER))).toHaveLength(1);
  });
});
