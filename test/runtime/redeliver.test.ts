import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GitHost } from '../../src/adapters/git-hosts/git-host.ts';
import { AdapterError } from '../../src/base/adapter-error.ts';
import { noSequence } from '../../src/engine/sequence.ts';
import { readConnections } from '../../src/runtime/connections.ts';
import type { Lease } from '../../src/runtime/lease.ts';
import type { Log } from '../../src/runtime/log.ts';
import { redeliverMissed, redeliveryJobs } from '../../src/runtime/redeliver.ts';
import { sequenceCommit } from '../../src/runtime/sequences.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { story } from '../support/http-world.ts';
import { planned, START, step, taskTriggered } from '../support/sequence.ts';

const log = { info: () => undefined } as unknown as Log;
const lease = { signal: new AbortController().signal, guard: () => undefined } as unknown as Lease;
const minutes = (count: number) => count * 60_000;

let folder: string;
let store: Store;
let now: number;
let asked: string[];
let answer: (url: string) => number;

const host = {
  name: 'hub',
  kind: 'github',
  capabilities: { reviews: 'host', redelivery: true },
  serves: ({ url }: { url: string }) => url.includes('git.example.com'),
  redeliver: async ({ url }: { url: string }, since: Date) => {
    asked.push(`${url.split('/').at(-1)} ${(now - since.getTime()) / 60_000} min`);
    return answer(url);
  },
} as unknown as GitHost;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lynceus-redeliver-'));
  [now, asked, answer] = [Date.parse(START) + minutes(30), [], () => 0];
  store = await openStore({ dataDir: folder, clock: { now: () => new Date(now) } });
  for (const [id, number, site] of [
    ['one', 7, 'git.example.com/acme/deploy'],
    ['two', 8, 'git.example.com/acme/deploy'],
    ['three', 1, 'git.example.com/acme/other'],
    ['four', 1, 'elsewhere.example.com/acme/deploy'],
  ] as const) {
    const blocker = { kind: 'review', sentence: 'waits' } as const;
    const data = { task: 'seq.1-promotion', blocker, memo: { pullRequest: number } };
    const history = [...planned(step('promotion')), taskTriggered(1, 'promotion')];
    const told = [...history, { name: 'task.waiting', at: START, data } as const];
    const source = { repoUrl: `https://${site}`, path: '.' };
    const { commit } = sequenceCommit({ state: noSequence, version: 0 }, story(id, told, { source }));
    await store.commit({ documents: commit.documents });
  }
  await store.commit({ jobs: redeliveryJobs([host], () => true, 0) });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What is due, once. */
async function look(): Promise<string[]> {
  asked = [];
  const [job] = await store.claim({ limit: 1, leaseMs: 60_000, queues: ['redeliver'] });
  const room = { store, clock: { now: () => new Date(now) }, log, gitHosts: [host] };
  if (job) await redeliverMissed(room, job, lease);
  return asked.sort();
}

const connection = async () => {
  const checks = [{ section: 'gitHosts', kind: 'github', name: 'hub', hasWebhook: true }] as const;
  const room = { store, clock: { now: () => new Date(now) }, checks, gitHosts: [host] };
  return (await readConnections(room, 10)).connections[0];
};

describe('webhooks that did not arrive', () => {
  it('are asked for once for each repository in which something is open, every ten minutes, since the last look', async () => {
    expect(await look()).toEqual(['deploy 61 min', 'other 61 min']);
    now += minutes(9);
    expect(await look()).toEqual([]);
    now += minutes(1);
    expect(await look()).toEqual(['deploy 11 min', 'other 11 min']);
    // Nobody was there for a week: GitHub remembers three days.
    now += minutes(7 * 24 * 60);
    expect(await look()).toEqual(['deploy 4320 min', 'other 4320 min']);
  });

  it('are asked for from where a look failed, and the failure is told with its remedy', async () => {
    await look();
    now += minutes(10);
    answer = (url) => {
      if (url.endsWith('other')) throw new AdapterError('forbidden', 'hub: 403 (Resource not accessible)');
      return 2;
    };
    expect(await look()).toEqual(['deploy 11 min', 'other 11 min']);
    expect((await connection())?.findings).toMatchObject([
      { check: 'webhooks' },
      {
        level: 'warning',
        check: 'redelivery',
        sentence: 'failed webhooks cannot be asked for again: hub: 403 (Resource not accessible)',
        remedy: expect.stringContaining('read and write webhooks'),
      },
    ]);
    now += minutes(10);
    answer = () => 0;
    expect(await look()).toEqual(['deploy 11 min', 'other 21 min']);
    expect((await connection())?.findings.map(({ check }) => check)).toEqual(['webhooks']);
  });

  it('are asked for only of hosts that can, and that we listen to', () => {
    const { redeliver: _, ...unable } = host;
    expect(redeliveryJobs([host], () => false, 0)).toEqual([]);
    expect(redeliveryJobs([unable as GitHost], () => true, 0)).toEqual([]);
  });
});
