import { setTimeout as sleep } from 'node:timers/promises';
import { noSequence } from '../src/engine/sequence.ts';
import type { SequenceEvent, TaskName } from '../src/events/types.ts';
import { sequenceCommit } from '../src/runtime/sequences.ts';
import { openStore } from '../src/store/open.ts';
import type { Store } from '../src/store/store.ts';
import { type Benchmark, type Target, under } from './support/benchmark.ts';
import { createDatabases, type Database } from './support/databases.ts';
import { table, whole } from './support/figures.ts';
import { memoryOf } from './support/processes.ts';
import { untilQuiet } from './support/quiet.ts';
import { startEmptyArgoCd, startService } from './support/service.ts';

const IDLE_MS = 10_000;
const TASKS: readonly TaskName[] = ['plan', 'checks', 'sync', 'rollout', 'test', 'evaluation'];

export const memory: Benchmark = {
  name: 'memory',
  title: 'Memory of the idle service',
  method: `Resident memory (VmRSS) of the service's process ${IDLE_MS / 1000} s after it had nothing more to do (no job due or
running), with an empty store and with one that holds 5,000 finished sequences (14 events each), whose rows for the page it makes from the
log when it starts, as after an upgrade. Started from the sources instead of
the built files, Node keeps about 30 MB more for stripping types. PostgreSQL's own memory is not counted.`,

  async run({ quick, say }) {
    const databases = createDatabases(say);
    const rows: string[][] = [];
    const targets: Target[] = [];
    try {
      for (const kind of databases.kinds) {
        for (const sequences of [0, quick ? 500 : 5_000]) {
          const database = await databases.fresh(kind);
          const { now, peak } = await idle(database, sequences).finally(database.remove);
          say(`${kind}, ${sequences} sequences: ${whole(now / 1e6)} MB`);
          rows.push([kind, whole(sequences), whole(now / 1e6), whole(peak / 1e6)]);
          targets.push(under(`${kind}, ${whole(sequences)} sequences: idle memory`, 150, now / 1e6, 'MB'));
        }
      }
    } finally {
      await databases.stop();
    }
    return { tables: [table(['store', 'sequences', 'resident MB', 'peak MB'], rows)], targets };
  },
};

async function idle(database: Database, sequences: number): Promise<{ now: number; peak: number }> {
  const store = await openStore(database);
  for (let at = 0; at < sequences; at++) await storeSequence(store, at);
  await store.close();
  const argocd = await startEmptyArgoCd(1);
  const service = await startService({ database, argocdUrl: argocd.url });
  try {
    await untilQuiet(service);
    await sleep(IDLE_MS);
    return memoryOf(service.pid);
  } finally {
    await service.stop();
    await argocd.stop();
  }
}

async function storeSequence(store: Store, number: number): Promise<void> {
  const { commit } = sequenceCommit({ state: noSequence, version: 0 }, eventsOf(number));
  await store.commit({ appends: commit.appends, documents: commit.documents });
}

function eventsOf(number: number): SequenceEvent[] {
  const sequence = `sequence-${number}`;
  const place = { project: 'shop', stage: 'dev', service: `service-${number % 100}` };
  const at = new Date(Date.parse('2026-03-02T10:00:00Z') + number * 1000).toISOString();
  const application = { system: 'main', namespace: 'argocd', name: place.service, uid: 'u1', systemProject: 'default' };
  const tasks = TASKS.flatMap((name, position): SequenceEvent[] => {
    const task = `${sequence}-${position}`;
    return [
      { name: 'task.triggered', at, data: { task, name, timeLimitMs: 600_000 } },
      {
        name: 'task.finished',
        at,
        data: { task, name, status: 'succeeded', result: 'pass', message: `${name} is well`, data: { looked: 'once' } },
      },
    ];
  });
  return [
    {
      name: 'sequence.triggered',
      at,
      data: {
        sequence,
        context: `change-${number}`,
        place,
        revision: String(number).padStart(40, '0'),
        source: { repoUrl: 'https://git.example.com/shop.git', path: '.' },
        automated: false,
        application,
      },
    },
    ...tasks,
    {
      name: 'sequence.finished',
      at,
      data: { status: 'succeeded', result: 'pass', reason: 'completed', message: 'delivered' },
    },
  ];
}
