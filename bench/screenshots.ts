import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { createDatabases } from './support/databases.ts';
import { ADA_TOKEN, startEmptyArgoCd, startService } from './support/service.ts';
import { launch } from './support/ui-browser.ts';
import { seedStore } from './support/ui-store.ts';
import { seededService } from './support/ui-world.ts';

const USAGE = `Usage: npm run screenshots -- [FOLDER]

Draws every screen of a believable fleet, wide, dark and narrow, into the folder (default: screenshots).`;
const SIZE = { services: 120, changes: 24 };
const VIEWS = [
  { name: 'light', width: 1366, height: 720, colorScheme: 'light' },
  { name: 'dark', width: 1366, height: 720, colorScheme: 'dark' },
  { name: 'narrow', width: 320, height: 720, colorScheme: 'light' },
] as const;

const [folder = 'screenshots'] = process.argv.slice(2);
if (folder.startsWith('-')) {
  console.log(USAGE);
  process.exit(folder === '--help' ? 0 : 2);
}

const now = Date.now();
const databases = createDatabases(console.error);
const database = await databases.fresh('sqlite');
await seedStore(database, SIZE, now, () => {});
const argocd = await startEmptyArgoCd(1);
const service = await startService({ database, argocdUrl: argocd.url });
const browser = await launch();
try {
  mkdirSync(folder, { recursive: true });
  for (const view of VIEWS) await draw(browser, view);
} finally {
  await browser.close();
  await service.stop();
  await argocd.stop();
  await database.remove();
  await databases.stop();
}

async function draw(browser: Browser, { name, width, height, colorScheme }: (typeof VIEWS)[number]): Promise<void> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    extraHTTPHeaders: { Authorization: `Bearer ${ADA_TOKEN}` },
  });
  for (const [screen, path] of Object.entries(screens())) {
    const page = await context.newPage();
    await page.goto(service.url + path);
    await page.waitForTimeout(500);
    const file = join(folder, `${screen}-${name}.png`);
    await page.screenshot({ path: file });
    console.log(resolve(file));
    await page.close();
  }
  await context.close();
}

/** By name; the changes are those of a service that waits for an approval and of one whose gate failed. */
function screens(): Record<string, string> {
  const [waiting, failed] = [0, 1].map((at) => seededService(at, SIZE, now));
  const { project = '', service: name = '', changes = [] } = waiting ?? {};
  return {
    changes: '/changes',
    decision: `/changes/${changes.at(-1)?.id}`,
    failed: `/changes/${failed?.changes.at(-1)?.id}`,
    fleet: '/fleet',
    evaluations: '/evaluations',
    'heat-map': `/evaluations/${name}/staging?project=${project}`,
    line: `/evaluations/${name}/staging?project=${project}&view=line`,
    forecast: `/forecast?project=${project}&service=${name}&stage=prod-us`,
    connections: '/connections',
  };
}
