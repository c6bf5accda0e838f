import { atLeast, type Benchmark, type Target } from './support/benchmark.ts';
import { createDatabases, type Database, type Databases, type StoreKind } from './support/databases.ts';
import { median, spread, table, twoDigits, whole } from './support/figures.ts';
import type { Load, LoadResult } from './support/load.ts';
import { batchedCloudEvents, cloudEvents, notifications, type Payload } from './support/payloads.ts';
import { runProgram, startProgram } from './support/processes.ts';
import { startEmptyArgoCd, startService } from './support/service.ts';

const CONNECTIONS = 64;
/** Events in one transaction of the grouped INSERTs, and in one batch. */
const GROUP = 64;
const APPLICATIONS = 20;
const ARGOCD_ANSWERS_AFTER_MS = 100;
/** Until compilers have done their work, for all alike: in slices of 5,000 Lynceus gets quicker until the fifth. */
const WARM_UP = 30_000;
const QUICK_WARM_UP = 10_000;

export const ingest: Benchmark = {
  name: 'ingest',
  title: 'Durable events per second through HTTP',
  method: `Four contenders take turns on fresh databases with the same schema, ${CONNECTIONS} connections, CloudEvents of
1.1 kB or Argo CD notifications of 0.8 kB, all of them different:

One in a request, and CloudEvents also ${GROUP} in a request, as the standard's batches (for Lynceus alone: the bare
handler keeps its one INSERT per request).

- **Lynceus**: the service as its own process, everything on: authentication, strict JSON, validation, duplicates,
  hand-over to the queue; answered when durable. For notifications the worker runs beside it and looks at the
  ${APPLICATIONS} applications again and again, in such a storm once a second each, against an Argo CD that answers after
  ${ARGOCD_ANSWERS_AFTER_MS} ms.
- **bare Express**: \`express.json()\` and one INSERT per request into the same table, durable too; no authentication,
  no validation, no queue (\`bench/support/bare-handler.ts\`).
- **grouped INSERTs**: no HTTP at all; one client writes groups of ${GROUP} into the same table, one group after the other
  (\`bench/support/grouped-inserts.ts\`).
- **empty handler**: Node's HTTP alone, which answers without Express, JSON and store (\`bench/support/empty-handler.ts\`). On
  SQLite one thread does both: *ceiling* is the share of the grouped rate that is left when each event costs what an empty
  handler and a grouped INSERT cost together, and nothing else.

The load comes from another process, from bare sockets with requests written out beforehand (\`bench/support/load.ts\`),
one in flight per connection; it shares the cores with whoever is measured. Each contender gets ${whole(WARM_UP)} requests to warm up. Ratios are medians of the ratios of
neighbouring rounds.`,

  async run({ quick, say }) {
    const [rounds, warmUp, amount] = quick ? [1, QUICK_WARM_UP, 8_000] : [3, WARM_UP, 30_000];
    const databases = createDatabases(say);
    const rows: string[][] = [];
    const targets: Target[] = [];
    try {
      for (const kind of databases.kinds) {
        const payloads = [cloudEvents('w'), batchedCloudEvents('w', GROUP), await notifications('w', APPLICATIONS)];
        for (const payload of payloads) {
          const round = { databases, kind, payload, warmUp, amount };
          const measured: Round[] = [];
          for (let at = 0; at < rounds; at++) {
            measured.push(await measureRound(round));
            say(`${kind}, ${payload.name}, round ${at + 1}: ${sayRound(measured.at(-1) as Round)}`);
          }
          rows.push(rowOf(kind, payload, measured));
          targets.push(...targetsOf(kind, payload, measured));
        }
      }
    } finally {
      await databases.stop();
    }
    const head = [
      'store',
      'payload',
      'Lynceus/s',
      'bare Express/s',
      'grouped/s',
      '÷ bare',
      '÷ grouped',
      'ceiling',
      'p99 ms',
    ];
    return { tables: [table(head, rows)], targets };
  },
};

interface RoundOptions {
  databases: Databases;
  kind: StoreKind;
  payload: Payload;
  /** Requests that are not counted. */
  warmUp: number;
  amount: number;
}

interface Round {
  lynceus: LoadResult;
  bare: LoadResult;
  grouped: number;
  /** Of the empty handler. */
  empty: number;
}

async function measureRound(options: RoundOptions): Promise<Round> {
  const lynceus = await onFresh(options, (database) => throughLynceus(options, database));
  const bare = await onFresh(options, (database) => throughHandler(options, './bare-handler.ts', database));
  const { perSecond: empty } = await throughHandler(options, './empty-handler.ts');
  const grouped = await onFresh(options, async ({ dataDir, databaseUrl }) => {
    const { bodies } = options.payload;
    const program = { dataDir, databaseUrl, bodies, amount: options.amount };
    return (await runProgram<{ perSecond: number }>('./grouped-inserts.ts', program)).perSecond;
  });
  return { lynceus, bare, grouped, empty };
}

async function onFresh<T>({ databases, kind }: RoundOptions, use: (database: Database) => Promise<T>): Promise<T> {
  const database = await databases.fresh(kind);
  try {
    return await use(database);
  } finally {
    await database.remove();
  }
}

async function throughLynceus(options: RoundOptions, database: Database): Promise<LoadResult> {
  const argocd = await startEmptyArgoCd(ARGOCD_ANSWERS_AFTER_MS);
  const service = await startService({ database, argocdUrl: argocd.url });
  try {
    return await measure(options, service.url + options.payload.path, options.payload.batch);
  } finally {
    await service.stop();
    await argocd.stop();
  }
}

async function throughHandler(options: RoundOptions, file: string, database?: Database): Promise<LoadResult> {
  const { dataDir, databaseUrl } = database ?? {};
  const handler = startProgram<{ port: number }>(file, { dataDir, databaseUrl });
  try {
    const { port } = await handler.line();
    return await measure(options, `http://127.0.0.1:${port}/events`);
  } finally {
    await handler.stop();
  }
}

async function measure({ payload, warmUp, amount }: RoundOptions, url: string, batch?: number): Promise<LoadResult> {
  const { headers, bodies } = payload;
  const several = batch === undefined ? {} : { batch };
  const load: Load = { url, headers, bodies, amount, connections: CONNECTIONS, ...several };
  const before: Load = { ...load, amount: warmUp, bodies: { ...bodies, prefix: `${bodies.prefix}w` } };
  await runProgram<LoadResult>('./load.ts', before);
  const result = await runProgram<LoadResult>('./load.ts', load);
  if (result.failed > 0) throw new Error(`${result.failed} of ${amount} requests to ${url} failed`);
  return result;
}

function rowOf(kind: StoreKind, { name, batch }: Payload, rounds: readonly Round[]): string[] {
  return [
    kind,
    name,
    spread(rounds.map(({ lynceus }) => lynceus.perSecond)),
    spread(rounds.map(({ bare }) => bare.perSecond)),
    spread(rounds.map(({ grouped }) => grouped)),
    spread(ratiosToBare(rounds), twoDigits),
    spread(ratiosToGrouped(rounds), twoDigits),
    kind === 'sqlite' && batch === undefined ? spread(rounds.map(ceiling), twoDigits) : '',
    spread(rounds.map(({ lynceus }) => lynceus.p99)),
  ];
}

function targetsOf(kind: StoreKind, { name }: Payload, rounds: readonly Round[]): Target[] {
  return [
    atLeast(`${name}, ${kind}: ÷ bare Express`, 2, median(ratiosToBare(rounds))),
    atLeast(`${name}, ${kind}: ÷ grouped INSERTs`, 0.35, median(ratiosToGrouped(rounds))),
  ];
}

function ratiosToBare(rounds: readonly Round[]): number[] {
  return rounds.map(({ lynceus, bare }) => lynceus.perSecond / bare.perSecond);
}

function ratiosToGrouped(rounds: readonly Round[]): number[] {
  return rounds.map(({ lynceus, grouped }) => lynceus.perSecond / grouped);
}

/** Of the grouped rate: one thread that only parses HTTP and writes. */
function ceiling({ empty, grouped }: Round): number {
  return empty / (empty + grouped);
}

function sayRound({ lynceus, bare, grouped }: Round): string {
  const ratios = `${twoDigits(lynceus.perSecond / bare.perSecond)} of bare, ${twoDigits(lynceus.perSecond / grouped)} of grouped`;
  return `${whole(lynceus.perSecond)}/s, bare ${whole(bare.perSecond)}/s, grouped ${whole(grouped)}/s: ${ratios}`;
}
