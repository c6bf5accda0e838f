import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BLOCKER_KINDS, type BlockerKind } from '../../src/answers/change-row.ts';
import { useBrowser } from '../support/browser.ts';
import { chromiumAvailable } from '../support/chromium.ts';
import type { HttpWorld } from '../support/http-world.ts';
import { startPageWorld } from '../support/page-world.ts';

/** What stands in the row: waiting for what, and who or when. */
const WORDS: Readonly<Record<BlockerKind, readonly [RegExp, RegExp]>> = {
  stopped: [/line to production.*stopped|stopped.*lin/i, /lin/],
  'no-signal': [/No signal for 41 min/, /omar|connection/i],
  ci: [/step 2 of 4: go test/, /ada/i],
  checks: [/e2e/, /ada/i],
  conflict: [/conflict|collide/i, /ada/i],
  review: [/PR 412.*1/, /release-managers/],
  queue: [/Behind checkout 1\.8\.1/, /payments-approvers/],
  budget: [/Error budget 4 % left, needs 20 %/, /sre/],
  risk: [/Risk 81, limit 60/, /sre/],
  window: [/[Ww]indow closed until/, /19 Nov 18:00|18:00/],
  approval: [/Approval.*82, needs 90/, /payments-approvers/],
  soak: [/Soaking in staging, 2[12] min left/, /13:12/],
  sync: [/wave 3 of 5: Job migrate/, /nobody|by itself|no one/i],
  health: [/1 of 3 pods not ready/, /ada|omar/i],
  tests: [/[Tt]est/, /nobody|by itself|no one/i],
  gate: [/612 ms > 500 ms/, /ada/i],
  none: [/In production since/, /nobody|done|no one|12:40|10 min/i],
};

/** How long, and how likely; of a change that is over there is nothing to tell. */
const TIME = /~?\d+ (?:s|min|h)/;
const ODDS = /\d+ % \(\d+–\d+, \d+ runs\)|0 % by itself/;

describe.skipIf(!chromiumAvailable)('every row tells the five answers without a click', { timeout: 60_000 }, () => {
  const browser = useBrowser();
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startPageWorld();
  }, 60_000);
  afterAll(() => world.stop());

  for (const width of [1366, 320]) {
    it(`at ${width} px`, async () => {
      const page = await browser().newPage({ viewport: { width, height: 720 } });
      await page.goto(`${world.url}/changes`);
      const missing: Record<string, string> = {};
      for (const kind of BLOCKER_KINDS) {
        const lacks = await lacking(page, kind);
        if (lacks !== undefined) missing[kind] = lacks;
      }
      expect(missing).toEqual({});
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      await page.close();
    });
  }
});

/** Which of the answers the row does not tell, with what it does tell. */
async function lacking(page: Page, kind: BlockerKind): Promise<string | undefined> {
  const text = (await page.locator(`[id="row-${kind}"]`).innerText()).replaceAll(/\s+/g, ' ');
  const [what, who] = WORDS[kind];
  const isOver = kind === 'none';
  const answers: Record<string, boolean> = {
    where: /dev.*staging.*production/.test(text),
    what: what.test(text),
    who: who.test(text),
    'how long': TIME.test(text),
    'how likely': isOver || ODDS.test(text),
  };
  const lacks = Object.keys(answers).filter((name) => !answers[name]);
  return lacks.length === 0 ? undefined : `${lacks.join(', ')}: ${text}`;
}
