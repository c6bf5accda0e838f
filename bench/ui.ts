import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { type Benchmark, type Target, under } from './support/benchmark.ts';
import { createDatabases, type Database } from './support/databases.ts';
import { median, quantile, table, whole } from './support/figures.ts';
import { memoryOf } from './support/processes.ts';
import { type Service, startEmptyArgoCd, startService } from './support/service.ts';
import { measurePages, type Painted } from './support/ui-browser.ts';
import { eventToPixel } from './support/ui-events.ts';
import { seedStore } from './support/ui-store.ts';
import { type Size, seededService } from './support/ui-world.ts';

const FULL: Size = { services: 1_250, changes: 28 };
const QUICK: Size = { services: 40, changes: 15 };
/** Enough for a 95th percentile that is not one bad moment. */
const ASKED = { full: 200, quick: 20 };
const kB = 1024;

export const ui: Benchmark = {
  name: 'ui',
  title: 'The page, with a large fleet',
  method: `The built service on a store that is filled beforehand with the read models of ${whole(FULL.services * 4)} applications and more than
100,000 evaluations (\`bench/support/ui-store.ts\`), made by the service's own functions. **Server**: each address asked again and again over one
connection, from the request to the last byte, so this is more than the server's own time. **Browser**: Debian's Chromium without a window, four times slower processor,
10 Mbit/s, 40 ms of latency, an empty cache, median of several loads: the largest paint, blocking time (what is above 50 ms of each
long task), elements. Sizes are gzip's. **Event to pixel**: from the request with which a pipeline reports to the changed row in an open page.
Memory is the service's (VmRSS) after all of this.`,

  async run({ quick, say }) {
    const databases = createDatabases(say);
    const rows: string[][] = [];
    const painted: string[][] = [];
    const targets: Target[] = [];
    try {
      // A quick round only shows that it works.
      for (const kind of quick ? databases.kinds.slice(0, 1) : databases.kinds) {
        const database = await databases.fresh(kind);
        try {
          const found = await measure(database, quick, say);
          rows.push(...found.server.map((row) => [kind, ...row]));
          painted.push(...found.browser.map((row) => [kind, ...row]));
          targets.push(...found.targets.map((target) => ({ ...target, name: `${kind}: ${target.name}` })));
        } finally {
          await database.remove();
        }
      }
    } finally {
      await databases.stop();
    }
    const head = ['store', 'address', 'kB', 'gzip kB', 'median ms', 'p95 ms'];
    const paintHead = [
      'store',
      'screen',
      'largest paint ms',
      'blocking ms',
      'elements',
      'requests',
      'elsewhere',
      'kB over the wire',
    ];
    return { tables: [table(head, rows), table(paintHead, painted)], targets };
  },
};

async function measure(database: Database, quick: boolean, say: (line: string) => void) {
  const size = quick ? QUICK : FULL;
  const now = Date.now();
  const seeded = await seedStore(database, size, now, say);
  say(
    `${database.kind}: ${whole(seeded.applications)} applications, ${whole(seeded.changes)} changes, ${whole(seeded.evaluations)} evaluations`,
  );
  const argocd = await startEmptyArgoCd(1);
  const service = await startService({
    database,
    argocdUrl: argocd.url,
    // An Argo CD that lists nothing a second time would empty the fleet while it is measured.
    env: { LYNCEUS_ANONYMOUS_READ: 'true', LYNCEUS_RECONCILE_EVERY: '1h' },
  });
  try {
    const addresses = addressesOf(size, now);
    const server = await askAll(service, addresses, quick ? ASKED.quick : ASKED.full);
    const screens = addresses.filter(({ screen }) => screen !== undefined);
    const browser = await measurePages(
      service.url,
      screens.map(({ path }) => path),
      quick ? 1 : 5,
    );
    const pixel = await eventToPixel(service.url, quick ? 5 : 60);
    await sleep(2_000);
    const memory = memoryOf(service.pid).now / 1e6;
    return {
      server: server.map(({ name, bytes, zipped, times }) => [
        name,
        (bytes / kB).toFixed(1),
        (zipped / kB).toFixed(1),
        median(times).toFixed(1),
        quantile(times, 0.95).toFixed(1),
      ]),
      browser: browser.map((one, at) => [screens[at]?.name ?? '', ...paintCells(one)]),
      targets: [
        ...serverTargets(server),
        ...browserTargets(browser, screens),
        ...(await assetTargets(service.url)),
        under('from event to pixel, p95', 1_500, quantile(pixel, 0.95), 'ms'),
        under('memory after all of this', 256, memory, 'MB'),
      ],
    };
  } finally {
    await service.stop();
    await argocd.stop();
  }
}

interface Address {
  name: string;
  path: string;
  /** A screen that is drawn in the browser, too; `grid` has a cell for each evaluation and indicator. */
  screen?: 'plain' | 'grid';
}

/** The screens as people open them, and the dear ones among what they narrow them to. */
function addressesOf(size: Size, now: number): Address[] {
  const middle = seededService(Math.floor(size.services / 2), size, now);
  const { project, service, team, changes } = middle;
  const id = changes.at(-1)?.id ?? '';
  const place = `${encodeURIComponent(service)}/staging?project=${encodeURIComponent(project)}`;
  return [
    { name: 'changes', path: '/changes', screen: 'plain' },
    { name: 'changes that wait', path: '/changes?state=waiting' },
    { name: 'changes of a team', path: `/changes?team=${team}` },
    { name: 'changes, a word of the title', path: '/changes?q=timeouts' },
    { name: 'changes, two words', path: '/changes?q=lovelace+bound' },
    { name: 'changes, a commit', path: `/changes?q=${changes[1]?.sequences[0]?.triggered?.revision.slice(0, 10)}` },
    { name: 'changes of a week', path: '/changes?since=7d&stage=prod-eu' },
    { name: 'a change', path: `/changes/${id}`, screen: 'plain' },
    { name: 'fleet', path: '/fleet', screen: 'plain' },
    { name: 'evaluations', path: '/evaluations', screen: 'plain' },
    { name: 'heat map', path: `/evaluations/${place}`, screen: 'grid' },
    { name: 'forecast', path: `/forecast?project=${project}&service=${service}&stage=prod-us`, screen: 'plain' },
    { name: 'connections', path: '/connections', screen: 'plain' },
  ];
}

interface Asked {
  name: string;
  bytes: number;
  zipped: number;
  /** Milliseconds. */
  times: number[];
}

async function askAll(service: Service, addresses: readonly Address[], rounds: number): Promise<Asked[]> {
  const asked: Asked[] = [];
  const deep = await deepPage(service);
  for (const { name, path } of [...addresses, { name: 'changes, page 20', path: deep }]) {
    const times: number[] = [];
    let body = '';
    for (let round = -3; round < rounds; round += 1) {
      const from = performance.now();
      body = await read(service.url + path);
      // The first ones fill caches, as the first reader does.
      if (round >= 0) times.push(performance.now() - from);
    }
    asked.push({ name, bytes: Buffer.byteLength(body), zipped: gzipSync(body).length, times });
  }
  return asked;
}

async function deepPage({ url }: Service): Promise<string> {
  let path = '/changes';
  for (let page = 1; page < 20; page += 1) {
    const next = /<a[^>]*rel="next"[^>]*href="([^"]+)"|href="([^"]+)"[^>]*rel="next"/.exec(await read(url + path));
    const found = next?.[1] ?? next?.[2];
    if (found === undefined) break;
    path = found.replaceAll('&amp;', '&');
  }
  return path;
}

async function read(address: string): Promise<string> {
  const answer = await fetch(address, { headers: { Accept: 'text/html' } });
  const body = await answer.text();
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}: ${body.slice(0, 200)}`);
  return body;
}

function serverTargets(asked: readonly Asked[]): Target[] {
  return asked.flatMap(({ name, zipped, times }) => [
    under(`${name}: p95`, 50, quantile(times, 0.95), 'ms'),
    ...(name === 'changes' ? [under('50 rows of changes, gzip', 15, zipped / kB, 'kB')] : []),
  ]);
}

function browserTargets(painted: readonly Painted[], screens: readonly Address[]): Target[] {
  return painted.flatMap((one, at) => {
    const { name = '', screen } = screens[at] ?? {};
    return [
      under(`${name}: largest paint`, 1_000, one.paintMs, 'ms'),
      under(`${name}: blocking time`, 100, one.blockingMs, 'ms'),
      under(`${name}: elements`, screen === 'grid' ? 4_000 : 3_000, one.elements, ''),
      under(`${name}: requests elsewhere`, 1, one.elsewhere, ''),
    ];
  });
}

/** What all screens load. */
async function assetTargets(url: string): Promise<Target[]> {
  const body = await read(`${url}/changes`);
  const [css, js] = [/href="(\/assets\/[^"]+\.css)"/, /src="(\/assets\/[^"]+\.js)"/].map(
    (wanted) => wanted.exec(body)?.[1],
  );
  if (css === undefined || js === undefined) throw new Error('the page names no style sheet or no module');
  const [cssSize, jsSize] = await Promise.all([css, js].map(async (path) => gzipSync(await read(url + path)).length));
  return [
    under('style sheet, gzip', 8, (cssSize ?? 0) / kB, 'kB'),
    under('script, gzip', 10, (jsSize ?? 0) / kB, 'kB'),
  ];
}

function paintCells({ paintMs, blockingMs, elements, requests, elsewhere, bytes }: Painted): string[] {
  return [
    whole(paintMs),
    whole(blockingMs),
    whole(elements),
    whole(requests),
    whole(elsewhere),
    (bytes / kB).toFixed(0),
  ];
}
