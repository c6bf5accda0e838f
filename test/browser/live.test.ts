import { setTimeout as sleep } from 'node:timers/promises';
import type { BrowserContext, Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChangeFacts } from '../../src/answers/change-facts.ts';
import type { Frame } from '../../src/ui/frame.ts';
import { html } from '../../src/ui/html.ts';
import { page as drawPage } from '../../src/ui/layout.ts';
import { heat } from '../../src/ui/parts/heat.ts';
import { command } from '../../src/ui/parts/notice.ts';
import type { HeatMap } from '../../src/views/evaluations.ts';
import { PLAIN_HOST, useBrowser } from '../support/browser.ts';
import { goldenFacts } from '../support/change-rows.ts';
import { chromiumAvailable } from '../support/chromium.ts';
import { type LiveWorld, startLiveWorld, waiting } from '../support/live-world.ts';

const later = (facts: ChangeFacts, rev: number, rest: Partial<ChangeFacts> = {}): ChangeFacts => ({
  ...facts,
  rev,
  title: `title ${rev}`,
  ...rest,
});
const done = (facts: ChangeFacts, rev: number): ChangeFacts => ({
  ...goldenFacts.none,
  ...{ id: facts.id, service: facts.service, rev },
});

/** That the server is gone, and what is only for a secure context, is what some tests are about. */
const EXPECTED = /Failed to load resource|Cross-Origin-Opener-Policy header has been ignored/;

describe.skipIf(!chromiumAvailable)('a page in a browser', () => {
  const browser = useBrowser();
  let world: LiveWorld;
  let context: BrowserContext;
  let noises: string[];
  const [first, second, third] = [
    waiting({ service: 'checkout' }),
    waiting({ service: 'search' }),
    waiting({ service: 'mail' }),
  ];

  beforeEach(async () => {
    world = await startLiveWorld({ lookEveryMs: 500 });
    await world.write(first, second, third);
    noises = [];
    await browse({});
  });
  afterEach(async () => {
    await context.close();
    await world.stop();
    expect(noises).toEqual([]);
  });

  async function browse(options: Parameters<ReturnType<typeof browser>['newContext']>[0]): Promise<void> {
    await context?.close();
    context = await browser().newContext({ viewport: { width: 1366, height: 768 }, ...options });
    context.setDefaultTimeout(10_000);
    // What a policy forbids and what throws is said here.
    context.on('console', (message) => {
      if (message.type() === 'error' && !EXPECTED.test(message.text())) noises.push(message.text());
    });
    context.on('weberror', (error) => noises.push(String(error.error())));
  }

  async function open(path = '/changes', host = new URL(world.url).host): Promise<Page> {
    const page = await context.newPage();
    await page.goto(`http://${host}${path}`);
    return page;
  }

  const row = (page: Page, facts: ChangeFacts) => page.locator(`#row-${facts.id}`);
  const live = (page: Page) => page.locator('#live');

  it('shows an update in its place and keeps the focus in the row', async () => {
    const page = await open();
    await live(page).getByText('✓ Live').waitFor();
    await row(page, second).locator('[data-k=open]').focus();
    const order = () => page.locator('#changes tbody tr').evaluateAll((rows) => rows.map(({ id }) => id));
    const before = await order();
    await page.evaluate('scrollTo(0, 40)');
    const scrolled = await page.evaluate('scrollY');
    await world.write(later(second, 2, { version: '2.0.0' }), done(third, 30));
    await row(page, second).getByText('title 2').waitFor();
    await row(page, third).getByText('In production').waitFor();
    expect(await page.evaluate("document.activeElement?.closest('tr')?.id")).toBe(`row-${second.id}`);
    expect(await page.evaluate('document.activeElement?.textContent')).toContain('2.0.0');
    expect(await order()).toEqual(before);
    expect(await page.evaluate('scrollY')).toBe(scrolled);
    await page.locator('#said').getByText('mail 1.8.2 now done').waitFor({ state: 'attached' });
  });

  it('offers what is new instead of moving what is read', async () => {
    const page = await open();
    const news = page.locator('#news');
    await live(page).getByText('✓ Live').waitFor();
    const fresh = [waiting({ service: 'fresh' }), waiting({ service: 'fresher' })];
    await world.write(...fresh);
    await news.getByText('2 new changes · show').waitFor();
    expect(await page.locator('#changes tbody tr').count()).toBe(3);
    await expect.poll(() => page.locator('.position').innerText()).toContain('of 5');
    await news.getByRole('link', { name: 'show' }).click();
    await row(page, fresh[1]!).waitFor();
    expect(await page.locator('#changes tbody tr').count()).toBe(5);
    expect(await news.isHidden()).toBe(true);
  });

  it('Pause holds updates and counts them, and they come when it goes on', async () => {
    // The page shows it, and hears of it once more when it listens.
    await world.write(later(third, 2));
    const page = await open();
    await live(page).getByText('✓ Live').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    expect(await page.locator('#pause').getAttribute('aria-pressed')).toBe('true');
    await world.write(later(first, 2), later(second, 2));
    await live(page)
      .getByText(/Paused at \d\d:\d\d, 2 updates waiting/)
      .waitFor();
    await world.write(later(first, 3));
    await sleep(1_500);
    await live(page)
      .getByText(/Paused at \d\d:\d\d, 2 updates waiting/)
      .waitFor();
    expect(await row(page, first).innerText()).not.toMatch(/title [23]/);
    await page.getByRole('button', { name: 'Go on' }).click();
    await row(page, first).getByText('title 3').waitFor();
    await row(page, second).getByText('title 2').waitFor();
    await live(page).getByText('✓ Live').waitFor();
  });

  it('eight tabs of one browser load and are kept up to date over one connection', async () => {
    const pages: Page[] = [];
    for (let tab = 0; tab < 8; tab++) pages.push(await open(tab < 6 ? '/changes' : '/changes?state=waiting'));
    await Promise.all(pages.map((page) => live(page).getByText('✓ Live').waitFor()));
    await expect.poll(() => world.streams.open).toBe(1);
    await sleep(400);
    expect(world.streams.open).toBe(1);
    await world.write(later(first, 2));
    await Promise.all(pages.map((page) => row(page, first).getByText('title 2').waitFor()));
    expect(world.streams.open).toBe(1);
    // Another leads when the first one goes.
    await pages[0]!.close();
    await expect.poll(() => world.streams.opened).toBeGreaterThan(1);
    await world.write(later(first, 3));
    await Promise.all(pages.slice(1).map((page) => row(page, first).getByText('title 3').waitFor()));
    expect(world.streams.open).toBe(1);
  });

  it('a tab that nobody looks at hands over, and asks for what it missed when somebody does', async () => {
    const [front, back] = [await open(), await open()];
    const look = (page: Page, state: 'visible' | 'hidden') =>
      page.evaluate(`Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
        document.dispatchEvent(new Event('visibilitychange'))`);
    await expect.poll(() => world.streams.open).toBe(1);
    await look(front, 'hidden');
    await look(back, 'hidden');
    await expect.poll(() => world.streams.open).toBe(0);
    await look(back, 'visible');
    await expect.poll(() => world.streams.open).toBe(1);
    await world.write(later(first, 2));
    await row(back, first).getByText('title 2').waitFor();
    expect(await row(front, first).innerText()).not.toContain('title 2');
    await look(front, 'visible');
    await row(front, first).getByText('title 2').waitFor();
    await expect.poll(() => world.streams.open).toBe(1);
  });

  it('a tab that comes back from the memory of the browser has missed nothing', async () => {
    const page = await open();
    await live(page).getByText('✓ Live').waitFor();
    await page.goto(`${world.url}/changes?state=failed`);
    await world.write(later(first, 2));
    await sleep(700);
    await page.goBack();
    await row(page, first).getByText('title 2').waitFor();
    await world.write(later(first, 3));
    await row(page, first).getByText('title 3').waitFor();
  });

  it('without a secure context the page asks by itself, as long as somebody looks', async () => {
    const port = new URL(world.url).port;
    const page = await context.newPage();
    await page.clock.install();
    const statuses: number[] = [];
    page.on('response', (answer) => statuses.push(answer.status()));
    await page.goto(`http://${PLAIN_HOST}:${port}/changes`);
    expect(await page.evaluate('isSecureContext')).toBe(false);
    await live(page).getByText('✓ Live').waitFor();
    await world.write(later(first, 2));
    await sleep(700);
    await page.clock.runFor(10_500);
    await row(page, first).getByText('title 2').waitFor();
    await page.clock.runFor(10_500);
    await expect.poll(() => statuses.at(-1)).toBe(304);
    expect(world.streams.opened).toBe(0);
  });

  it('asks by itself where it is refused a stream', async () => {
    const page = await context.newPage();
    await page.clock.install();
    let refused = 0;
    await page.route('**/events?*', (route) => {
      refused++;
      return route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"code":"overloaded"}' });
    });
    await page.goto(`${world.url}/changes`);
    await live(page).getByText('✓ Live').waitFor();
    await world.write(later(first, 2));
    await expect
      .poll(async () => {
        await page.clock.runFor(2_000);
        return row(page, first).getByText('title 2').isVisible();
      })
      .toBe(true);
    expect(refused).toBeGreaterThanOrEqual(3);
    await live(page).getByText('✓ Live').waitFor();
    await page.close();
  });

  it('says since when it knows nothing new, and catches up when the server is back', async () => {
    const page = await context.newPage();
    await page.clock.install();
    await page.goto(`${world.url}/changes`);
    await live(page).getByText('✓ Live').waitFor();
    await page.clock.runFor(200);
    await expect.poll(() => world.streams.open).toBe(1);
    const port = Number(new URL(world.url).port);
    await world.vanish();
    await page.clock.runFor(40_000);
    await live(page)
      .getByText(/! Reconnecting, data from \d\d:\d\d/)
      .waitFor();
    // What is there stays readable.
    expect(await row(page, first).isVisible()).toBe(true);
    await world.write(later(first, 2));
    await world.comeBack(port);
    await page.clock.runFor(35_000);
    await row(page, first).getByText('title 2').waitFor();
    await live(page).getByText('✓ Live').waitFor();
  });

  it('is complete without JavaScript', async () => {
    await browse({ javaScriptEnabled: false });
    const page = await open();
    expect(await page.locator('#changes tbody tr').count()).toBe(3);
    expect(await row(page, first).innerText()).toContain('Approval: gate warned (82, needs 90)');
    expect(await page.locator('#pause').isVisible()).toBe(false);
    expect(await live(page).isVisible()).toBe(false);
    const refresh = page.getByRole('link', { name: 'Refresh' });
    await world.write(later(first, 2));
    await refresh.click();
    expect(await row(page, first).innerText()).toContain('title 2');
    await page.fill('#q', 'search');
    await page.press('#q', 'Enter');
    await page.waitForURL(/q=search|changes\//);
  });

  it('is worked by keys, which can be turned off for good', async () => {
    const page = await open();
    await live(page).getByText('✓ Live').waitFor();
    const inRow = () => page.evaluate("document.activeElement?.closest('tr')?.id");
    const rows = await page.locator('#changes tbody tr').evaluateAll((all) => all.map(({ id }) => id));
    await page.keyboard.press('j');
    expect(await inRow()).toBe(rows[0]);
    await page.keyboard.press('j');
    expect(await inRow()).toBe(rows[1]);
    await page.keyboard.press('k');
    expect(await inRow()).toBe(rows[0]);
    await page.keyboard.press('/');
    expect(await page.evaluate('document.activeElement?.id')).toBe('q');
    await page.keyboard.type('jk');
    expect(await page.inputValue('#q')).toBe('jk');
    await page.locator('h1').click();
    await page.keyboard.press('?');
    const dialog = page.getByRole('dialog', { name: 'Help' });
    expect(await dialog.innerText()).toContain('find a change');
    await dialog.getByRole('button', { name: 'Single keys are on' }).click();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.reload();
    await page.keyboard.press('j');
    expect(await inRow()).toBeUndefined();
    await page.locator('#help summary').click();
    await page.getByRole('button', { name: 'Single keys are off' }).click();
    await page.keyboard.press('Escape');
    await page.locator('h1').click();
    await page.keyboard.press('g');
    await page.keyboard.press('f');
    await page.waitForURL('**/fleet');
  });

  it('walks over a heat map by arrows, with one stop for Tab, and shows what a cell says beside it', async () => {
    const page = await context.newPage();
    const frame: Frame = { now: new Date().toISOString(), path: '/probe', screen: 'evaluations' };
    const body = html`${heat(heatMap3x2(), { compared: new Set(), label: 'Objectives', href: (id, row) => `#${row}-${id}` })}${command('lynceus doctor')}`;
    await page.route('**/probe', (route) =>
      route.fulfill({ contentType: 'text/html', body: drawPage(frame, 'Probe', body) }),
    );
    await page.goto(`${world.url}/probe`);
    // The script has only begun once it says that it is there.
    await page.locator('[data-grid] [tabindex="0"]').first().waitFor({ state: 'attached' });
    expect(await page.locator('[data-grid] [tabindex="0"]').count()).toBe(1);
    const seen = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
      return page.evaluate('document.activeElement?.getAttribute("href")');
    };
    await page.locator('[data-grid] [tabindex="0"]').focus();
    expect(await seen('ArrowDown')).toBe('#p95-e1');
    expect(await seen('ArrowRight', 'ArrowDown')).toBe('#errors-e2');
    expect(await page.locator('.tip').innerText()).toContain('errors');
    await page.keyboard.press('Escape');
    expect(await page.locator('.tip').isVisible()).toBe(false);
    expect(await seen('End')).toBe('#errors-e3');
    expect(await seen('Home')).toBe('#errors-e3');
    expect(await seen('ArrowUp', 'ArrowUp', 'ArrowUp')).toBe('#undefined-e1');
    expect(await page.locator('[data-grid] [tabindex="0"]').count()).toBe(1);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement?.closest("[data-grid]")')).toBeNull();
    await page.locator('[data-grid] a').last().hover();
    expect(await page.locator('.tip').innerText()).toContain('errors');
    await page.keyboard.press('Escape');
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy' }).click();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('lynceus doctor');
    await page.locator('#said').getByText('Copied').waitFor({ state: 'attached' });
  });

  it('counts on what says how long ago something was, by the clock of the server', async () => {
    const page = await context.newPage();
    // An hour wrong, as clocks of people are.
    await page.clock.install({ time: Date.now() + 3_600_000 });
    await page.goto(`${world.url}/changes`);
    await live(page).getByText('✓ Live').waitFor();
    const age = () => row(page, first).locator('.facts time').innerText();
    expect(await age()).toMatch(/^\d+ s$/);
    await page.clock.runFor(150_000);
    expect(await age()).toMatch(/^[23] min$/);
    await page.getByRole('button', { name: 'Pause' }).click();
    const before = await age();
    await page.clock.runFor(150_000);
    expect(await age()).toBe(before);
  });

  it('stands still for who wants no motion', async () => {
    await browse({ reducedMotion: 'reduce' });
    const page = await open();
    await live(page).getByText('✓ Live').waitFor();
    await world.write(done(first, 30));
    await row(page, first).getByText('In production').waitFor();
    const moving = await page.evaluate('document.getAnimations().length');
    expect(moving).toBe(0);
  });

  it('forbids what nobody of ours wrote, and takes updates under trusted types', async () => {
    const page = await context.newPage();
    await page.route('**/changes', async (route) => {
      const answer = await route.fetch();
      const policy = `${answer.headers()['content-security-policy']}; require-trusted-types-for 'script'; trusted-types lynceus`;
      await route.fulfill({ response: answer, headers: { ...answer.headers(), 'content-security-policy': policy } });
    });
    await page.goto(`${world.url}/changes`);
    await live(page).getByText('✓ Live').waitFor();
    await world.write(later(first, 2, { title: '<img src=x onerror="window.pwned=1">' }));
    await row(page, first).getByText('<img src=x').waitFor();
    expect(await page.evaluate("'pwned' in window")).toBe(false);
  });
});

function heatMap3x2(): HeatMap {
  const ids = ['e1', 'e2', 'e3'];
  const columns = ids.map((id) => ({
    id,
    at: new Date().toISOString(),
    score: 90,
    result: 'pass' as const,
    compared: [],
    count: 1,
  }));
  const slis = ['p95', 'errors'].map((key) => ({ key, sli: key, name: key, keySli: false, weight: 1, current: true }));
  const cell = { state: 'pass' as const, value: 1, pass: ['<500'], warning: [] };
  return { slis, columns, cells: slis.map(() => ids.map(() => cell)), evaluations: 3 };
}
