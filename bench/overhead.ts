import { setTimeout as sleep } from 'node:timers/promises';
import { startSandboxArgoCd } from '../examples/sandbox/argocd/server.ts';
import { freePort } from '../examples/sandbox/free-port.ts';
import { type BareRepository, createBareRepository } from '../examples/sandbox/git.ts';
import { type Benchmark, type Target, under } from './support/benchmark.ts';
import { createDatabases, type Database } from './support/databases.ts';
import { median, quantile, table, whole } from './support/figures.ts';
import { ARGOCD_TOKEN, CI_TOKEN, type Service, startService, WEBHOOK_TOKEN } from './support/service.ts';

const WITHIN_MS = 60_000;
const PAUSE_MS = 1_100;
const TASKS = ['plan', 'checks', 'sync', 'rollout'] as const;

const DELIVERY = `apiVersion: lynceus.dev/v1
kind: Delivery
metadata: {name: shop}
spec:
  stages:
    - name: dev
      branch: main
      sync: gated
      checks: {risk: {approvalAbove: 99}}
      rollout: {settle: 1ms}
`;

export const overhead: Benchmark = {
  name: 'overhead',
  title: 'Own overhead of a sequence',
  method: `Sequences one after another, a second apart: a commit is pushed, the sandbox Argo CD sees it, and Lynceus
plans, checks, syncs and waits until it is healthy; no tests, no soak, a settle time of 1 ms. Everything in the sandbox that takes time takes 1 ms.
Measured from \`sequence.triggered\` to \`sequence.finished\` by the times in the event log. Nothing is subtracted: what
the sandbox needs for its answers, its few milliseconds of syncing, its notifications and its Git counts as ours, so
this is an upper bound. Per task it is the time from \`task.triggered\` to \`task.finished\`; what is missing from the
sum is the engine between them.`,

  async run({ quick, say }) {
    const databases = createDatabases(say);
    const rows: string[][] = [];
    const targets: Target[] = [];
    try {
      for (const kind of databases.kinds) {
        const database = await databases.fresh(kind);
        const sequences = await deliver(database, quick ? 10 : 100).finally(database.remove);
        say(`${kind}: ${sequences.length} sequences`);
        rows.push(rowOf(kind, sequences));
        const totals = sequences.map(({ totalMs }) => totalMs);
        targets.push(under(`${kind}: median overhead of a sequence`, 500, median(totals), 'ms'));
      }
    } finally {
      await databases.stop();
    }
    const head = ['store', 'sequences', 'median ms', 'p99 ms', 'max ms', ...TASKS.map((task) => `${task} ms`)];
    return { tables: [table(head, rows)], targets };
  },
};

interface Sequence {
  totalMs: number;
  taskMs: Record<string, number>;
}

async function deliver(database: Database, amount: number): Promise<Sequence[]> {
  const repository = createBareRepository('deploy');
  commit(repository, 0);
  const port = await freePort();
  const argocd = await startSandboxArgoCd({
    token: ARGOCD_TOKEN,
    timing: { pickUpMs: 1, syncMs: 1, reconcileMs: 1, healthPollMs: 1, pollMs: 50 },
    apps: [
      { name: 'checkout-dev', labels: LABELS, repoUrl: repository.path, path: '.', deployed: true, healthDelayMs: 1 },
    ],
    notifications: { url: `http://127.0.0.1:${port}/webhooks/argocd`, token: WEBHOOK_TOKEN },
  });
  const service = await startService({ database, argocdUrl: argocd.url, repositories: [repository.path], port });
  try {
    await untilSeen(service);
    const sequences: Sequence[] = [];
    for (let at = 1; at <= amount; at++) {
      // Argo CD's times are whole seconds: a second sync within the same one looks like the first.
      await sleep(PAUSE_MS);
      sequences.push(await deliverOne(service, repository, at));
    }
    return sequences;
  } finally {
    await service.stop();
    await argocd.close();
    repository.remove();
  }
}

const LABELS = { 'lynceus.dev/project': 'shop', 'lynceus.dev/stage': 'dev', 'lynceus.dev/service': 'checkout' };

function commit(repository: BareRepository, version: number): string {
  const files = { 'app.json': `{"version": ${version}}\n`, 'delivery.yaml': DELIVERY };
  return repository.commit({ branch: 'main', files, message: `Release ${version}` });
}

interface LogEvent {
  type: string;
  stream: string;
  sequencenumber: number;
  time: string;
  data: { revision?: string; name?: string; result?: string; message?: string };
}

let readUpTo = 0;

/** The service must have seen the application once: its first sight delivers nothing. */
async function untilSeen(service: Service): Promise<void> {
  readUpTo = 0;
  await until(async () => {
    const events = await newEvents(service);
    return events.some(({ type }) => type.includes('.application.changed.')) || undefined;
  });
}

async function deliverOne(service: Service, repository: BareRepository, version: number): Promise<Sequence> {
  const revision = commit(repository, version);
  const events: LogEvent[] = [];
  return until(async () => {
    events.push(...(await newEvents(service)));
    const first = events.find(({ type, data }) => is(type, 'sequence.triggered') && data.revision === revision);
    const own = events.filter(({ stream }) => stream === first?.stream);
    const last = own.find(({ type }) => is(type, 'sequence.finished'));
    if (first === undefined || last === undefined) return undefined;
    if (last.data.result !== 'pass') throw new Error(`a sequence failed: ${last.data.message}`);
    return { totalMs: between(first, last), taskMs: taskTimes(own) };
  });
}

function taskTimes(events: readonly LogEvent[]): Record<string, number> {
  const began = events.filter(({ type }) => is(type, 'task.triggered'));
  const ended = events.filter(({ type }) => is(type, 'task.finished'));
  return Object.fromEntries(
    began.flatMap((first) => {
      const last = ended.find(({ data }) => data.name === first.data.name);
      return last === undefined ? [] : [[first.data.name ?? '', between(first, last)]];
    }),
  );
}

function is(type: string, name: string): boolean {
  return type === `dev.lynceus.${name}.v1`;
}

function between(first: LogEvent, last: LogEvent): number {
  return Date.parse(last.time) - Date.parse(first.time);
}

async function newEvents({ url }: Service): Promise<LogEvent[]> {
  const address = `${url}/api/v1/events?limit=1000&after=${readUpTo}`;
  const answer = await fetch(address, { headers: { Authorization: `Bearer ${CI_TOKEN}` } });
  const { events } = (await answer.json()) as { events: LogEvent[] };
  readUpTo = events.at(-1)?.sequencenumber ?? readUpTo;
  return events;
}

async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + WITHIN_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`nothing happened within ${WITHIN_MS / 1000} s`);
    await sleep(50);
  }
}

function rowOf(kind: string, sequences: readonly Sequence[]): string[] {
  const totals = sequences.map(({ totalMs }) => totalMs);
  return [
    kind,
    whole(sequences.length),
    whole(median(totals)),
    whole(quantile(totals, 0.99)),
    whole(Math.max(...totals)),
    ...TASKS.map((task) => whole(median(sequences.map(({ taskMs }) => taskMs[task] ?? Number.NaN)))),
  ];
}
