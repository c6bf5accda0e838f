import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useBrowser } from '../support/browser.ts';
import { chromiumAvailable } from '../support/chromium.ts';
import { bearer, type HttpWorld, startHttpWorld, TOKENS } from '../support/http-world.ts';
import { PLAIN, waitingForApproval } from '../support/journeys.ts';

describe.skipIf(!chromiumAvailable)('the page of a change in the whole service', () => {
  const browser = useBrowser();
  let world: HttpWorld;
  let context: BrowserContext;
  let page: Page;
  beforeAll(async () => {
    world = await startHttpWorld({ sequences: waitingForApproval('checkout', PLAIN) });
    context = await browser().newContext({ extraHTTPHeaders: bearer(TOKENS.APPROVER), bypassCSP: true });
    page = await context.newPage();
  });
  afterAll(async () => {
    await context.close();
    await world.stop();
  });

  it('keeps what somebody writes, opened, and decides on, while others move the change', async () => {
    await page.goto(`${world.url}/changes/ctx-checkout`);
    await page.locator('#live').getByText('✓ Live').waitFor();
    const stages = () =>
      page.evaluate(
        "[...document.querySelectorAll('details.leg')].map((leg) => [leg.querySelector('h3').innerText, leg.open])",
      );
    expect(await stages()).toMatchObject([
      ['dev: passed, 100', false],
      ['staging: waiting', true],
    ]);
    for (const stage of ['dev: passed', 'staging: waiting']) await page.getByRole('heading', { name: stage }).click();
    const reason = page.locator('#decision textarea[name=reason]').first();
    await reason.fill('tested by ha');
    const hidden = () =>
      page.locator('#decision input[type=hidden]').evaluateAll((all) => all.map((one) => one.outerHTML));
    const bound = await hidden();
    const change = await world.change('ctx-checkout');
    const stage = change.stages.find(({ decide }) => decide);
    const { revision } = stage?.decide ?? {};
    const paused = await world.decide('ctx-checkout', {
      verdict: 'pause',
      reason: 'wait a minute',
      stage: stage?.stage,
      revision,
    });
    expect(paused.status).toBe(201);
    await page.getByText('Something changed since you began to write').waitFor();
    expect(await page.locator('details.leg').last().textContent()).toContain('wait a minute');
    expect(await stages()).toMatchObject([
      ['dev: passed, 100', true],
      ['staging: waiting', false],
    ]);
    expect(await reason.inputValue()).toBe('tested by ha');
    expect(await hidden()).toEqual(bound);
    expect(await page.evaluate('document.activeElement?.tagName')).toBe('TEXTAREA');
    await page.keyboard.type('nd');
    await page.getByRole('link', { name: 'show it, and keep what you wrote' }).click();
    await page.waitForFunction('document.documentElement.classList.contains("js")');
    expect(await page.locator('main').innerText()).toContain('wait a minute');
    expect(await page.locator('textarea[name=reason]').first().inputValue()).toBe('tested by hand');
  });
});
