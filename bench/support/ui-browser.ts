import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { chromiumPath } from '../../test/support/chromium.ts';
import { median } from './figures.ts';

/** How a screen came up; the median of several loads. */
export interface Painted {
  paintMs: number;
  blockingMs: number;
  elements: number;
  requests: number;
  /** Requests to any other place than the service. */
  elsewhere: number;
  bytes: number;
}

const SIZE = { width: 1366, height: 720 };
/** Past the largest paint of any screen that passes. */
const SETTLED_MS = 1_500;

export async function launch(): Promise<Browser> {
  return chromium.launch({
    ...(chromiumPath === undefined ? {} : { executablePath: chromiumPath }),
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
}

/** Loads each address several times in a slow browser with an empty cache. */
export async function measurePages(base: string, paths: readonly string[], rounds: number): Promise<Painted[]> {
  const browser = await launch();
  try {
    const painted: Painted[] = [];
    for (const path of paths) {
      const loads: Painted[] = [];
      for (let round = 0; round < rounds; round += 1) loads.push(await load(browser, base, path));
      painted.push(middle(loads));
    }
    return painted;
  } finally {
    await browser.close();
  }
}

async function load(browser: Browser, base: string, path: string): Promise<Painted> {
  const context = await browser.newContext({ viewport: SIZE });
  try {
    return await loadIn(context, base, path);
  } finally {
    await context.close();
  }
}

async function loadIn(context: BrowserContext, base: string, path: string): Promise<Painted> {
  const page = await context.newPage();
  const wire = await slowDown(page);
  await page.addInitScript(OBSERVE);
  await page.goto(base + path, { waitUntil: 'load' });
  await page.waitForTimeout(SETTLED_MS);
  const seen = await page.evaluate<{ paint: number; blocking: number; elements: number }>(
    '({ paint: seen.paint, blocking: seen.blocking, elements: document.querySelectorAll("*").length })',
  );
  const { requests, elsewhere, bytes } = wire(base);
  return { paintMs: seen.paint, blockingMs: seen.blocking, elements: seen.elements, requests, elsewhere, bytes };
}

const OBSERVE = `globalThis.seen = { paint: 0, blocking: 0 };
new PerformanceObserver((list) => { for (const one of list.getEntries()) seen.paint = one.startTime; }).observe({ type: 'largest-contentful-paint', buffered: true });
new PerformanceObserver((list) => { for (const one of list.getEntries()) seen.blocking += Math.max(0, one.duration - 50); }).observe({ type: 'longtask', buffered: true });`;

/** A phone's processor on a slow line. Answers what went over the wire since. */
async function slowDown(page: Page) {
  const session = await page.context().newCDPSession(page);
  const urls: string[] = [];
  let bytes = 0;
  session.on('Network.requestWillBeSent', ({ request }) => void urls.push(request.url));
  session.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  await session.send('Network.enable');
  const rate = (10 * 1024 * 1024) / 8;
  const line = { offline: false, latency: 40, downloadThroughput: rate, uploadThroughput: rate };
  await session.send('Network.emulateNetworkConditions', line);
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  return (base: string) => ({
    requests: urls.length,
    elsewhere: urls.filter((url) => !url.startsWith(base) && !url.startsWith('data:')).length,
    bytes,
  });
}

function middle(loads: readonly Painted[]): Painted {
  const of = (name: keyof Painted) => median(loads.map((one) => one[name]));
  return {
    paintMs: of('paintMs'),
    blockingMs: of('blockingMs'),
    elements: of('elements'),
    requests: of('requests'),
    elsewhere: of('elsewhere'),
    bytes: of('bytes'),
  };
}
