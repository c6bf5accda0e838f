import { setTimeout as sleep } from 'node:timers/promises';
import { createBareRepository } from '../examples/sandbox/git.ts';
import { openStore } from '../src/store/open.ts';
import { type Benchmark, type Target, under } from './support/benchmark.ts';
import { createDatabases, type Database } from './support/databases.ts';
import { table, whole } from './support/figures.ts';
import type { FleetCounts, FleetOptions } from './support/fleet-argocd.ts';
import { type App, tellWhatIsKnown } from './support/fleet-notifications.ts';
import { cpuMsOf, memoryOf, startProgram } from './support/processes.ts';
import { untilQuiet } from './support/quiet.ts';
import { type Service, startService } from './support/service.ts';

const LONG = { fleets: [1_000, 2_500, 5_000], everyMs: 30_000, cycles: 3, storm: 10_000 };
const SHORT = { fleets: [100, 250], everyMs: 2_000, cycles: 2, storm: 600 };
/** One in so many moves. */
const MOVED = 100;
/** What a cycle costs per application in the largest fleet, times that in the smallest. */
const LINEAR = 1.25;
const PEAK_MB = 512;
const WITHIN_MS = 300_000;
const DELIVERY = `apiVersion: lynceus.dev/v1
kind: Delivery
metadata: {name: shop}
spec:
  stages:
    - {name: production, branch: main, sync: automatic, rollout: {settle: 1ms}}
`;

export const fleet: Benchmark = {
  name: 'fleet',
  title: 'Thousands of applications',
  method: `A fleet of applications of about 16 kB each behind the API of an Argo CD (a process of its own that counts what it
is asked), listed every 30 s and followed on its event stream; *first look* is the time until each was looked at. Then
${LONG.cycles} cycles in which nothing moves: bytes that Argo CD sent per cycle, processor time of the service per cycle (all of
it, what it does when idle included). Then one in ${MOVED} moves: *reads* is how many single applications were asked for until all
of these were delivered. Then the service is restarted and told, as when Argo CD restarts, in ${whole(LONG.storm)} notifications what is known already,
half of them of the applications that moved. Resident memory is the peak of everything.`,

  async run({ quick, say }) {
    const plan = quick ? SHORT : LONG;
    const databases = createDatabases(say);
    const measured: Measured[] = [];
    try {
      for (const kind of databases.kinds) {
        for (const applications of plan.fleets) {
          const database = await databases.fresh(kind);
          const one = await measure(database, applications, plan).finally(database.remove);
          say(`${kind}: ${JSON.stringify(one)}`);
          measured.push({ kind, ...one });
        }
      }
    } finally {
      await databases.stop();
    }
    return { tables: [table(HEAD, measured.map(rowOf))], targets: targetsOf(measured, plan.everyMs) };
  },
};

interface Figures {
  applications: number;
  firstLookSeconds: number;
  bytesPerCycle: number;
  cpuPerCycle: number;
  /** Between two lists, at the least. */
  listEveryMs: number;
  moved: number;
  reads: number;
  sequences: number;
  peakBytes: number;
}
interface Measured extends Figures {
  kind: string;
}

async function measure(database: Database, applications: number, plan: typeof LONG): Promise<Figures> {
  const repository = createBareRepository('deploy');
  const release = (version: number) =>
    repository.commit({
      branch: 'main',
      files: { 'app.json': `{"version": ${version}}\n`, 'delivery.yaml': DELIVERY },
      message: `Release ${version}`,
    });
  const options: FleetOptions = { applications, repoUrl: repository.path, revision: release(1) };
  const argocd = startProgram<{ url: string }>('./fleet-argocd.ts', options);
  try {
    const { url } = await argocd.line();
    const start = () =>
      startService({
        database,
        argocdUrl: url,
        repositories: [repository.path],
        watch: true,
        env: { LYNCEUS_RECONCILE_EVERY: `${plan.everyMs}ms` },
      });
    const ask = (path: string) => askFleet(url, path);
    return await observe({ database, start, ask, release, url }, applications, plan);
  } finally {
    await argocd.stop();
    repository.remove();
  }
}

interface Room {
  database: Database;
  start(): Promise<Service>;
  ask(path: string): Promise<FleetCounts>;
  release(version: number): string;
  url: string;
}

async function observe(room: Room, applications: number, plan: typeof LONG): Promise<Figures> {
  const began = performance.now();
  let service = await room.start();
  try {
    await until(async () => (await room.ask('counts')).reads >= applications);
    await untilQuiet(service);
    const firstLookSeconds = (performance.now() - began) / 1000;
    const cycle = await cycles(room, service, plan.cycles);
    const moved = Math.ceil(applications / MOVED);
    const before = await room.ask(`move?applications=${moved}&revision=${room.release(2)}`);
    await untilDelivered(service, moved);
    const reads = (await room.ask('counts')).reads - before.reads;
    const peaks = [memoryOf(service.pid).peak];
    await service.stop();
    service = await room.start();
    await tellWhatIsKnown(service.url, await appsOf(room.url), moved, plan.storm);
    await untilQuiet(service);
    peaks.push(memoryOf(service.pid).peak);
    await service.stop();
    const { listedAt } = await room.ask('counts');
    return {
      applications,
      firstLookSeconds,
      ...cycle,
      listEveryMs: Math.min(...listedAt.slice(1).map((at, before) => at - (listedAt[before] ?? 0))),
      moved,
      reads,
      sequences: await countSequences(room.database),
      peakBytes: Math.max(...peaks),
    };
  } finally {
    await service.stop();
  }
}

/** From one list to another, so many later. */
async function cycles({ ask }: Room, { pid }: Service, amount: number) {
  const { lists } = await ask('counts');
  await until(async () => (await ask('counts')).lists > lists);
  const [cpu, first] = [cpuMsOf(pid), await ask('counts')];
  await until(async () => (await ask('counts')).lists >= first.lists + amount);
  const last = await ask('counts');
  const listed = last.lists - first.lists;
  return { cpuPerCycle: (cpuMsOf(pid) - cpu) / listed, bytesPerCycle: (last.bytes - first.bytes) / listed };
}

/** Not before they have gone through all their tasks. */
async function untilDelivered(service: Service, moved: number): Promise<void> {
  await until(async () => {
    const answer = await fetch(`${service.url}/api/v1/changes?limit=200&journeys=1`);
    const { changes } = (await answer.json()) as { changes: { stages: { status: string }[] }[] };
    return changes.filter(({ stages }) => stages.every(({ status }) => status === 'finished')).length >= moved;
  });
}

async function appsOf(url: string): Promise<App[]> {
  return (await (await fetch(`${url}/fleet/applications`)).json()) as App[];
}

async function countSequences(database: Database): Promise<number> {
  const store = await openStore(database);
  try {
    return (await store.documents({ kind: 'sequence', limit: 1_000 })).length;
  } finally {
    await store.close();
  }
}

async function askFleet(url: string, path: string): Promise<FleetCounts> {
  return (await (await fetch(`${url}/fleet/${path}`)).json()) as FleetCounts;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WITHIN_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`it did not happen within ${WITHIN_MS / 1000} s`);
    await sleep(100);
  }
}

const HEAD = [
  'store',
  'applications',
  'first look s',
  'MB per cycle',
  'CPU ms per cycle',
  'µs per application',
  'moved',
  'reads',
  'peak MB',
  'sequences after the storm',
];

function rowOf(one: Measured): string[] {
  return [
    one.kind,
    whole(one.applications),
    one.firstLookSeconds.toFixed(1),
    (one.bytesPerCycle / 1e6).toFixed(1),
    whole(one.cpuPerCycle),
    whole((one.cpuPerCycle * 1000) / one.applications),
    whole(one.moved),
    whole(one.reads),
    whole(one.peakBytes / 1e6),
    whole(one.sequences),
  ];
}

function targetsOf(measured: readonly Measured[], everyMs: number): Target[] {
  const kinds = [...new Set(measured.map(({ kind }) => kind))];
  return [
    ...measured.map(({ kind, applications, moved, sequences }) => ({
      name: `${kind}, ${whole(applications)}: sequences after the storm`,
      wanted: `${whole(moved)}, one per move`,
      measured: whole(sequences),
      met: sequences === moved,
    })),
    ...kinds.flatMap((kind) => {
      const own = measured.filter((one) => one.kind === kind);
      const [smallest, largest] = [own[0], own.at(-1)];
      return smallest && largest ? growth(kind, smallest, largest, everyMs) : [];
    }),
  ];
}

function growth(kind: string, smallest: Measured, largest: Measured, everyMs: number): Target[] {
  const perApplication = ({ cpuPerCycle, applications }: Measured) => cpuPerCycle / applications;
  const ratio = perApplication(largest) / perApplication(smallest);
  return [
    {
      name: `${kind}: time from one list to the next, at the least`,
      // The clock starts when the list is asked for, the pause when it was read: network and timers blur a little.
      wanted: `${everyMs / 1000} s`,
      measured: `${(largest.listEveryMs / 1000).toFixed(1)} s`,
      met: largest.listEveryMs >= everyMs * 0.99,
    },
    {
      name: `${kind}: cost per application, ${whole(largest.applications)} against ${whole(smallest.applications)}`,
      wanted: `at most ${LINEAR}`,
      measured: ratio.toFixed(2),
      met: ratio <= LINEAR,
    },
    under(`${kind}, ${whole(largest.applications)}: peak memory`, PEAK_MB, largest.peakBytes / 1e6, 'MB'),
  ];
}
