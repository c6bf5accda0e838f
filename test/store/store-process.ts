import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '../../src/store/open.ts';
import { type ClaimedJob, LeaseLostError, type NewEvent, type Store } from '../../src/store/store.ts';

/**
 * A process of its own around a store, for tests that kill it. Every line it prints is written
 * before it goes on, so what a test reads was really said.
 */
const [mode, databaseUrl = '', dataDir = ''] = process.argv.slice(2);
const name = `${process.pid}`;

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

function event(id: string, data: NewEvent['data'] = {}): NewEvent {
  return { id, source: `/process/${name}`, type: 'dev.lynceus.test.happened.v1', time: new Date().toISOString(), data };
}

/** Eight senders and two sequences without a pause; says what was acknowledged. */
async function appendForever(store: Store): Promise<void> {
  const run = crypto.randomUUID().slice(0, 8);
  async function receive(sender: number): Promise<void> {
    for (let n = 0; ; n += 1) {
      const id = `${run}-${sender}-${n}`;
      await store.receive('inbox', event(id), [{ queue: 'crash', key: id }]);
      say(`received ${id}`);
    }
  }
  async function commit(sequence: number): Promise<void> {
    const stream = `${run}-sequence-${sequence}`;
    for (let version = 0; ; version += 1) {
      const events = [event(`${stream}-${version}`)];
      const document = { kind: 'crash', id: stream, version: version + 1, sort: 0, data: {} };
      await store.commit({ appends: [{ stream, expectedVersion: version, events }], documents: [document] });
      say(`committed ${stream} ${version + 1}`);
    }
  }
  await Promise.all([...[0, 1, 2, 3, 4, 5, 6, 7].map(receive), ...[0, 1].map(commit)]);
}

/** Four workers; each run that was accepted leaves an event with its times and what it had seen. */
async function workForever(store: Store): Promise<void> {
  async function work(): Promise<void> {
    for (;;) {
      const jobs = await store.claim({ limit: 2, leaseMs: 700 });
      await Promise.all(jobs.map(run));
      if (jobs.length === 0) await sleep(15);
    }
  }
  async function run(job: ClaimedJob): Promise<void> {
    const startedAt = Date.now();
    await sleep(Math.random() * 20);
    const failed = Math.random() < 0.05;
    const data = { key: job.key, startedAt, seen: job.payload['n'] ?? null, endedAt: Date.now() };
    const stream = `done-${crypto.randomUUID()}`;
    try {
      await store.commit({
        claim: job,
        settle: failed ? { kind: 'retry', delayMs: 20, error: 'unlucky' } : { kind: 'done' },
        appends: failed ? [] : [{ stream, expectedVersion: 0, events: [event(stream, data)] }],
      });
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error;
    }
  }
  await Promise.all([work(), work(), work(), work()]);
}

async function hold(store: Store): Promise<void> {
  await store.commit({ jobs: [{ queue: 'held', key: 'k' }] });
  await store.claim({ limit: 1, leaseMs: 3_600_000, queues: ['held'] });
  say('holding');
  await sleep(600_000);
}

/** Receives one event after another whatever happens, and says how each went. */
async function receivePatiently(store: Store): Promise<void> {
  // A file that reaches its size limit sends this signal, which would end the process.
  process.on('SIGXFSZ', () => {});
  for (let n = 0; ; n += 1) {
    const large = { ...event(`patient-${name}-${n}`), data: { text: 'x'.repeat(20_000) } };
    const answer = await store.receive('inbox', large, []).catch((error: Error) => error.name);
    const ready = await store.ready().then(
      () => 'ready',
      (error: Error) => error.message,
    );
    say(`${answer} ${large.id} ${ready}`);
    await sleep(5);
  }
}

/** Each waits for the one before, so that no two share a transaction. */
async function receiveTwenty(store: Store): Promise<void> {
  for (let n = 0; n < 20; n += 1) await store.receive('inbox', event(`twenty-${n}`), []);
  await store.close();
}

/** Receives one event, reads the log before that is answered, and says how it went in one line of JSON. */
async function receiveOne(store: Store): Promise<void> {
  const ended = (promise: Promise<unknown>) =>
    promise.then(String, (error: Error) => `${error.name}: ${error.message}`);
  const startedAt = performance.now();
  let turns = 0;
  const turning = setInterval(() => (turns += 1), 5);
  const receiving = ended(store.receive('inbox', event('one'), []));
  await sleep(20);
  const reading = ended(store.readLog({}).then((events) => events.length));
  const [read, readMs] = [await reading, performance.now() - startedAt];
  clearInterval(turning);
  const [received, ready] = [await receiving, await ended(store.ready())];
  say(JSON.stringify({ received, read, readMs, turns, ready }));
}

try {
  const store = await openStore({ ...(databaseUrl === '' ? {} : { databaseUrl }), dataDir });
  say('open');
  if (mode === 'append') await appendForever(store);
  if (mode === 'work') await workForever(store);
  if (mode === 'hold') await hold(store);
  if (mode === 'receive-twenty') await receiveTwenty(store);
  if (mode === 'receive-one') await receiveOne(store);
  if (mode === 'receive-patiently') await receivePatiently(store);
} catch (error) {
  say(`failed ${error instanceof Error ? `${error.name}: ${error.message}` : error}`);
  process.exitCode = 1;
}
