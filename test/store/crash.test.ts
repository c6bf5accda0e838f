import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { Store, StoredEvent } from '../../src/store/store.ts';
import { withPostgres } from '../support/postgres.ts';
import { type StoreProcess, storeProcess } from './child.ts';

const ROUNDS = 20;

async function killInMidWork(store: { databaseUrl?: string; dataDir?: string }): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const child = storeProcess('append', store);
    await child.says('received');
    await sleep(Math.random() * 120);
    await child.kill();
    acknowledged.push(...child.lines().slice(1));
  }
  return acknowledged;
}

async function wholeLog(store: Store): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const page = await store.readLog({ afterSeq: events.at(-1)?.seq ?? 0 });
    if (page.length === 0) return events;
    events.push(...page);
  }
}

async function expectNothingLost(store: Store, acknowledged: readonly string[]): Promise<void> {
  const events = await wholeLog(store);
  const ids = new Set(events.map((event) => event.id));
  const received = acknowledged.filter((line) => line.startsWith('received ')).map((line) => line.slice(9));
  expect(received.length).toBeGreaterThan(ROUNDS);
  expect(received.filter((id) => !ids.has(id))).toEqual([]);
  const [queue] = await store.stats();
  // Also what was stored and not acknowledged has its job: both are one step.
  expect(queue?.due).toBe(events.filter((event) => event.stream === 'inbox').length);
  await expectWholeSequences(store, events, acknowledged);
}

async function expectWholeSequences(
  store: Store,
  events: readonly StoredEvent[],
  acknowledged: readonly string[],
): Promise<void> {
  const said = acknowledged.filter((line) => line.startsWith('committed '));
  const last = new Map(said.map((line) => [line.split(' ')[1]!, Number(line.split(' ')[2])]));
  expect(last.size).toBeGreaterThan(ROUNDS / 2);
  for (const [stream, version] of last) {
    const versions = events.filter((event) => event.stream === stream).map((event) => event.version);
    expect(versions.length).toBeGreaterThanOrEqual(version);
    expect(versions).toEqual(versions.map((_, index) => index + 1));
    expect((await store.document('crash', stream))?.version).toBe(versions.length);
  }
}

describe('an embedded store whose process is killed at any moment', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'lynceus-crash-'));
  afterAll(() => rmSync(dataDir, { recursive: true }));

  it('keeps every event that it acknowledged', { timeout: 120_000 }, async () => {
    const acknowledged = await killInMidWork({ dataDir });
    const store = await openStore({ dataDir });
    await expectNothingLost(store, acknowledged);
    await store.close();
  });
});

withPostgres('a PostgreSQL store whose process is killed at any moment', (database) => {
  it('keeps every event that it acknowledged', { timeout: 120_000 }, async () => {
    const acknowledged = await killInMidWork({ databaseUrl: database.url });
    const store = await openStore({ databaseUrl: database.url, dataDir: '' });
    await expectNothingLost(store, acknowledged);
    await store.close();
  });
});

withPostgres('several processes that work on one queue and are killed now and then', (database) => {
  const KEYS = 40;
  const ASKING_MS = 6_000;

  it('lose no job and never complete two runs of one at the same time', { timeout: 60_000 }, async () => {
    const store = await openStore({ databaseUrl: database.url, dataDir: '' });
    const workers = [0, 1, 2].map(() => storeProcess('work', { databaseUrl: database.url }));
    await Promise.all(workers.map((worker) => worker.says('open')));
    const kills = killNowAndThen(workers, ASKING_MS, database.url);
    const last = await askForWork(store, ASKING_MS);
    expect(await kills).toBeGreaterThan(3);
    await drained(store);
    await Promise.all(workers.map((worker) => worker.kill()));

    const runs = (await wholeLog(store)).map((event) => event.data as unknown as Run);
    expect(runs.length).toBeGreaterThan(KEYS);
    for (const [key, n] of last) {
      const ofKey = runs.filter((run) => run.key === key);
      expect(Math.max(...ofKey.map((run) => run.seen))).toBe(n);
      expectNoOverlap(ofKey);
    }
    await store.close();
  });

  interface Run {
    key: string;
    seen: number;
    startedAt: number;
    endedAt: number;
  }

  async function askForWork(store: Store, durationMs: number): Promise<Map<string, number>> {
    const last = new Map<string, number>();
    const until = Date.now() + durationMs;
    for (let n = 1; Date.now() < until; n += 1) {
      const key = `key-${n % KEYS}`;
      await store.commit({ jobs: [{ queue: 'chaos', key, payload: { n } }] });
      last.set(key, n);
      await sleep(Math.random() * 10);
    }
    return last;
  }

  async function killNowAndThen(workers: StoreProcess[], durationMs: number, databaseUrl: string): Promise<number> {
    const until = Date.now() + durationMs;
    let kills = 0;
    while (Date.now() < until) {
      await sleep(600 + Math.random() * 400);
      const victim = Math.floor(Math.random() * workers.length);
      await workers[victim]!.kill();
      workers[victim] = storeProcess('work', { databaseUrl });
      kills += 1;
    }
    await Promise.all(workers.map((worker) => worker.says('open')));
    return kills;
  }

  async function drained(store: Store): Promise<void> {
    const until = Date.now() + 15_000;
    while ((await store.stats()).length > 0) {
      if (Date.now() > until) throw new Error(`The queue did not drain: ${JSON.stringify(await store.stats())}`);
      await sleep(50);
    }
  }

  function expectNoOverlap(runs: readonly Run[]): void {
    const sorted = runs.toSorted((one, other) => one.startedAt - other.startedAt);
    for (const [index, run] of sorted.entries()) {
      const next = sorted[index + 1];
      if (next !== undefined) expect(next.startedAt).toBeGreaterThanOrEqual(run.endedAt);
    }
  }
});
