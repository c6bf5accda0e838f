import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Viewer } from '../../src/answers/viewer.ts';
import { mailId } from '../../src/base/mail.ts';
import { noSequence } from '../../src/engine/sequence.ts';
import type { SequenceEvent } from '../../src/events/types.ts';
import { createChangeBoard } from '../../src/runtime/change-board.ts';
import { changeJob } from '../../src/runtime/change-job.ts';
import { concernedBy } from '../../src/runtime/change-record.ts';
import { projectChange } from '../../src/runtime/project-change.ts';
import { rebuildHere } from '../../src/runtime/rebuild.ts';
import { changeSequence, sequenceCommit } from '../../src/runtime/sequences.ts';
import { openStore } from '../../src/store/open.ts';
import { openPostgresStore } from '../../src/store/postgres.ts';
import type { Store } from '../../src/store/store.ts';
import { story } from '../support/http-world.ts';
import { withPostgres } from '../support/postgres.ts';
import { COMMIT, decision, planned, step, taskFinished, taskTriggered } from '../support/sequence.ts';

const NOW = new Date('2026-03-02T12:00:00Z');
const clock = { now: () => NOW };
const ALIKE = '9'.repeat(40);

/** Four changes: one wants a person, one failed, one is under way, one is over. */
function stories(): SequenceEvent[][] {
  const approval = [...planned(step('approval', { groups: ['payments'] })), taskTriggered(1, 'approval')];
  const failed = [
    ...planned(step('sync')),
    taskTriggered(1, 'sync'),
    taskFinished('sync', 'fail', { status: 'errored', message: 'Job migrate failed' }),
    finished('fail', 'failed', 'sync failed: Job migrate failed'),
  ];
  const moving = [...planned(step('sync'), step('soak')), taskTriggered(1, 'sync')];
  const over = [
    ...planned(step('sync')),
    taskTriggered(1, 'sync'),
    taskFinished('sync', 'pass'),
    finished('pass', 'completed', 'all is well'),
  ];
  return [
    story('cart', approval, { at: '2026-03-02T10:01:00.000Z' }),
    story('search', failed, { at: '2026-03-02T10:02:00.000Z' }),
    story('ledger', moving, { at: '2026-03-02T10:03:00.000Z', revision: ALIKE, team: 'bookkeeping' }),
    story('mail', byMel(over), { at: '2026-03-02T10:04:00.000Z' }),
    // Behind the one that is under way, in the same place.
    story('behind', [...planned().slice(0, 1)], {
      at: '2026-03-02T10:05:00.000Z',
      place: { project: 'shop', stage: 'staging', service: 'ledger' },
    }),
  ];
}

/** As the plan keeps who wrote the commit: by a name that is nobody's here. */
const byMel = (history: readonly SequenceEvent[]): SequenceEvent[] =>
  history.map((event) =>
    event.name === 'task.finished' && event.data.name === 'plan'
      ? { ...event, data: { ...event.data, data: { ...event.data.data, commit: { author: 'Mel A.', mail: MEL } } } }
      : event,
  );
const MEL = mailId('mel@example.com') ?? '';

function finished(result: 'pass' | 'fail', reason: 'completed' | 'failed', message: string): SequenceEvent {
  const data = { status: 'succeeded', result, reason, message } as const;
  return { name: 'sequence.finished', at: '2026-03-02T11:00:00.000Z', data };
}

async function write(store: Store, history: readonly SequenceEvent[]): Promise<void> {
  await store.commit(sequenceCommit({ state: noSequence, version: 0 }, history).commit);
}

/** Works off what the events asked for, as the worker of the service would. */
async function settle(store: Store): Promise<number> {
  let done = 0;
  for (let quiet = 0; quiet < 3; ) {
    const jobs = await store.claim({ limit: 10, leaseMs: 10_000, queues: ['change'] });
    for (const job of jobs) await projectChange({ store, stops: async () => [] }, job);
    done += jobs.length;
    quiet = jobs.length > 0 ? 0 : quiet + 1;
    await new Promise((resolve) => setTimeout(resolve, 80));
  }
  return done;
}

const everything = async (store: Store) => ({
  rows: (await store.changes({})).records,
  byCommit: await store.findChanges({ name: 'commit', value: COMMIT }),
  byPerson: await store.findChanges({ name: 'needs', value: 'group:payments' }),
});

/** What holds on both stores. */
function rowsOfChanges(open: () => Promise<Store>): void {
  let store: Store;
  beforeAll(async () => {
    store = await open();
    for (const history of stories()) await write(store, history);
    await settle(store);
  });
  afterAll(() => store.close());
  const board = () => createChangeBoard({ store, clock });
  const ids = async (query: Parameters<ReturnType<typeof board>['list']>[0], viewer?: Viewer) =>
    (await board().list(query, viewer)).rows.map(({ id }) => id.replace('ctx-', '')).join(' ');
  const lin = { name: 'lin', groups: ['payments'], teams: [], roles: ['viewer', 'approver'], stages: 'all' } as const;

  it('come first where somebody has to do something, then what stopped, what moves, what is over', async () => {
    const page = await board().list({}, undefined);
    expect(page.rows.map(({ id, state, blocker }) => [id, state, blocker.kind])).toEqual([
      ['ctx-cart', 'waiting', 'approval'],
      ['ctx-search', 'failed', expect.any(String)],
      ['ctx-behind', 'queued', 'queue'],
      ['ctx-ledger', 'unknown', 'no-signal'],
      ['ctx-mail', 'passed', 'none'],
    ]);
    expect(page).toMatchObject({ total: 5, asOf: NOW.toISOString(), facets: { state: { waiting: 1, failed: 1 } } });
    expect(page.rows[2]?.blocker.sentence.toLowerCase()).toContain('behind ledger');
  });

  it('are narrowed by what people type: commits, services, words, and by who is needed', async () => {
    expect(await ids({ q: 'sear' })).toBe('search');
    expect(await ids({ q: '9999' })).toBe('ledger');
    expect(await ids({ q: ALIKE })).toBe('ledger');
    expect(await ids({ q: 'c6b7' })).toBe('');
    expect(await ids({ q: 'ledger 9999' })).toBe('ledger');
    expect(await ids({ needs: 'me' }, lin)).toBe('cart');
    expect(await ids({ needs: 'me' })).toBe('');
    expect(await ids({ service: ['ledger'], state: ['queued'] })).toBe('behind');
    expect(await ids({ since: '1h' })).toBe('search mail');
    expect(await board().counts({}, lin)).toEqual({ all: 5, mine: 0, needsMe: 1 });
    // Theirs by a mail address that the provider vouches for, by none that they only call themselves.
    const mel = { ...lin, name: 'mel@example.com', groups: [] };
    expect(await ids({ mine: true }, mel)).toBe('');
    expect(await ids({ mine: true }, { ...mel, mail: MEL })).toBe('mail');
    expect(JSON.stringify(await board().list({}, { ...mel, mail: MEL }))).not.toContain(MEL);
  });

  it('need people by time alone: in lists and counts from when the row names them, not before', async () => {
    const eva = { ...lin, name: 'eva', groups: ['payments'], teams: ['bookkeeping'] };
    const at = (time: string, stepP90?: number) => {
      const forecast = () => ({ eta: null, odds: null, ...(stepP90 === undefined ? {} : { stepP90 }) });
      const then = createChangeBoard({ store, clock: { now: () => new Date(time) }, forecast });
      return Promise.all([
        then.list({ needs: 'me' }, eva).then(({ rows }) => rows.map(({ id }) => id).join(' ')),
        then.counts({}, eva).then(({ needsMe }) => needsMe),
        then.list({ needs: 'me', state: ['running'] }, eva).then(({ facets, total }) => [facets.state, total]),
        then.row('ctx-ledger', eva).then((row) => row?.unblock.some(({ you }) => you)),
      ]);
    };
    const notYet = ['ctx-cart', 1, [{ waiting: 1 }, 0], false];
    const byNow = ['ctx-cart ctx-ledger', 2, [{ waiting: 1, running: 1 }, 1], true];
    expect(await at('2026-03-02T10:04:00.000Z')).toEqual(notYet);
    expect(await at('2026-03-02T10:06:00.000Z')).toEqual(byNow);
    expect(await at('2026-03-02T12:00:00.000Z')).toEqual(byNow);
    // Syncs of an hour are usual here; or of seconds.
    expect(await at('2026-03-02T10:06:00.000Z', 3600)).toEqual(notYet);
    expect(await at('2026-03-02T10:04:00.000Z', 5)).toEqual(byNow);
  });

  it('that failed are found again when another change comes to where they did', async () => {
    const place = { project: 'shop', stage: 'staging', service: 'search' };
    expect(await concernedBy(store, place)).toEqual(['ctx-search']);
    expect(await concernedBy(store, { ...place, service: 'cart' })).toEqual([]);
  });

  it('page by their cursor', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await board().list({ limit: 2, ...(cursor === undefined ? {} : { cursor }) }, undefined);
      seen.push(...page.rows.map(({ id }) => id.replace('ctx-', '')));
      cursor = page.next;
    } while (cursor !== undefined && seen.length < 9);
    expect(seen.join(' ')).toBe('cart search behind ledger mail');
  });

  it('follow the events of their sequences, once for many of them', async () => {
    const told: number[] = [];
    const end = store.onChanged((moved) => told.push(...moved.map(({ rev }) => rev)));
    for (const reason of ['look', 'again', 'once more'])
      await changeSequence(store, 'cart', () => [
        { ...decision('pause', { reason, decision: `d-${reason}` }), at: '2026-03-02T11:30:00.000Z' } as SequenceEvent,
      ]);
    expect(await settle(store)).toBe(1);
    expect(told).toEqual([8]);
    expect(await board().row('ctx-cart', undefined)).toMatchObject({ rev: 8, blocker: { kind: 'stopped' } });
    await store.commit({ jobs: [changeJob('ctx-cart', 0)] });
    await settle(store);
    expect(told).toEqual([8]);
    end();
  });

  it('are the same after they were lost and garbled and made again from the log', async () => {
    const before = await everything(store);
    expect(before.rows).toHaveLength(5);
    const [first, second, third] = before.rows;
    const garbled = { ...second!, version: 1_000_000, state: 'passed', author: 'mallory', data: { garbled: true } };
    await store.commit({
      changesGone: [first!.id],
      changes: [{ ...garbled, keys: [{ name: 'commit', value: COMMIT }] }],
    });
    await store.commit({
      changes: [
        { ...third!, version: third!.version, data: { garbled: true }, keys: [] },
        { ...third!, id: 'nobody knows this one', keys: [{ name: 'needs', value: 'group:payments' }] },
      ],
      documents: [{ kind: 'sequence', id: 'mail', version: 7, context: 'ctx-lost', sort: 1, data: { phase: 'none' } }],
    });
    const progress = await rebuildHere({ store, stops: async () => [] }, NOW);
    expect(progress).toMatchObject({ state: 'done', sequences: 5, left: 0 });
    expect(await everything(store)).toEqual(before);
  });
}

describe('rows of changes in the embedded store', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'lynceus-rows-'));
  afterAll(() => rmSync(dataDir, { recursive: true }));
  rowsOfChanges(() => openStore({ dataDir }));
});

withPostgres('rows of changes in PostgreSQL', (database) => {
  rowsOfChanges(() => openPostgresStore({ connectionString: database.url }));
});
