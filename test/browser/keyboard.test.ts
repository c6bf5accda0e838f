import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { useBrowser } from '../support/browser.ts';
import { chromiumAvailable } from '../support/chromium.ts';
import { PERSON_TOKEN } from '../support/lynceus.ts';
import { deliveryWith, isOver, story, waitsAt } from '../support/story.ts';

const APPROVAL = deliveryWith('staging', 'sync: gated\n      approval: {quorum: 1}');
/** More than any of our screens has to offer before what is looked for. */
const MOST_TABS = 120;

describe.skipIf(!chromiumAvailable)('somebody without a mouse', { timeout: 180_000 }, () => {
  const browser = useBrowser();

  it('signs in, finds the change that waits, reads why, and approves it; what came meanwhile is not overwritten', async () => {
    await story({ delivery: APPROVAL }, async (told) => {
      const first = told.release(1);
      await told.stage(first, 'staging', waitsAt('approval'), 'waits for a person');
      const page = await browser().newPage({ viewport: { width: 1366, height: 720 } });

      await page.goto(`${told.world.url}/sign-in?to=${encodeURIComponent('/changes?needs=me')}`);
      await tabTo(page, 'input[name=token]');
      await page.keyboard.type(PERSON_TOKEN);
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/changes\?needs=me/);

      await tabTo(page, '#changes tbody a[href^="/changes/"]');
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/changes\/[^?]+/);
      await writeReason(page, 'looked at it with the keyboard');
      await tabTo(page, '#decision button[value=approve]');
      await page.keyboard.press('Enter');
      const over = await told.stage(first, 'staging', isOver, 'is delivered');
      expect(over.tasks.find(({ name }) => name === 'approval')?.decisions).toMatchObject([
        { actor: 'ada', verdict: 'approve', reason: 'looked at it with the keyboard' },
      ]);

      const second = told.release(2);
      await told.stage(second, 'staging', waitsAt('approval'), 'waits for a person again');
      const change = await told.change(second);
      await page.goto(`${told.world.url}/changes/${change?.id}`);
      await writeReason(page, 'this took me a while to write');
      // Somebody else is quicker.
      expect((await told.decide(second, 'staging', 'reject')).status).toBe(201);
      await told.stage(second, 'staging', isOver, 'was rejected');
      const answered = page.waitForResponse((response) => response.request().method() === 'POST');
      await tabTo(page, '#decision button[value=approve]');
      await page.keyboard.press('Enter');
      expect((await answered).status()).toBe(409);
      await page.waitForLoadState();
      const text = await page.locator('main').innerText();
      const kept = await page
        .locator('textarea[name=reason]')
        .evaluateAll('all => all.map((one) => one.value)' as never);
      expect(`${text} ${kept}`).toContain('this took me a while to write');
      expect(text).toMatch(/changed while you read|Nothing was decided/i);
      await page.close();
    });
  });
});

async function writeReason(page: Page, words: string): Promise<void> {
  await tabTo(page, '#decision textarea[name=reason]');
  await page.keyboard.type(words);
}

/** Presses Tab until this has the focus, which must be seen. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let at = 0; at < MOST_TABS; at += 1) {
    const found = await page.evaluate<string>(`(() => {
      const one = document.activeElement;
      return one?.matches(${JSON.stringify(selector)}) ? getComputedStyle(one).outlineStyle + getComputedStyle(one).boxShadow : '';
    })()`);
    if (found !== '') return expect(found).not.toBe('nonenone');
    await page.keyboard.press('Tab');
  }
  throw new Error(`${MOST_TABS} tabs did not lead to ${selector} on ${page.url()}`);
}
