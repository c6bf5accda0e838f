import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useBrowser } from '../support/browser.ts';
import { chromiumAvailable } from '../support/chromium.ts';
import type { HttpWorld } from '../support/http-world.ts';
import { SCREENS, signedIn, startScreens } from '../support/screens.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const COLOURS = ['color-contrast', 'link-in-text-block'];
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
interface Violation {
  id: string;
  nodes: { html: string; failureSummary: string }[];
}

describe.skipIf(!chromiumAvailable)('every screen keeps WCAG 2.2 AA', { timeout: 120_000 }, () => {
  const browser = useBrowser();
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startScreens();
  }, 60_000);
  afterAll(() => world.stop());

  it.each([1366, 320])('at %i px, light and dark', async (width) => {
    const context = await browser().newContext({
      viewport: { width, height: 720 },
      bypassCSP: true,
      extraHTTPHeaders: signedIn,
    });
    const found: string[] = [];
    for (const pair of pairs(SCREENS))
      found.push(...(await Promise.all(pair.map((path) => violationsOn(context, world.url, path, width)))).flat());
    await context.close();
    expect(found).toEqual([]);
  });

  it('would be told of what breaks it', async () => {
    const page = await browser().newPage();
    await page.setContent(
      '<html lang="en"><title>t</title><main><h1>h</h1><img src="x"><p style="color:#ccc">pale</p>',
    );
    expect((await axe(page)).map(({ id }) => id)).toEqual(['color-contrast', 'image-alt']);
    await page.close();
  });

  it('names every screen by one heading and a title of its own', async () => {
    const page = await browser().newPage({ extraHTTPHeaders: signedIn });
    for (const path of SCREENS) {
      const answer = await page.goto(world.url + path);
      expect([path, answer?.status()]).toEqual([path, path.includes('nobody') || path === '/nowhere' ? 404 : 200]);
      expect([path, await page.locator('h1').count()]).toEqual([path, 1]);
      expect(await page.title()).toMatch(/.+ · Lynceus$/);
    }
    await page.close();
  });
});

/** One page draws while the other is looked at. */
function pairs(paths: readonly string[]): string[][] {
  return paths.flatMap((path, at) => (at % 2 === 0 ? [[path, ...paths.slice(at + 1, at + 2)]] : []));
}

async function violationsOn(context: BrowserContext, url: string, path: string, width: number): Promise<string[]> {
  const page = await context.newPage();
  await page.goto(url + path);
  const violations = await axe(page);
  // The colours are all that is different in the dark.
  await page.emulateMedia({ colorScheme: 'dark' });
  violations.push(...(await axe(page, COLOURS)));
  const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
  await page.close();
  return [
    ...violations.flatMap(({ id, nodes }) =>
      nodes.slice(0, 2).map(({ html, failureSummary }) => `${path}: ${id}: ${html.slice(0, 200)} ${failureSummary}`),
    ),
    ...(wide > width ? [`${path}: is ${wide} px wide`] : []),
  ];
}

async function axe(page: Page, only: readonly string[] = RULES): Promise<Violation[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<{ violations: Violation[] }>(
    `axe.run(document, { runOnly: ${JSON.stringify(only)}, resultTypes: ['violations'] })`,
  );
  return violations;
}
