import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../src/base/clock.ts';
import { alone } from '../../src/runtime/alone.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { claimedWork } from '../support/claimed-work.ts';

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lynceus-alone-'));
  store = await openStore({ dataDir: folder });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const KEY = ['https://git.example.com/shop.git', 'main'];
const LONG_MS = 60_000;

/** Of a worker whose job is held for long. */
async function turn<T>(act: () => Promise<T>, key = KEY): Promise<T | 'busy'> {
  return alone({ store, clock }, await claimedWork(store, LONG_MS), key, act);
}

describe('what only one may do at a time', () => {
  it('is done one after the other, by whoever', async () => {
    const seen: number[] = [];
    let [inside, most] = [0, 0];
    const work = (at: number) => async () => {
      most = Math.max(most, ++inside);
      await sleep(20);
      inside--;
      seen.push(at);
      return at;
    };
    const answers = await Promise.all(Array.from({ length: 8 }, (_, at) => turn(work(at))));
    expect(most).toBe(1);
    expect(answers.filter((answer) => answer !== 'busy').toSorted()).toEqual(seen.toSorted());
    expect(seen.length).toBeGreaterThan(0);
  });

  it('keeps nobody away from what is about something else', async () => {
    const both = await turn(() => turn(async () => 'in', ['https://git.example.com/shop.git', 'stage/eu']));
    expect(both).toBe('in');
  });

  it('is free again when it failed', async () => {
    const broken = turn(async () => {
      throw new Error('the host is away');
    });
    await expect(broken).rejects.toThrow('the host is away');
    expect(await turn(async () => 'next')).toBe('next');
  });

  it('is free again once the work of whoever had it is no longer held, and then stays with the next', async () => {
    let wakeUp = (): void => undefined;
    const work = await claimedWork(store, LONG_MS);
    const frozen = alone({ store, clock }, work, KEY, () => new Promise<void>((resolve) => (wakeUp = resolve)));
    await sleep(50);
    expect(await turn(async () => 'in')).toBe('busy');
    await store.extend(work, 1);
    const next = turn(async () => {
      wakeUp();
      await frozen;
      // Who had it before gives back nothing that is not theirs any more.
      return turn(async () => 'in');
    });
    expect(await next).toBe('busy');
  });

  it('is free at once when the process that had it ended', async () => {
    void turn(() => new Promise<void>(() => undefined)).catch(() => undefined);
    await sleep(50);
    expect(await turn(async () => 'in')).toBe('busy');
    await store.close();
    store = await openStore({ dataDir: folder });
    expect(await turn(async () => 'in')).toBe('in');
  });

  it('is not kept from anybody by what an older version left behind', async () => {
    const before = await turn(async () => 'in').then(() => store.documents({ kind: 'turn', limit: 1 }));
    const left = { ...before[0]!, status: 'taken', sort: Date.now() + LONG_MS, data: { what: 'x', by: 'y' } };
    await store.commit({ documents: [left] });
    expect(await turn(async () => 'in')).toBe('in');
  });
});
