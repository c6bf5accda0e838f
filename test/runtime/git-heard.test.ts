import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GitHost } from '../../src/adapters/git-hosts/git-host.ts';
import type { JsonObject } from '../../src/base/json.ts';
import { noSequence } from '../../src/engine/sequence.ts';
import type { Application } from '../../src/events/application.ts';
import type { SequenceEvent, TaskName } from '../../src/events/types.ts';
import { followerRows } from '../../src/runtime/followers.ts';
import { workOnGitWebhook } from '../../src/runtime/git-heard.ts';
import { createWebhookEar } from '../../src/runtime/git-webhooks.ts';
import { sequenceCommit } from '../../src/runtime/sequences.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { gitPollMs } from '../../src/tasks/git-poll.ts';
import { story } from '../support/http-world.ts';
import { COMMIT, planned, START, step, taskFinished, taskTriggered } from '../support/sequence.ts';

const REPOSITORY = 'https://git.example.com/acme/deploy.git';
const SSH = 'git@git.example.com:acme/deploy.git';
const HEAD = 'a'.repeat(40);

const hostOf = (name: string, site: string): GitHost =>
  ({
    name,
    capabilities: { reviews: 'host' },
    serves: ({ url }: { url: string }) => url.includes(site),
  }) as unknown as GitHost;
const hub = hostOf('hub', 'git.example.com');
const other = hostOf('other', 'other.example.com');

let folder: string;
let store: Store;
let now: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lynceus-git-heard-'));
  now = Date.parse('2026-11-21T10:00:00Z');
  store = await openStore({ dataDir: folder, clock: { now: () => new Date(now) } });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const source = (repoUrl: string) => ({ source: { repoUrl, path: '.' } });
const waiting = (name: TaskName, memo: JsonObject): SequenceEvent => ({
  name: 'task.waiting',
  at: START,
  data: { task: `seq.1-${name}`, blocker: { kind: 'review', sentence: 'waits' }, memo },
});
const promotes = [...planned(step('promotion')), taskTriggered(1, 'promotion')];

/** A promotion that waits for its pull request, in a repository as its application writes it. */
async function open(
  id: string,
  number: number,
  repoUrl = REPOSITORY,
  memo: JsonObject = {},
  more: SequenceEvent[] = [],
) {
  const history = [...promotes, waiting('promotion', { pullRequest: number, ...memo }), ...more];
  const { commit } = sequenceCommit({ state: noSequence, version: 0 }, story(id, history, source(repoUrl)));
  await store.commit({ appends: commit.appends, documents: commit.documents });
}

async function hear(payload: JsonObject, host = 'hub'): Promise<void> {
  const told = { host, repository: REPOSITORY, heardAt: new Date(now).toISOString(), ...payload };
  await store.commit({ jobs: [{ queue: 'git', key: 'x', payload: told }] });
  const [job] = await store.claim({ limit: 1, leaseMs: 60_000, queues: ['git'] });
  if (!job) throw new Error('no job');
  await workOnGitWebhook({ store, clock: { now: () => new Date(now) }, gitHosts: [hub, other] }, job);
}

/** Work that is due now, without that of the engine. */
async function due(): Promise<string[]> {
  const jobs = await store.claim({ limit: 100, leaseMs: 60_000, queues: ['task', 'refresh', 'observe'] });
  for (const job of jobs) await store.commit({ claim: job, settle: { kind: 'done' } });
  return jobs.map(({ queue, key }) => `${queue} ${key}`).sort();
}

describe('what a webhook tells of', () => {
  it('is looked at by the task that follows the pull request, and by no other', async () => {
    await open('one', 7);
    await open('two', 8);
    await hear({ number: 7 });
    expect(await due()).toEqual(['task one.1-promotion']);
  });

  it('is found however the repository is written', async () => {
    await open('one', 7, SSH);
    await hear({ number: 7, repository: 'https://git.example.com/Acme/Deploy' });
    expect(await due()).toEqual(['task one.1-promotion']);
  });

  it('is looked at by all that lead to the branch that was pushed', async () => {
    await open('one', 7);
    await open('two', 8);
    await hear({ branch: 'stage/production' });
    expect(await due()).toEqual(['task one.1-promotion', 'task two.1-promotion']);
    await hear({ branch: 'main' });
    expect(await due()).toEqual([]);
  });

  it('is looked at by the one whose head was checked, be it made by us or not', async () => {
    await open('one', 7);
    await open('two', 8, REPOSITORY, { head: HEAD });
    await hear({ sha: HEAD });
    expect(await due()).toEqual(['task two.1-promotion']);
    await hear({ sha: COMMIT });
    expect(await due()).toEqual(['task one.1-promotion']);
  });

  it('is none of ours in another repository, at another host, or of a host that does not serve it', async () => {
    await open('one', 7);
    await hear({ number: 7, repository: 'https://git.example.com/acme/other.git' });
    await hear({ number: 7, repository: 'https://other.example.com/acme/deploy.git' }, 'other');
    await hear({ number: 7 }, 'other');
    await hear({ number: 7 }, 'unknown');
    expect(await due()).toEqual([]);
  });

  it('is of no interest any more once the task is over', async () => {
    await open('one', 7, REPOSITORY, {}, [taskFinished('promotion', 'pass', { data: { pullRequest: 7 } })]);
    await hear({ number: 7 });
    expect(await due()).toEqual([]);
  });

  it('is found for a promotion to several stages, each with a pull request of its own', async () => {
    const targets = [
      { to: 'eu', branch: 'stage/eu' },
      { to: 'us', branch: 'stage/us' },
    ];
    const memo = {
      targets: {
        eu: { pullRequest: 7, outcome: { status: 'succeeded', result: 'pass', message: '', data: {} } },
        us: { pullRequest: 8 },
      },
    };
    const history = [
      ...planned(step('promotion', { targets })),
      taskTriggered(1, 'promotion'),
      waiting('promotion', memo),
    ];
    const { commit } = sequenceCommit({ state: noSequence, version: 0 }, story('one', history, source(REPOSITORY)));
    await store.commit({ appends: commit.appends, documents: commit.documents });
    await hear({ number: 7 });
    expect(await due()).toEqual([]);
    await hear({ number: 8 });
    expect(await due()).toEqual(['task one.1-promotion']);
  });

  it('is found for a rollback too, until what it took back is merged', async () => {
    const rollback = (memo: JsonObject) => [
      ...planned(step('sync')),
      taskTriggered(1, 'rollback'),
      waiting('rollback', { pullRequest: 9, branch: 'stage/staging', head: HEAD, ...memo }),
    ];
    const tell = async (id: string, memo: JsonObject) => {
      const events = story(id, rollback(memo), source(REPOSITORY));
      const { commit } = sequenceCommit({ state: noSequence, version: 0 }, events);
      await store.commit({ documents: commit.documents });
    };
    await tell('one', {});
    await tell('two', { mergeSha: COMMIT });
    await hear({ branch: 'stage/staging' });
    expect(await due()).toEqual(['task one.1-rollback']);
  });

  it('makes nobody look more often than every ten seconds, and forgets nothing', async () => {
    await open('one', 7);
    const looks: number[] = [];
    for (const at = now; now < at + 60_000; now += 500) {
      await hear({ number: 7 });
      if ((await due()).length > 0) looks.push((now - at) / 1000);
    }
    expect(looks[0]).toBe(0);
    const pauses = looks.slice(1).map((look, nth) => look - (looks[nth] ?? 0));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(10);
    expect(looks.length).toBeGreaterThanOrEqual(5);
    now += 10_000;
    expect(await due()).toEqual(['task one.1-promotion']);
  });
});

describe('a branch that was pushed', () => {
  const application = (name: string, repoUrl: string, targetRevision: string, more: object = {}) =>
    ({
      ref: { system: 'main', namespace: 'argocd', name, uid: 'u', systemProject: 'default' },
      sources: [{ repoUrl, path: '.', targetRevision, ...more }],
    }) as unknown as Application;
  const follow = (...all: Application[]) =>
    store.commit({ documents: all.flatMap((one) => followerRows(one, new Date(now))) });

  it('is looked at by the applications that deploy from it', async () => {
    await follow(
      application('a', SSH, 'main'),
      application('b', REPOSITORY, 'HEAD'),
      application('c', REPOSITORY, 'stage/dev'),
      application('d', 'https://git.example.com/acme/other', 'main'),
      application('e', REPOSITORY, COMMIT),
      application('f', REPOSITORY, 'main', { kind: 'helm', chart: 'x' }),
    );
    await hear({ branch: 'main', isDefault: true });
    expect(await due()).toEqual(['refresh application/main/argocd/a', 'refresh application/main/argocd/b']);
    await hear({ branch: 'stage/dev' });
    expect(await due()).toEqual(['refresh application/main/argocd/c']);
  });

  it('is not looked at any more by one that follows another branch now', async () => {
    await follow(application('a', REPOSITORY, 'main'));
    now += 1_000;
    await follow(application('a', REPOSITORY, 'stable'));
    await hear({ branch: 'main' });
    expect(await due()).toEqual([]);
  });

  it('is looked at by fifty of a monorepo at once; the others are polled', async () => {
    await follow(...Array.from({ length: 80 }, (_, nth) => application(`app-${nth}`, REPOSITORY, 'main')));
    await hear({ branch: 'main' });
    expect(await due()).toHaveLength(50);
  });
});

describe('a host whose webhooks reach us', () => {
  const ear = () => createWebhookEar(store, { now: () => new Date(now) });
  const pause = (url = SSH) => gitPollMs({ toldByWebhooks: ear() }, hub, { url });

  it('is asked every minute until it is heard of, and then every five', async () => {
    expect(await pause()).toBe(60_000);
    await hear({ number: 7 });
    expect(await pause()).toBe(300_000);
    expect(await pause('https://git.example.com/acme/without-webhook')).toBe(60_000);
    expect(await gitPollMs({ toldByWebhooks: ear() }, other, { url: SSH })).toBe(60_000);
  });

  it('is asked every minute again after an hour of silence; another repository of it breaks the silence', async () => {
    await hear({ number: 7 });
    now += 61 * 60_000;
    expect(await pause()).toBe(60_000);
    await hear({ number: 1, repository: 'https://git.example.com/acme/other' });
    expect(await pause()).toBe(300_000);
    now += 8 * 86_400_000;
    await hear({ number: 1, repository: 'https://git.example.com/acme/other' });
    expect(await pause()).toBe(60_000);
  });

  it('says nothing about hosts where people decide with us', async () => {
    const local = { ...hub, capabilities: { reviews: 'lynceus' } } as GitHost;
    await hear({ number: 7 });
    expect(await gitPollMs({ toldByWebhooks: ear() }, local, { url: SSH })).toBe(5_000);
  });
});
