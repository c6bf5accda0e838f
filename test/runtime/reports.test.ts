import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRebuildRoom } from '../../src/app.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { JsonObject } from '../../src/base/json.ts';
import { noSequence } from '../../src/engine/sequence.ts';
import type { Report } from '../../src/events/report.ts';
import type { SequenceEvent, SequenceTriggered } from '../../src/events/types.ts';
import { PUSHED } from '../../src/http/cloud-event.ts';
import { eventOfScope, jobsOfEvent } from '../../src/http/received-event.ts';
import { plainEvent, REPORTED } from '../../src/http/reports/plain.ts';
import { reportCommit, workOnJourney } from '../../src/runtime/journey.ts';
import { projectChange } from '../../src/runtime/project-change.ts';
import { rebuildHere } from '../../src/runtime/rebuild.ts';
import { workOnEvent } from '../../src/runtime/receive-event.ts';
import { BUILT, createReportsOf } from '../../src/runtime/reports.ts';
import { sequenceCommit } from '../../src/runtime/sequences.ts';
import { reportSources, unjoinedReports } from '../../src/runtime/unjoined.ts';
import { openStore } from '../../src/store/open.ts';
import type { NewEvent, Store } from '../../src/store/store.ts';
import { sequenceFromRow } from '../../src/views/sequence-document.ts';
import { expectRowsOfLog } from '../support/rows-again.ts';
import { started, taskFinished, taskTriggered, triggered } from '../support/sequence.ts';

const SOURCE = '1'.repeat(40);
const MANIFEST = '2'.repeat(40);
const [NEW, OLD] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`];
const image = (digest: string) => `ghcr.io/acme/checkout:1@${digest}`;
const START_OF_DAY = '2026-03-02T09:00:00.000Z';
const now = new Date('2026-03-02T13:00:00Z');
const clock = { now: () => now };

let store: Store;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lynceus-reports-'));
  store = await openStore({ dataDir: folder });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function report(id: string, kind: Report['kind'], state: Report['state'], more: Partial<Report> = {}): Report {
  const at = `2026-03-02T12:0${id.length % 10}:00.000Z`;
  return { id, source: 'ci', type: 't', kind, state, at, heardAt: at, run: `${kind} ${id}`, ...more };
}

const own = { service: 'checkout', commit: SOURCE };

async function keep(...reports: readonly Report[]): Promise<void> {
  for (const one of reports) await store.commit(reportCommit(one));
}

async function deliver(data: Partial<SequenceTriggered>, ...events: SequenceEvent[]): Promise<void> {
  const { commit } = sequenceCommit({ state: noSequence, version: 0 }, [triggered(data), started, ...events]);
  await store.commit({ ...commit, jobs: [] });
}

async function told(change = 'ctx') {
  const rows = await store.documents({ kind: 'sequence', context: [change] });
  const found = await createReportsOf(store)(
    change,
    rows.map(({ data }) => sequenceFromRow(data)),
  );
  return found?.reported.steps.map(({ key, state }) => `${key} ${state}`) ?? [];
}

/** What Git says of two commits. */
let contains = async (_repository: unknown, _newer: string, _older: string) => false;

/** Does what is due in these queues, as the worker would, once. */
async function work(...queues: string[]): Promise<number> {
  const jobs = await store.claim({ limit: 100, leaseMs: 60_000, queues });
  const lease = { guard: () => undefined, signal: new AbortController().signal, giveUp() {}, end() {} };
  for (const job of jobs) {
    if (job.queue === 'journey')
      await workOnJourney({ store, clock, tools: { gitHost: () => ({ contains }) as never } }, job, lease);
    else await projectChange({ store, stops: async () => [], reportsOf: createReportsOf(store) }, job);
  }
  return jobs.length;
}

/** Changes are drawn a moment after they moved. */
async function settle(): Promise<void> {
  for (let done = 1, round = 0; done > 0 || round < 2; round++) {
    done = await work('journey', 'change');
    if (done > 0 || round < 2) await new Promise((resolve) => setTimeout(resolve, 160));
  }
}

describe('reports are joined', () => {
  const rolledOut = (after: string): SequenceEvent[] => [
    taskTriggered(1, 'rollout'),
    taskFinished('rollout', 'pass', { data: { images: [image(after)] } }),
  ];
  const build = report('a', 'build', 'finished', own);
  const pushed = report('bb', 'image', 'finished', { ...own, digest: NEW });

  it('by the digest of what runs, with no word about manifests', async () => {
    await keep(build, pushed);
    await deliver({ revision: MANIFEST, running: [image(OLD)] }, ...rolledOut(NEW));
    expect(await told()).toEqual(['build passed', 'image passed']);
  });

  it('to no edit of configuration: the image was there before', async () => {
    await keep(build, pushed);
    await deliver({ revision: MANIFEST, running: [image(NEW)] }, ...rolledOut(NEW));
    expect(await told()).toEqual([]);
  });

  it('to no tag, however much it looks alike', async () => {
    await keep(report('a', 'image', 'finished', { service: 'checkout', image: 'ghcr.io/acme/checkout', version: '1' }));
    await deliver({ revision: MANIFEST, running: [image(OLD)] }, ...rolledOut(NEW));
    expect(await told()).toEqual([]);
  });

  it('each to its own service, where one commit builds several', async () => {
    await keep(build, report('ccc', 'build', 'failed', { ...own, service: 'search' }));
    await keep(report('dddd', 'manifest', 'finished', { commit: SOURCE, manifestCommit: MANIFEST }));
    const place = { project: 'shop', stage: 'staging', service: 'search' };
    await deliver({ revision: MANIFEST });
    await deliver({ sequence: 'other', context: 'ctx-2', place, revision: MANIFEST });
    expect(await told()).toEqual(['build passed', 'manifest passed']);
    expect(await told('ctx-2')).toEqual(['build failed', 'manifest passed']);
  });

  it('by the chain of CDEvents, where only one of it names anything', async () => {
    await keep(
      report('a', 'build', 'started', { chain: 'c' }),
      report('bb', 'image', 'finished', { chain: 'c', digest: NEW }),
    );
    await deliver({ revision: MANIFEST, running: [image(OLD)] }, ...rolledOut(NEW));
    expect(await told()).toEqual(['build unknown', 'image passed']);
  });

  it('before and after the delivery alike, and the row of the build goes away', async () => {
    const manifest = report('eeeee', 'manifest', 'finished', { ...own, manifestCommit: MANIFEST });
    await keep(build);
    await settle();
    const [row] = (await store.changes({})).records;
    expect(row).toMatchObject({ service: 'checkout', state: 'queued' });
    await deliver({ revision: MANIFEST });
    await store.commit({ jobs: [{ queue: 'change', key: 'ctx' }] });
    await settle();
    expect((await store.changes({})).total).toBe(2);
    await keep(manifest, manifest, pushed);
    await settle();
    const { records } = await store.changes({});
    expect(records.map(({ id }) => id)).toEqual(['ctx']);
    expect(await store.findChanges({ name: 'was', value: row?.id ?? '' })).toEqual(['ctx']);
    expect(await store.findChanges({ name: 'commit', value: SOURCE })).toEqual(['ctx']);
    expect(await store.findChanges({ name: 'digest', value: NEW })).toEqual(['ctx']);
    expect((await store.document(BUILT, row?.id ?? ''))?.context).toBe('ctx');
    // What comes later finds its way as well.
    await keep(report('ffffff', 'test', 'failed', { digest: NEW, stage: 'edge' }));
    await settle();
    expect(await told()).toContain('test failed');
  });
});

describe('a build of a service that another project has too', () => {
  const theirs = { ...own, project: 'other' };
  const place = { project: 'other', stage: 'staging', service: 'checkout' };
  const built = async () => (await store.changes({ project: ['other'] })).records;

  it('is not taken away by who claims its commit for a delivery of theirs', async () => {
    await keep(report('a', 'build', 'failed', theirs));
    await deliver({ revision: MANIFEST });
    await store.commit({ jobs: [{ queue: 'change', key: 'ctx' }] });
    await settle();
    const [row] = await built();
    expect(row).toMatchObject({ state: 'failed' });
    const ours = { ...own, project: 'shop' };
    await keep(report('bb', 'build', 'finished', { ...own, change: 'ctx' }));
    await keep(report('ccc', 'build', 'finished', ours));
    await keep(report('dddd', 'manifest', 'finished', { ...ours, manifestCommit: MANIFEST }));
    await settle();
    // Nor is their failure a success by what others say.
    expect(await built()).toMatchObject([{ id: row?.id, state: 'failed' }]);
    expect(await told()).not.toContain('build failed');
    // Its own delivery is where it goes.
    const NEXT = '3'.repeat(40);
    await deliver({ sequence: 'other', context: 'ctx-2', place, revision: NEXT });
    await store.commit({ jobs: [{ queue: 'change', key: 'ctx-2' }] });
    await settle();
    await keep(report('eeeee', 'manifest', 'finished', { ...theirs, manifestCommit: NEXT }));
    await settle();
    expect((await built()).map(({ id }) => id)).toEqual(['ctx-2']);
    expect(await store.findChanges({ name: 'was', value: row?.id ?? '' })).toEqual(['ctx-2']);
  });

  it('has not arrived with a delivery of that one', async () => {
    contains = async () => true;
    await keep(report('a', 'build', 'finished', { ...theirs, repository: 'https://github.com/acme/checkout' }));
    await keep(report('bb', 'manifest', 'finished', { ...theirs, manifestCommit: '4'.repeat(40), at: START_OF_DAY }));
    await deliver({ revision: MANIFEST });
    await store.commit({ jobs: [{ queue: 'change', key: 'ctx' }] });
    await settle();
    await keep(report('ccc', 'build', 'finished', { ...theirs, at: START_OF_DAY }));
    await settle();
    expect(await built()).toHaveLength(1);
  });
});

describe('a build that is not delivered by itself', () => {
  it('has arrived with a delivery whose source contains its own', async () => {
    const newer = '7'.repeat(40);
    contains = async (_repository, later, older) => later === newer && older === SOURCE;
    const repository = 'https://github.com/acme/checkout';
    await keep(report('a', 'build', 'finished', { ...own, repository, at: START_OF_DAY }));
    await keep(report('bb', 'manifest', 'finished', { ...own, commit: newer, repository, manifestCommit: MANIFEST }));
    await deliver({ revision: MANIFEST });
    await store.commit({ jobs: [{ queue: 'change', key: 'ctx' }] });
    await settle();
    await keep(report('ccc', 'build', 'finished', { ...own, repository, at: START_OF_DAY }));
    await settle();
    expect((await store.changes({})).records.map(({ id }) => id)).toEqual(['ctx']);
    expect(await store.findChanges({ name: 'commit', value: SOURCE })).toEqual(['ctx']);
    expect(await told()).toEqual(['manifest passed', 'manifest passed']);
  });

  it('is not shown for ever', async () => {
    contains = async () => false;
    await keep(report('a', 'build', 'finished', { ...own, heardAt: '2026-02-01T09:00:00.000Z' }));
    await settle();
    expect((await store.changes({})).total).toBe(0);
  });
});

describe('what cannot be joined', () => {
  it('is told with the remedy', async () => {
    const heardAt = now.toISOString();
    const loose = (id: string, more: Partial<Report>) => report(id, 'image', 'finished', { heardAt, ...more });
    await keep(
      ...Array.from({ length: 14 }, (_, n) => loose(`tag-${n}`, { loose: { tag: '1.8.2' }, source: 'gitlab/shop' })),
      loose('short', { loose: { commit: 'a1b2c3d' } }),
      loose('good', { digest: NEW }),
      report('nothing', 'build', 'finished', { heardAt }),
      report('pipeline', 'pipeline', 'failed', { heardAt }),
      // One of a run names something: that is enough for all of it.
      report('begun', 'build', 'started', { heardAt, run: 'r' }),
      report('ended', 'build', 'finished', { heardAt, run: 'r', commit: SOURCE }),
    );
    const found = await unjoinedReports({ store, clock });
    expect(found.map(({ what, remedy, source }) => [source, what, remedy])).toEqual(
      expect.arrayContaining([
        ['gitlab/shop', '14 events name image tag 1.8.2 without digest', 'add --digest sha256:…'],
        ['ci', '1 event name commit a1b2c3d cut short', 'send all 40 digits of the commit'],
        ['ci', '1 event of kind build name no commit, digest or pull request', 'add --commit'],
      ]),
    );
    expect(found).toHaveLength(3);
    expect(await reportSources({ store, clock })).toEqual(
      expect.arrayContaining([{ source: 'gitlab/shop', count: 14, lastAt: heardAt }]),
    );
  });

  it('says whose it is where a report says another name', async () => {
    await deliver({ revision: MANIFEST });
    await store.commit({ jobs: [{ queue: 'change', key: 'ctx' }] });
    await settle();
    const heardAt = now.toISOString();
    await keep(report('x', 'manifest', 'finished', { service: 'checkout-api', manifestCommit: MANIFEST, heardAt }));
    await settle();
    expect(await unjoinedReports({ store, clock })).toMatchObject([
      { what: '1 event about service checkout-api name what belongs to checkout', remedy: 'give --service checkout' },
    ]);
  });
});

describe('rows that events of others made', () => {
  /** As `POST /api/v1/events` keeps it, by a token of these projects. */
  async function receive(event: NewEvent | undefined, projects?: string[]): Promise<void> {
    if (!event) throw new Error('this is no event');
    const sender = { name: 'ci', method: 'token', ...(projects ? { projects } : {}) } as const;
    await store.receive('inbox', eventOfScope(event, sender), jobsOfEvent(event, now, sender));
    const nobody = undefined as never;
    for (const job of await store.claim({ limit: 10, leaseMs: 60_000, queues: ['received'] }))
      await workOnEvent({ store, evaluations: nobody, log: nobody }, job);
  }
  const said = (body: JsonObject) => plainEvent({ kind: 'build', state: 'finished', ...body }, now);
  const pushed: NewEvent = {
    ...{ id: 'numbers', source: 'scanner', type: PUSHED, time: START_OF_DAY },
    data: { data: { project: 'shop', stage: 'staging', service: 'checkout', indicators: { findings: 3 } } },
  };

  it('come again from the log where they are lost, and are the same', async () => {
    await receive(said({ ...own, commit: '5'.repeat(40), at: START_OF_DAY }), ['bank']);
    await receive(said(own));
    await receive(said({ ...own, kind: 'manifest', manifestCommit: MANIFEST }), ['shop', 'bank']).catch((error) => {
      expect(error.message).toMatch(/for the projects shop, bank only/);
    });
    await receive(said({ ...own, kind: 'manifest', manifestCommit: MANIFEST, project: 'shop' }), ['shop', 'bank']);
    await receive(pushed);
    // What was taken once and cannot be read any more, and what others may not send.
    const old = { id: 'old', source: 'ci', type: REPORTED, time: START_OF_DAY, data: { data: { kind: 'gone' } } };
    await store.receive('inbox', old, []);
    await store.receive('inbox', { ...pushed, id: 'ours', source: 'lynceus' }, []);
    await deliver({ revision: MANIFEST });
    await store.commit({ jobs: [{ queue: 'change', key: 'ctx' }] });
    await settle();
    expect(await told()).toEqual(['build passed', 'manifest passed']);
    const [kept, waits] = [await store.documents({ kind: 'report' }), await store.documents({ kind: BUILT })];
    expect(kept.map(({ project }) => project).sort()).toEqual(['bank', 'shop', undefined]);
    expect(waits.map(({ status }) => status).sort()).toEqual(['merged', 'merged', 'waiting']);
    await store.close();
    await expectRowsOfLog(folder, systemClock);
    store = await openStore({ dataDir: folder });
    expect(await store.documents({ kind: 'indicators' })).toMatchObject([
      { service: 'checkout', data: { indicators: { findings: 3 } } },
    ]);
    // Once more, where nothing is lost: nothing is looked for again.
    await store.claim({ limit: 10, leaseMs: 60_000, queues: ['journey'] });
    await rebuildHere(createRebuildRoom(store, systemClock), new Date());
    expect(await store.claim({ limit: 10, leaseMs: 60_000, queues: ['journey'] })).toEqual([]);
    expect(await store.documents({ kind: 'report' })).toHaveLength(3);
  });
});
