import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createGroupCommit } from '../../src/store/group-commit.ts';
import { StoreUnavailableError } from '../../src/store/store.ts';

/** Records its flushes and takes as long as it is told. */
function recorder(limits: { maxItems?: number; maxBytes?: number; flushMs?: number; overlaps?: boolean } = {}) {
  const flushes: number[][] = [];
  const group = createGroupCommit<number, string>({
    maxItems: limits.maxItems ?? 100,
    maxBytes: limits.maxBytes ?? 1000,
    overlaps: limits.overlaps ?? false,
    flush: async (items) => {
      flushes.push([...items]);
      await sleep(limits.flushMs ?? 20);
      return items.map((item) =>
        item < 0 ? { status: 'rejected', reason: new Error('bad') } : { status: 'fulfilled', value: `n${item}` },
      );
    },
  });
  return { flushes, group };
}

describe('a group commit', () => {
  it('puts what arrives during a flush into the next one', async () => {
    const { flushes, group } = recorder();
    const first = group.add(1, 1);
    await sleep(5);
    await Promise.all([first, group.add(2, 1), group.add(3, 1)]);
    expect(flushes).toEqual([[1], [2, 3]]);
  });

  it.each([
    ['all of those who come again and again, where this thread writes', 64, false, [64, 64, 64, 64]],
    ['half of them where another does', 64, true, [64, 32, 32, 32, 32, 32, 32]],
    ['all of a few, wherever it is written', 8, true, [8, 8, 8, 8]],
  ])('brings together %s', async (_what, senders, overlaps, sizes) => {
    const { flushes, group } = recorder({ flushMs: 1, overlaps });
    const sender = async () => {
      for (let n = 0; n < 4; n += 1) await group.add(n, 1);
    };
    await Promise.all(Array.from({ length: senders }, sender));
    expect(flushes.map(({ length }) => length)).toEqual(sizes);
  });

  it('lets a single writer wait for its own flush only', async () => {
    const { group } = recorder({ flushMs: 0 });
    const startedAt = performance.now();
    for (let n = 0; n < 20; n += 1) await group.add(n, 1);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  it('limits a flush by number and by size, but never starves a large item', async () => {
    const { flushes, group } = recorder({ maxItems: 3, maxBytes: 10, flushMs: 0 });
    await Promise.all([1, 1, 1, 1, 6, 6, 50, 1].map((bytes, n) => group.add(n, bytes)));
    expect(flushes).toEqual([[0, 1, 2], [3, 4], [5], [6], [7]]);
  });

  it('answers each item for itself', async () => {
    const { group } = recorder();
    const answers = await Promise.allSettled([group.add(1, 1), group.add(-1, 1), group.add(2, 1)]);
    expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('fails all items of a flush that throws, and goes on with the next', async () => {
    let broken = true;
    const group = createGroupCommit<number, number>({
      maxItems: 10,
      maxBytes: 10,
      flush: async (items) => {
        if (broken) throw new Error('disk');
        return items.map((value) => ({ status: 'fulfilled', value }));
      },
    });
    const answers = await Promise.allSettled([group.add(1, 1), group.add(2, 1)]);
    expect(answers.map((answer) => answer.status)).toEqual(['rejected', 'rejected']);
    broken = false;
    expect(await group.add(3, 1)).toBe(3);
  });

  it('says "not now" before it fills the memory', async () => {
    const { group } = recorder({ maxItems: 20_000 });
    const accepted = Array.from({ length: 20_000 }, (_, n) => group.add(n, 0));
    await expect(group.add(1, 0)).rejects.toBeInstanceOf(StoreUnavailableError);
    await Promise.all(accepted);
    expect(await group.add(1, 0)).toBe('n1');
    await expect(group.add(1, 200 * 1024 * 1024)).rejects.toBeInstanceOf(StoreUnavailableError);
  });

  it('is drained when nothing waits or is under way', async () => {
    const { group } = recorder({ maxItems: 1 });
    let done = 0;
    for (let n = 0; n < 3; n += 1) void group.add(n, 1).then(() => (done += 1));
    await group.drained();
    expect(done).toBe(3);
    await group.drained();
  });
});
