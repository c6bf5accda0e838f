import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAlone } from '../../src/runtime/alone.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';

let folder: string;
let store: Store;
let ahead = 0;
const clock = { now: () => new Date(Date.now() + ahead) };
beforeEach(async () => {
  ahead = 0;
  folder = mkdtempSync(join(tmpdir(), 'lynceus-alone-'));
  store = await openStore({ dataDir: folder });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const KEY = ['https://git.example.com/shop.git', 'main'];

describe('what only one may do at a time', () => {
  it('is done one after the other, by whichever replica', async () => {
    const replicas = Array.from({ length: 4 }, () => createAlone(store, clock));
    const seen: number[] = [];
    let [inside, most] = [0, 0];
    const work = (at: number) => async () => {
      most = Math.max(most, ++inside);
      await sleep(20);
      inside--;
      seen.push(at);
      return at;
    };
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) => (replicas[at % 4] as (typeof replicas)[0])(KEY, work(at))),
    );
    expect(most).toBe(1);
    expect(answers.filter((answer) => answer !== 'busy').toSorted()).toEqual(seen.toSorted());
    expect(seen.length).toBeGreaterThan(0);
  });

  it('keeps nobody away from what is about something else', async () => {
    const alone = createAlone(store, clock);
    const both = await alone(KEY, () => alone(['https://git.example.com/shop.git', 'stage/eu'], async () => 'in'));
    expect(both).toBe('in');
  });

  it('is free again when it failed', async () => {
    const alone = createAlone(store, clock);
    const broken = alone(KEY, async () => {
      throw new Error('the host is away');
    });
    await expect(broken).rejects.toThrow('the host is away');
    expect(await alone(KEY, async () => 'next')).toBe('next');
  });

  it('is free again some time after whoever had it died, and then stays with the next', async () => {
    const alone = createAlone(store, clock);
    let wakeUp = (): void => undefined;
    const frozen = alone(KEY, () => new Promise<void>((resolve) => (wakeUp = resolve)));
    await sleep(50);
    expect(await alone(KEY, async () => 'in')).toBe('busy');
    ahead = 3 * 60_000;
    const next = alone(KEY, async () => {
      wakeUp();
      await frozen;
      // Who had it before gives back nothing that is not theirs any more.
      return alone(KEY, async () => 'in');
    });
    expect(await next).toBe('busy');
  });
});
