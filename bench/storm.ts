import type { SandboxApp } from '../examples/sandbox/argocd/controller.ts';
import { type BareRepository, createBareRepository } from '../examples/sandbox/git.ts';
import { type Benchmark, type Target, under } from './support/benchmark.ts';
import { createDatabases, type Database } from './support/databases.ts';
import { table, whole } from './support/figures.ts';
import type { Load, LoadResult } from './support/load.ts';
import { notifications } from './support/payloads.ts';
import { memoryOf, runProgram, startProgram } from './support/processes.ts';
import { metricsOf, numberOf, untilQuiet } from './support/quiet.ts';
import { ARGOCD_TOKEN, type Service, startService } from './support/service.ts';

const CONNECTIONS = 50;
const KNOWN_APPLICATIONS = 200;

/** Notifications are of this many applications; the last kind are nearly all unknown to Argo CD. */
const STORMS = [
  { name: `${KNOWN_APPLICATIONS} applications, again and again`, several: KNOWN_APPLICATIONS },
  { name: 'each of another application', several: Number.POSITIVE_INFINITY },
] as const;

export const storm: Benchmark = {
  name: 'storm',
  title: '10,000 notifications at once',
  method: `10,000 notifications over ${CONNECTIONS} connections, as fast as they are answered, right after the service has
started and seen the ${KNOWN_APPLICATIONS} applications of a sandbox Argo CD (a process of its own). Once they are all
of these applications, 50 different states of each; once each is of another application, which Argo CD then refuses to
show. Work begins with the first notification and is over when no job is due or running. The event loop's p99 delay is
that of the time until the last acknowledgement; the peak of resident memory is that of the whole run.`,

  async run({ quick, say }) {
    const databases = createDatabases(say);
    const amount = quick ? 2_000 : 10_000;
    const rows: string[][] = [];
    const targets: Target[] = [];
    try {
      for (const kind of databases.kinds) {
        for (const { name, several } of STORMS) {
          const database = await databases.fresh(kind);
          const outcome = await weather(database, amount, Math.min(several, amount)).finally(database.remove);
          say(`${kind}, ${name}: ${JSON.stringify(outcome)}`);
          rows.push(rowOf(kind, name, outcome));
          targets.push(...targetsOf(kind, name, outcome));
        }
      }
    } finally {
      await databases.stop();
    }
    const head = ['store', 'notifications', 'p50 ms', 'p99 ms', 'max ms', 'acknowledged after s', 'worked off after s'];
    return { tables: [table([...head, 'failed', 'loop p99 ms', 'peak MB'], rows)], targets };
  },
};

interface Outcome {
  load: LoadResult;
  stored: number;
  workedOffSeconds: number;
  loopP99Ms: number;
  peakBytes: number;
}

async function weather(database: Database, amount: number, several: number): Promise<Outcome> {
  const repository = createBareRepository('deploy');
  repository.commit({ branch: 'main', files: { 'app.json': '{}\n' }, message: 'Lay out' });
  const argocd = startProgram<{ url: string }>('../../examples/sandbox/argocd/main.ts', undefined, {
    SANDBOX_ARGOCD: JSON.stringify({
      token: ARGOCD_TOKEN,
      apps: applications(repository),
      timing: { pollMs: 600_000 },
    }),
  });
  try {
    const { url } = await argocd.line();
    const env = { LYNCEUS_RECONCILE_EVERY: '10m' };
    const service = await startService({ database, argocdUrl: url, repositories: [repository.path], env });
    try {
      return await blow(service, amount, several);
    } finally {
      await service.stop();
    }
  } finally {
    await argocd.stop();
    repository.remove();
  }
}

/** Named as the notifications name them. */
function applications(repository: BareRepository): SandboxApp[] {
  return Array.from({ length: KNOWN_APPLICATIONS }, (_, at) => ({
    name: `${at}-checkout`,
    labels: { 'lynceus.dev/project': 'shop', 'lynceus.dev/stage': 'dev', 'lynceus.dev/service': `checkout-${at}` },
    repoUrl: repository.path,
    path: '.',
    deployed: true,
  }));
}

async function blow(service: Service, amount: number, several: number): Promise<Outcome> {
  await untilQuiet(service);
  const payload = await notifications('s', several);
  const load: Load = {
    url: service.url + payload.path,
    headers: payload.headers,
    bodies: payload.bodies,
    amount,
    connections: CONNECTIONS,
  };
  await metricsOf(service); // Begins a new measurement of the event loop.
  const result = await runProgram<LoadResult>('./load.ts', load);
  const loopP99Ms = numberOf(await metricsOf(service), 'nodejs_eventloop_lag_p99_seconds') * 1000;
  const began = performance.now() - result.seconds * 1000;
  await untilQuiet(service);
  const workedOffSeconds = (performance.now() - began) / 1000;
  const stored = numberOf(await metricsOf(service), 'lynceus_received_total{sender="argocd",outcome="stored"}');
  return { load: result, stored, workedOffSeconds, loopP99Ms, peakBytes: memoryOf(service.pid).peak };
}

function rowOf(kind: string, name: string, outcome: Outcome): string[] {
  const { load, workedOffSeconds, loopP99Ms, peakBytes } = outcome;
  return [
    kind,
    name,
    whole(load.p50),
    whole(load.p99),
    whole(load.max),
    load.seconds.toFixed(1),
    workedOffSeconds.toFixed(1),
    String(load.failed),
    whole(loopP99Ms),
    whole(peakBytes / 1e6),
  ];
}

function targetsOf(kind: string, name: string, { load, stored }: Outcome): Target[] {
  const all = Math.round(load.perSecond * load.seconds);
  return [
    under(`${kind}, ${name}: p99 of acknowledgements`, 250, load.p99, 'ms'),
    {
      name: `${kind}, ${name}: acknowledged, stored and worked off`,
      wanted: `all ${whole(all)}`,
      measured: `${whole(stored)}, ${load.failed} refused`,
      met: stored === all && load.failed === 0,
    },
  ];
}
