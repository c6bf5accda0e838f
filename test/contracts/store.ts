import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ClaimedJob,
  type Commit,
  ConflictError,
  type Document,
  InvalidEventError,
  LeaseLostError,
  type NewEvent,
  type Store,
  StoreUnavailableError,
} from '../../src/store/store.ts';
import { changesContract } from './store-changes.ts';
import { credentialsContract } from './store-credentials.ts';

export interface OpenedStore {
  store: Store;
  /** A fresh store besides the first, for tests that close it. */
  openAnother(): Promise<Store>;
  /** Closes the store and removes what it kept. */
  dispose(): Promise<void>;
}

const LEASE_MS = 60_000;
let counter = 0;

/** Names that no other test uses: all of them share one store. */
function fresh(word: string): string {
  counter += 1;
  return `${word}-${counter}`;
}

function anEvent(fields: Partial<NewEvent> = {}): NewEvent {
  return {
    id: fresh('event'),
    source: '/test',
    type: 'dev.lynceus.test.happened.v1',
    time: '2025-03-01T10:00:00Z',
    data: { n: 1 },
    ...fields,
  };
}

function aDocument(fields: Partial<Document> & Pick<Document, 'kind' | 'id'>): Document {
  return { version: 1, sort: 0, data: {}, ...fields };
}

/** What every store promises; each implementation runs it. */
export function storeContract(open: () => Promise<OpenedStore>): void {
  let opened: OpenedStore;
  let store: Store;

  beforeAll(async () => {
    opened = await open();
    store = opened.store;
  });
  afterAll(() => opened.dispose());

  async function claimOnly(queue: string, leaseMs = LEASE_MS): Promise<ClaimedJob> {
    const jobs = await store.claim({ limit: 10, leaseMs, queues: [queue] });
    expect(jobs).toHaveLength(1);
    return jobs[0]!;
  }

  async function nothingDue(queue: string): Promise<void> {
    expect(await store.claim({ limit: 10, leaseMs: LEASE_MS, queues: [queue] })).toEqual([]);
  }

  async function ask(queue: string, key = 'k', payload = {}, delayMs = 0): Promise<void> {
    await store.commit({ jobs: [{ queue, key, payload, delayMs }] });
  }

  async function statsOf(queue: string) {
    return (await store.stats()).find((row) => row.queue === queue);
  }

  describe('receiving', () => {
    it('keeps an event as it was sent', async () => {
      const stream = fresh('inbox');
      const event = anEvent({
        subject: 'shop',
        key: fresh('key'),
        data: { text: 'ä "quoted" \\u0000 \\ 🚀', list: [1, null] },
      });
      expect(await store.receive(stream, event, [])).toBe('stored');
      const [stored] = await store.readLog({ stream });
      expect(stored).toEqual({ ...event, stream, seq: expect.any(Number), recordedAt: expect.any(String) });
      expect(Math.abs(Date.parse(stored!.recordedAt) - Date.now())).toBeLessThan(60_000);
    });

    it('gives inbox events no version, so that they are no stream of their own', async () => {
      const stream = fresh('inbox');
      await store.receive(stream, anEvent(), []);
      expect(await store.readStream(stream)).toEqual([]);
    });

    it('recognises a repeated id of the same source', async () => {
      const stream = fresh('inbox');
      const event = anEvent();
      await store.receive(stream, event, []);
      expect(await store.receive(stream, { ...event, data: { n: 2 } }, [])).toBe('duplicate');
      expect(await store.receive(stream, { ...event, source: '/other' }, [])).toBe('stored');
      expect((await store.readLog({ stream })).map((stored) => stored.data)).toEqual([{ n: 1 }, { n: 1 }]);
    });

    it('recognises a repeated meaning under a new id', async () => {
      const stream = fresh('inbox');
      const key = fresh('key');
      await store.receive(stream, anEvent({ key }), []);
      expect(await store.receive(stream, anEvent({ key }), [])).toBe('duplicate');
      expect(await store.readLog({ stream })).toHaveLength(1);
    });

    it('asks for the work of a new event, and for none of a duplicate', async () => {
      const queue = fresh('queue');
      const event = anEvent();
      await store.receive(fresh('inbox'), event, [{ queue, key: 'first', payload: { from: 'first' } }]);
      await store.receive(fresh('inbox'), event, [{ queue, key: 'second' }]);
      expect(await claimOnly(queue)).toMatchObject({ key: 'first', payload: { from: 'first' }, attempt: 1 });
    });

    it('stores one of many equal events that arrive together', async () => {
      const stream = fresh('inbox');
      const queue = fresh('queue');
      const event = anEvent({ key: fresh('key') });
      const sends = Array.from({ length: 20 }, (_, n) => store.receive(stream, event, [{ queue, key: `sender ${n}` }]));
      const answers = await Promise.all(sends);
      expect(answers.filter((answer) => answer === 'stored')).toHaveLength(1);
      expect(answers.filter((answer) => answer === 'duplicate')).toHaveLength(19);
      expect(await store.readLog({ stream })).toHaveLength(1);
      await claimOnly(queue);
    });

    it('decides equal keys and equal ids that arrive together as if they came one after another', async () => {
      const stream = fresh('inbox');
      const key = fresh('key');
      const id = fresh('event');
      const answers = await Promise.all([
        store.receive(stream, anEvent({ id, key, data: { n: 1 } }), []),
        store.receive(stream, anEvent({ key, data: { n: 2 } }), []),
        store.receive(stream, anEvent({ id, key: fresh('key'), data: { n: 3 } }), []),
        store.receive(stream, anEvent({ data: { n: 4 } }), []),
      ]);
      expect(answers).toEqual(['stored', 'duplicate', 'duplicate', 'stored']);
      expect((await store.readLog({ stream })).map((stored) => stored.data['n'])).toEqual([1, 4]);
    });

    it('merges the requests of a group for the same work', async () => {
      const queue = fresh('queue');
      const stream = fresh('inbox');
      await Promise.all([1, 2, 3].map((n) => store.receive(stream, anEvent(), [{ queue, key: 'k', payload: { n } }])));
      expect(await claimOnly(queue)).toMatchObject({ key: 'k', payload: { n: 3 } });
      await nothingDue(queue);
    });

    it.each([
      ['a NUL character in its data', { data: { deep: [{ text: 'a\u0000b' }] } }],
      ['a NUL character in the name of a field', { data: { 'a\u0000b': 1 } }],
      ['a NUL character in its id', { id: 'a\u0000b' }],
      ['half a character in its subject', { subject: 'a\ud800b' }],
      ['no id', { id: '' }],
      ['an id that fits into no index', { id: 'ä'.repeat(2000) }],
    ])('refuses an event with %s, and takes its neighbours', async (_what, fields) => {
      const stream = fresh('inbox');
      const answers = await Promise.allSettled([
        store.receive(stream, anEvent(), []),
        store.receive(stream, anEvent(fields), []),
        store.receive(stream, anEvent(), []),
      ]);
      expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(answers[1]).toMatchObject({ reason: expect.any(InvalidEventError) });
      expect(await store.readLog({ stream })).toHaveLength(2);
    });

    it('takes names as long as it says', async () => {
      const long = (word: string) => fresh(word).padEnd(1024, 'ÿ').slice(0, 512).concat(fresh('x'));
      const stream = fresh('inbox');
      const event = anEvent({ source: randomText(1024), id: randomText(1024), key: randomText(1024) });
      expect(await store.receive(stream, event, [{ queue: fresh('queue'), key: long('key') }])).toBe('stored');
      expect(await store.receive(stream, event, [])).toBe('duplicate');
    });

    it('takes thousands at once and keeps their order', async () => {
      const stream = fresh('inbox');
      const sends = Array.from({ length: 2000 }, (_, n) => store.receive(stream, anEvent({ data: { n } }), []));
      await Promise.all(sends);
      const first = await store.readLog({ stream });
      const second = await store.readLog({ stream, afterSeq: first.at(-1)!.seq });
      expect([...first, ...second].map((event) => event.data['n'])).toEqual(sends.map((_, n) => n));
    });
  });

  describe('appending to a stream', () => {
    it('numbers the events of each stream and keeps the global order', async () => {
      const [one, other] = [fresh('run'), fresh('run')];
      const { events } = await store.commit({
        appends: [
          { stream: one, expectedVersion: 0, events: [anEvent({ data: { n: 1 } }), anEvent({ data: { n: 2 } })] },
          { stream: other, expectedVersion: 0, events: [anEvent({ data: { n: 3 } })] },
          { stream: one, expectedVersion: 2, events: [anEvent({ data: { n: 4 } })] },
        ],
      });
      expect(events.map(({ stream, version, data }) => [stream, version, data['n']])).toEqual([
        [one, 1, 1],
        [one, 2, 2],
        [other, 1, 3],
        [one, 3, 4],
      ]);
      expect(events.map((event) => event.seq)).toEqual(events.map((event) => event.seq).toSorted((a, b) => a - b));
      expect(await store.readStream(one)).toEqual(events.filter((event) => event.stream === one));
      expect(await store.readStream(one, 2)).toEqual([events[3]]);
    });

    it('refuses an append to a stream that moved on, and nothing else of the commit happens', async () => {
      const stream = fresh('run');
      const queue = fresh('queue');
      const kind = fresh('kind');
      await store.commit({ appends: [{ stream, expectedVersion: 0, events: [anEvent()] }] });
      const late: Commit = {
        appends: [
          { stream: fresh('run'), expectedVersion: 0, events: [anEvent()] },
          { stream, expectedVersion: 0, events: [anEvent()] },
        ],
        jobs: [{ queue, key: 'k' }],
        documents: [aDocument({ kind, id: 'a' })],
      };
      await expect(store.commit(late)).rejects.toBeInstanceOf(ConflictError);
      expect(await store.readStream(late.appends![0]!.stream)).toEqual([]);
      expect(await store.document(kind, 'a')).toBeUndefined();
      await nothingDue(queue);
    });

    it('refuses an append that leaves a gap', async () => {
      const append = { stream: fresh('run'), expectedVersion: 3, events: [anEvent()] };
      await expect(store.commit({ appends: [append] })).rejects.toBeInstanceOf(ConflictError);
    });

    it('checks the version even when nothing is appended', async () => {
      const stream = fresh('run');
      await store.commit({ appends: [{ stream, expectedVersion: 0, events: [anEvent()] }] });
      await store.commit({ appends: [{ stream, expectedVersion: 1, events: [] }] });
      const stale = store.commit({ appends: [{ stream, expectedVersion: 0, events: [] }] });
      await expect(stale).rejects.toBeInstanceOf(ConflictError);
    });

    it.each(['id', 'key'] as const)('refuses an event whose %s is in the log already', async (field) => {
      const value = fresh('same');
      await store.receive(fresh('inbox'), anEvent({ [field]: value }), []);
      const queue = fresh('queue');
      const stream = fresh('run');
      const commit = { appends: [{ stream, expectedVersion: 0, events: [anEvent({ [field]: value })] }] };
      await expect(store.commit({ ...commit, jobs: [{ queue, key: 'k' }] })).rejects.toBeInstanceOf(ConflictError);
      expect(await store.readStream(stream)).toEqual([]);
      await nothingDue(queue);
    });

    it('lets exactly one of several rivals append', async () => {
      const stream = fresh('run');
      const rivals = Array.from({ length: 8 }, (_, n) =>
        store.commit({ appends: [{ stream, expectedVersion: 0, events: [anEvent({ data: { n } })] }] }),
      );
      const outcomes = await Promise.allSettled(rivals);
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(ConflictError);
      }
      expect(await store.readStream(stream)).toHaveLength(1);
    });

    it('goes on for the others when one of several concurrent commits is refused', async () => {
      const streams = [fresh('run'), fresh('run'), fresh('run')];
      const outcomes = await Promise.allSettled(
        streams.map((stream, n) =>
          store.commit({ appends: [{ stream, expectedVersion: n === 1 ? 7 : 0, events: [anEvent()] }] }),
        ),
      );
      expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(await Promise.all(streams.map(async (stream) => (await store.readStream(stream)).length))).toEqual([
        1, 0, 1,
      ]);
    });
  });

  describe('reading the log', () => {
    it('goes on after a number, in pages', async () => {
      const stream = fresh('inbox');
      for (const n of [1, 2, 3, 4, 5]) await store.receive(stream, anEvent({ data: { n } }), []);
      const first = await store.readLog({ stream, limit: 2 });
      const rest = await store.readLog({ stream, afterSeq: first[1]!.seq, limit: 10 });
      expect([first, rest].map((page) => page.map((event) => event.data['n']))).toEqual([
        [1, 2],
        [3, 4, 5],
      ]);
    });

    it('tells the events of all streams in one order', async () => {
      const [before] = await newest();
      const streams = [fresh('inbox'), fresh('run')];
      await store.receive(streams[0]!, anEvent(), []);
      await store.commit({ appends: [{ stream: streams[1]!, expectedVersion: 0, events: [anEvent()] }] });
      const events = await store.readLog({ afterSeq: before?.seq ?? 0 });
      expect(events.map((event) => event.stream)).toEqual(streams);
    });

    it('never skips an event, however many are being written meanwhile', async () => {
      const stream = fresh('inbox');
      const seen: unknown[] = [];
      let afterSeq = 0;
      const follow = async () => {
        const page = await store.readLog({ stream, afterSeq });
        afterSeq = page.at(-1)?.seq ?? afterSeq;
        seen.push(...page.map((event) => event.id));
        return page.length;
      };
      const sent: Promise<unknown>[] = [];
      const ids: string[] = [];
      for (let n = 0; n < 300; n += 1) {
        const event = anEvent();
        ids.push(event.id);
        const run = { stream: fresh('run'), expectedVersion: 0, events: [anEvent()] };
        sent.push(store.receive(stream, event, []), store.commit({ appends: [run] }));
        if (n % 20 === 0) await follow();
      }
      await Promise.all(sent);
      while ((await follow()) > 0);
      expect(seen.toSorted()).toEqual(ids.toSorted());
    });
  });

  async function newest() {
    let page = await store.readLog({});
    for (let next = page; next.length > 0; next = await store.readLog({ afterSeq: page.at(-1)!.seq })) page = next;
    return page.slice(-1);
  }

  describe('asking for work', () => {
    it('gives a job to one claimer, with its first attempt', async () => {
      const queue = fresh('queue');
      await ask(queue, 'k', { n: 1 });
      const job = await claimOnly(queue);
      expect(job).toEqual({
        queue,
        key: 'k',
        payload: { n: 1 },
        attempt: 1,
        leaseMs: LEASE_MS,
        token: expect.any(String),
      });
      await nothingDue(queue);
    });

    it('gives no job out before its time', async () => {
      const queue = fresh('queue');
      await ask(queue, 'k', {}, 300);
      await nothingDue(queue);
      await sleep(350);
      await claimOnly(queue);
    });

    it('gives the oldest first, no more than asked for, and only of the queues asked for', async () => {
      const [queue, other] = [fresh('queue'), fresh('queue')];
      for (const key of ['c', 'a', 'b']) {
        await ask(queue, key);
        await sleep(5);
      }
      await ask(other);
      const jobs = await store.claim({ limit: 2, leaseMs: LEASE_MS, queues: [queue] });
      expect(jobs.map((job) => job.key)).toEqual(['c', 'a']);
      expect(await store.claim({ limit: 0, leaseMs: LEASE_MS, queues: [queue] })).toEqual([]);
      expect((await claimOnly(queue)).key).toBe('b');
    });

    it('brings waiting work forward and never back, with the newest payload', async () => {
      const queue = fresh('queue');
      await ask(queue, 'k', { n: 1 }, 60_000);
      await ask(queue, 'k', { n: 2 }, 0);
      await ask(queue, 'k', { n: 3 }, 60_000);
      expect(await claimOnly(queue)).toMatchObject({ payload: { n: 3 } });
    });

    it('keeps the payload of waiting work for whoever has less to say, and makes it due all the same', async () => {
      const queue = fresh('queue');
      const said = { queue, key: 'k', payload: { n: 1, heardAt: 'noon' } };
      const less = { queue, key: 'k', payload: { n: 2 }, keepPayload: true };
      await store.receive(fresh('inbox'), anEvent(), [{ ...said, delayMs: 60_000 }]);
      await store.commit({ jobs: [less, { ...less, key: 'new' }] });
      const claimed = await store.claim({ limit: 2, leaseMs: LEASE_MS, queues: [queue] });
      expect(claimed.map(({ key, payload }) => [key, payload]).sort()).toEqual([
        ['k', said.payload],
        ['new', less.payload],
      ]);
      await store.commit({ jobs: [less] });
      await store.receive(fresh('inbox'), anEvent(), [{ ...said, payload: { n: 3 } }]);
      await store.commit({ jobs: [less] });
      for (const claim of claimed) await store.commit({ claim, settle: { kind: 'done' } });
      expect(await claimOnly(queue)).toMatchObject({ key: 'k', payload: { n: 3 } });
    });

    it('gives concurrent claimers different jobs', async () => {
      const queue = fresh('queue');
      await store.commit({ jobs: Array.from({ length: 40 }, (_, n) => ({ queue, key: `k${n}` })) });
      const claims = await Promise.all(
        Array.from({ length: 8 }, () => store.claim({ limit: 10, leaseMs: LEASE_MS, queues: [queue] })),
      );
      const keys = claims.flat().map((job) => job.key);
      const rest = await store.claim({ limit: 40, leaseMs: LEASE_MS, queues: [queue] });
      expect(new Set([...keys, ...rest.map((job) => job.key)]).size).toBe(40);
      expect(keys.length + rest.length).toBe(40);
    });

    it('refuses a job whose payload no store can keep', async () => {
      const job = { queue: fresh('queue'), key: 'k', payload: { text: '\u0000' } };
      await expect(store.commit({ jobs: [job] })).rejects.toBeInstanceOf(InvalidEventError);
    });
  });

  describe('settling work', () => {
    it('removes finished work', async () => {
      const queue = fresh('queue');
      await ask(queue);
      await store.commit({ claim: await claimOnly(queue), settle: { kind: 'done' } });
      expect(await statsOf(queue)).toBeUndefined();
    });

    it('runs work once more that was asked for while it was being done', async () => {
      const queue = fresh('queue');
      await ask(queue, 'k', { n: 1 });
      const job = await claimOnly(queue);
      await ask(queue, 'k', { n: 2 });
      await nothingDue(queue);
      await store.commit({ claim: job, settle: { kind: 'done' } });
      const again = await claimOnly(queue);
      expect(again).toMatchObject({ payload: { n: 2 }, attempt: 1 });
      await store.commit({ claim: again, settle: { kind: 'done' } });
      expect(await statsOf(queue)).toBeUndefined();
    });

    it('respects the delay with which running work was asked for again', async () => {
      const queue = fresh('queue');
      await ask(queue);
      const job = await claimOnly(queue);
      await ask(queue, 'k', {}, 60_000);
      await store.commit({ claim: job, settle: { kind: 'done' } });
      expect(await statsOf(queue)).toMatchObject({ waiting: 1, due: 0, running: 0 });
    });

    it('lets work ask for itself in the commit that finishes it', async () => {
      const queue = fresh('queue');
      await ask(queue, 'k', { n: 1 });
      const claim = await claimOnly(queue);
      await store.commit({ jobs: [{ queue, key: 'k', payload: { n: 2 } }], claim, settle: { kind: 'done' } });
      expect(await claimOnly(queue)).toMatchObject({ payload: { n: 2 }, attempt: 1 });
    });

    it('goes on later with work that made progress, as a first attempt', async () => {
      const queue = fresh('queue');
      await ask(queue);
      const failed = await claimOnly(queue);
      await store.commit({ claim: failed, settle: { kind: 'retry', delayMs: 0, error: 'no' } });
      const job = await claimOnly(queue);
      expect(job.attempt).toBe(2);
      await store.commit({ claim: job, settle: { kind: 'again', delayMs: 150 } });
      await nothingDue(queue);
      await sleep(200);
      expect((await claimOnly(queue)).attempt).toBe(1);
    });

    it('goes on at once when it was asked for again meanwhile', async () => {
      const queue = fresh('queue');
      await ask(queue);
      const job = await claimOnly(queue);
      await ask(queue);
      await store.commit({ claim: job, settle: { kind: 'again', delayMs: 60_000 } });
      await claimOnly(queue);
    });

    it('tries failed work again after the delay, and counts', async () => {
      const queue = fresh('queue');
      await ask(queue, 'k', { n: 1 });
      for (const attempt of [1, 2, 3]) {
        const job = await claimOnly(queue);
        expect(job).toMatchObject({ attempt, payload: { n: 1 } });
        await store.commit({ claim: job, settle: { kind: 'retry', delayMs: 0, error: 'no\u0000 answer \ud800' } });
      }
      await store.commit({ claim: await claimOnly(queue), settle: { kind: 'retry', delayMs: 60_000, error: 'x' } });
      await nothingDue(queue);
    });

    it('keeps dead work aside until somebody asks for it again', async () => {
      const queue = fresh('queue');
      await ask(queue, 'k', { n: 1 });
      await store.commit({ claim: await claimOnly(queue), settle: { kind: 'dead', error: 'x'.repeat(100_000) } });
      await nothingDue(queue);
      expect(await statsOf(queue)).toEqual({ queue, due: 0, waiting: 0, running: 0, dead: 1, oldestDueMs: 0 });
      await ask(queue, 'k', { n: 2 });
      expect(await claimOnly(queue)).toMatchObject({ attempt: 1, payload: { n: 2 } });
    });

    it('revives work that was asked for while it was given up', async () => {
      const queue = fresh('queue');
      await ask(queue);
      const job = await claimOnly(queue);
      await ask(queue, 'k', { n: 2 });
      await store.commit({ claim: job, settle: { kind: 'dead', error: 'x' } });
      expect(await claimOnly(queue)).toMatchObject({ attempt: 1, payload: { n: 2 } });
    });

    it('keeps the lease of a commit that settles nothing', async () => {
      const queue = fresh('queue');
      await ask(queue);
      const claim = await claimOnly(queue);
      await store.commit({ claim, appends: [{ stream: fresh('run'), expectedVersion: 0, events: [anEvent()] }] });
      await nothingDue(queue);
      await store.commit({ claim, settle: { kind: 'done' } });
    });
  });

  describe('leases', () => {
    it('gives work to the next when the lease ends, with a higher attempt', async () => {
      const queue = fresh('queue');
      await ask(queue, 'k', { n: 1 });
      await claimOnly(queue, 100);
      await nothingDue(queue);
      await sleep(150);
      expect(await claimOnly(queue)).toMatchObject({ attempt: 2, payload: { n: 1 } });
    });

    it('refuses everything that a worker reports after its lease', async () => {
      const queue = fresh('queue');
      const [stream, kind] = [fresh('run'), fresh('kind')];
      await ask(queue);
      const late = await claimOnly(queue, 50);
      await sleep(80);
      const report: Commit = {
        claim: late,
        settle: { kind: 'done' },
        appends: [{ stream, expectedVersion: 0, events: [anEvent()] }],
        jobs: [{ queue: `${queue}-next`, key: 'k' }],
        documents: [aDocument({ kind, id: 'a' })],
      };
      await expect(store.commit(report)).rejects.toBeInstanceOf(LeaseLostError);
      const successor = await claimOnly(queue);
      await expect(store.commit(report)).rejects.toBeInstanceOf(LeaseLostError);
      expect(await store.readStream(stream)).toEqual([]);
      expect(await store.document(kind, 'a')).toBeUndefined();
      await nothingDue(`${queue}-next`);
      await store.commit({ claim: successor, settle: { kind: 'done' } });
    });

    it('counts the attempt of a worker that died, and not that of one that lost its lease and lives', async () => {
      const queue = fresh('queue');
      await ask(queue);
      await claimOnly(queue, 50);
      await sleep(100);
      const second = await claimOnly(queue, 50);
      expect(second.attempt).toBe(2);
      await sleep(100);
      await store.forgive(second);
      const third = await claimOnly(queue);
      expect(third.attempt).toBe(2);
      await store.commit({ claim: third, settle: { kind: 'done' } });
      await store.forgive(third);
      await nothingDue(queue);
    });

    it('refuses a second settlement of the same claim, also when both come together', async () => {
      const queue = fresh('queue');
      await ask(queue);
      const claim = await claimOnly(queue);
      const outcomes = await Promise.allSettled([
        store.commit({ claim, settle: { kind: 'again', delayMs: 0 } }),
        store.commit({ claim, settle: { kind: 'again', delayMs: 0 } }),
      ]);
      expect(outcomes.map((outcome) => outcome.status).toSorted()).toEqual(['fulfilled', 'rejected']);
      expect(outcomes.find((outcome) => outcome.status === 'rejected')?.reason).toBeInstanceOf(LeaseLostError);
    });

    it('prolongs a lease that is alive', async () => {
      const queue = fresh('queue');
      await ask(queue);
      const job = await claimOnly(queue, 150);
      expect(await store.extend(job, LEASE_MS)).toBe(true);
      await sleep(200);
      await nothingDue(queue);
      expect(await store.isHeld(job)).toBe(true);
      await store.commit({ claim: job, settle: { kind: 'done' } });
      expect(await store.isHeld(job)).toBe(false);
    });

    it('says so when a lease cannot be prolonged any more', async () => {
      const queue = fresh('queue');
      await ask(queue);
      const job = await claimOnly(queue, 30);
      await sleep(60);
      expect(await store.isHeld(job)).toBe(false);
      expect(await store.extend(job, LEASE_MS)).toBe(false);
      const next = await claimOnly(queue);
      expect(await store.extend(job, LEASE_MS)).toBe(false);
      expect([await store.isHeld(job), await store.isHeld(next)]).toEqual([false, true]);
      expect(await store.isHeld({ queue, key: 'unknown', token: 'x' })).toBe(false);
      expect(await store.extend({ queue, key: 'unknown', token: 'x' }, LEASE_MS)).toBe(false);
    });

    it('keeps a later request when a worker dies', async () => {
      const queue = fresh('queue');
      await ask(queue, 'k', { n: 1 });
      await claimOnly(queue, 50);
      await ask(queue, 'k', { n: 2 }, 60_000);
      await sleep(80);
      const successor = await claimOnly(queue);
      expect(successor).toMatchObject({ attempt: 2, payload: { n: 2 } });
      await store.commit({ claim: successor, settle: { kind: 'done' } });
      expect(await statsOf(queue)).toMatchObject({ waiting: 1 });
    });
  });

  describe('queue statistics', () => {
    it('tells how much is due, waiting, running and dead, and since when', async () => {
      const queue = fresh('queue');
      await ask(queue, 'will die');
      await store.commit({ claim: await claimOnly(queue), settle: { kind: 'dead', error: 'x' } });
      await ask(queue, 'runs');
      await claimOnly(queue);
      await ask(queue, 'waits', {}, 60_000);
      await ask(queue, 'due 1');
      await sleep(60);
      await ask(queue, 'due 2');
      const stats = await statsOf(queue);
      expect(stats).toEqual({ queue, due: 2, waiting: 1, running: 1, dead: 1, oldestDueMs: expect.any(Number) });
      expect(stats!.oldestDueMs).toBeGreaterThanOrEqual(50);
      expect(stats!.oldestDueMs).toBeLessThan(20_000);
    });
  });

  describe('read models', () => {
    it('keeps a document as it is', async () => {
      const document: Document = {
        kind: fresh('kind'),
        id: 'a',
        version: 3,
        project: 'p',
        stage: 's',
        service: 'v',
        context: 'c',
        status: 'running',
        sort: 1_740_000_000_000,
        data: { text: 'ä\u2028"', deep: { list: [1, 2.5, null, true] } },
      };
      await store.commit({ documents: [document] });
      expect(await store.document(document.kind, 'a')).toEqual(document);
      expect(await store.document(document.kind, 'b')).toBeUndefined();
    });

    it('ignores late writers and lets the same version correct itself', async () => {
      const kind = fresh('kind');
      const write = (version: number, n: number) =>
        store.commit({ documents: [aDocument({ kind, id: 'a', version, project: `p${n}`, data: { n } })] });
      await write(5, 1);
      await write(4, 2);
      expect(await store.document(kind, 'a')).toMatchObject({ version: 5, project: 'p1', data: { n: 1 } });
      await write(5, 3);
      expect(await store.document(kind, 'a')).toMatchObject({ version: 5, project: 'p3', data: { n: 3 } });
    });

    it('takes several versions of one document in one commit', async () => {
      const kind = fresh('kind');
      const versions = [2, 7, 7, 3].map((version, n) => aDocument({ kind, id: 'a', version, data: { n } }));
      await store.commit({ documents: versions });
      expect(await store.document(kind, 'a')).toMatchObject({ version: 7, data: { n: 2 } });
    });

    it.each([
      ['a NUL character', { data: { text: '\u0000' } }],
      ['a NUL character in a column', { status: 'a\u0000' }],
      ['a version that is no whole number', { version: 1.5 }],
      ['a sort value that is no number', { sort: Number.NaN }],
    ])('refuses a document with %s', async (_what, fields) => {
      const document = aDocument({ kind: fresh('kind'), id: 'a', ...fields });
      await expect(store.commit({ documents: [document] })).rejects.toBeInstanceOf(InvalidEventError);
    });

    it('lists the newest first, ties by id, and pages without gaps or repetitions', async () => {
      const kind = fresh('kind');
      const sorts = [5, 9, 5, 1, 5, 9, -3];
      const documents = sorts.map((sort, n) => aDocument({ kind, id: `Id${'gfEDcBa'[n]}`, sort }));
      await store.commit({ documents });
      const expected = documents
        .toSorted((a, b) => b.sort - a.sort || (a.id < b.id ? -1 : 1))
        .map((document) => document.id);
      const pages: string[] = [];
      for (let after: { sort: number; id: string } | undefined; ; ) {
        const page = await store.documents({ kind, limit: 2, ...(after === undefined ? {} : { after }) });
        pages.push(...page.map((document) => document.id));
        const last = page.at(-1);
        if (last === undefined) break;
        after = { sort: last.sort, id: last.id };
      }
      expect(pages).toEqual(expected);
    });

    it('filters by every column and by their combination', async () => {
      const kind = fresh('kind');
      const documents = [
        aDocument({
          kind,
          id: 'a',
          sort: 4,
          project: 'p',
          stage: 'dev',
          service: 'x',
          context: 'c1',
          status: 'running',
        }),
        aDocument({
          kind,
          id: 'b',
          sort: 3,
          project: 'p',
          stage: 'dev',
          service: 'y',
          context: 'c2',
          status: 'passed',
        }),
        aDocument({
          kind,
          id: 'c',
          sort: 2,
          project: 'p',
          stage: 'prod',
          service: 'x',
          context: 'c1',
          status: 'failed',
        }),
        aDocument({
          kind,
          id: 'd',
          sort: 1,
          project: 'q',
          stage: 'dev',
          service: 'x',
          context: 'c3',
          status: 'running',
        }),
        aDocument({ kind, id: 'e', sort: 0 }),
      ];
      await store.commit({ documents });
      const ids = async (query: object) => (await store.documents({ kind, ...query })).map((d) => d.id).join('');
      expect(await ids({})).toBe('abcde');
      expect(await ids({ project: 'p' })).toBe('abc');
      expect(await ids({ stage: 'dev' })).toBe('abd');
      expect(await ids({ project: 'p', stage: 'dev', service: 'x' })).toBe('a');
      expect(await ids({ context: ['c1', 'c3'] })).toBe('acd');
      expect(await ids({ status: ['running', 'failed'], project: 'p' })).toBe('ac');
      expect(await ids({ status: [] })).toBe('');
      expect(await ids({ project: "p' or 1=1 --" })).toBe('');
      expect(await ids({ status: ['running'], after: { sort: 4, id: 'a' } })).toBe('d');
    });
  });

  changesContract(() => opened);
  credentialsContract(() => opened);

  describe('telling that there is work', () => {
    it('calls back when due work was stored, and not for timers and duplicates', async () => {
      const mine = await opened.openAnother();
      let calls = 0;
      mine.onWork(() => {
        calls += 1;
      });
      const settled = async () => {
        // Long enough for the message that a listening connection sends when it is up.
        await sleep(150);
        return calls;
      };
      const before = await settled();
      const queue = fresh('queue');
      const event = anEvent();
      await mine.receive(fresh('inbox'), event, [{ queue, key: 'timer', delayMs: 60_000 }]);
      await mine.commit({ jobs: [{ queue, key: 'timer', delayMs: 60_000 }] });
      await mine.receive(fresh('inbox'), event, [{ queue, key: 'duplicate' }]);
      expect(await settled()).toBe(before);
      await mine.receive(fresh('inbox'), anEvent(), [{ queue, key: 'due' }]);
      expect(await settled()).toBe(before + 1);
      await mine.commit({ jobs: [{ queue, key: 'due too' }] });
      expect(await settled()).toBe(before + 2);
      const [job] = await mine.claim({ limit: 1, leaseMs: LEASE_MS, queues: [queue] });
      await mine.commit({ claim: job!, settle: { kind: 'retry', delayMs: 0, error: 'x' } });
      expect(await settled()).toBe(before + 3);
      await Promise.all([1, 2, 3].map((n) => mine.receive(fresh('inbox'), anEvent(), [{ queue, key: `burst ${n}` }])));
      expect(await settled()).toBe(before + 4);
      await mine.close();
    });
  });

  describe('telling that work which was put off is due', () => {
    it('calls back when its time has come', async () => {
      const mine = await opened.openAnother();
      const queue = fresh('queue');
      const due: string[] = [];
      await mine.commit({ jobs: [{ queue, key: 'soon', delayMs: 120 }] });
      await mine.commit({ jobs: [{ queue, key: 'again' }] });
      const [again] = await mine.claim({ limit: 1, leaseMs: LEASE_MS, queues: [queue] });
      await sleep(50);
      mine.onWork(() => {
        void mine.claim({ limit: 9, leaseMs: LEASE_MS, queues: [queue] }).then((jobs) => {
          due.push(...jobs.map(({ key }) => key));
        });
      });
      await mine.commit({ claim: again!, settle: { kind: 'again', delayMs: 200 } });
      await sleep(600);
      expect(due).toEqual(['soon', 'again']);
      await mine.close();
    });
  });

  describe('the life of a store', () => {
    it('is ready when it can write', async () => {
      await expect(store.ready()).resolves.toBeUndefined();
    });

    it('has nothing left to migrate', async () => {
      expect(await store.migrate()).toBe(0);
    });

    it('finishes what was accepted before it closes, and refuses what comes later', async () => {
      const mine = await opened.openAnother();
      const accepted = Promise.all(Array.from({ length: 50 }, () => mine.receive(fresh('inbox'), anEvent(), [])));
      await mine.close();
      expect(await accepted).toHaveLength(50);
      const later: (() => Promise<unknown>)[] = [
        () => mine.receive('inbox', anEvent(), []),
        () => mine.commit({ jobs: [{ queue: 'q', key: 'k' }] }),
        () => mine.claim({ limit: 1, leaseMs: 1 }),
        () => mine.extend({ queue: 'q', key: 'k', token: 't' }, 1),
        () => mine.isHeld({ queue: 'q', key: 'k', token: 't' }),
        () => mine.readStream('s'),
        () => mine.readLog({}),
        () => mine.document('k', 'i'),
        () => mine.documents({ kind: 'k' }),
        () => mine.changes({}),
        () => mine.countChanges({}),
        () => mine.changesById(['c']),
        () => mine.findChanges({ name: 'commit', value: 'abc' }),
        () => mine.stats(),
        () => mine.ready(),
        () => mine.migrate(),
      ];
      for (const call of later) await expect(call()).rejects.toBeInstanceOf(StoreUnavailableError);
      await expect(mine.close()).resolves.toBeUndefined();
    });
  });
}

/** Text that does not compress: an index entry must hold all of it. */
function randomText(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return [...bytes].map((byte) => String.fromCharCode(33 + (byte % 90))).join('');
}
