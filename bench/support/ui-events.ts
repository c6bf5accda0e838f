import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { CI_TOKEN } from './service.ts';
import { launch } from './ui-browser.ts';
import { hash } from './ui-world.ts';

const SERVICE = 'live-one';
const WITHIN_MS = 15_000;

/** From reporting a build's progress to the changed row in an open page: milliseconds of each. */
export async function eventToPixel(base: string, amount: number): Promise<number[]> {
  const browser = await launch();
  try {
    await report(base, 0);
    await untilListed(base);
    const page = await browser.newPage();
    await page.goto(`${base}/changes?service=${SERVICE}`);
    await page.waitForSelector('#changes tbody tr', { timeout: WITHIN_MS });
    const times: number[] = [];
    for (let at = 1; at <= amount; at += 1) {
      const word = `step ${at} of ${amount}`;
      const seen = untilShown(page, word);
      const from = Date.now();
      await report(base, at, word);
      times.push((await seen) - from);
    }
    return times;
  } finally {
    await browser.close();
  }
}

/** A list learns of a change a moment after it was reported. */
async function untilListed(base: string): Promise<void> {
  for (const until = Date.now() + WITHIN_MS; Date.now() < until; await sleep(50)) {
    const answer = await fetch(`${base}/api/v1/changes?service=${SERVICE}`);
    const { rows } = (await answer.json()) as { rows: unknown[] };
    if (rows.length > 0) return;
  }
  throw new Error(`no list knows ${SERVICE}`);
}

/** When the words stood in the page, by the same clock. */
function untilShown(page: Page, words: string): Promise<number> {
  return page.evaluate<number>(`new Promise((resolve, reject) => {
    const shows = () => document.body.innerText.includes(${JSON.stringify(words)});
    const look = new MutationObserver(() => { if (shows()) done(); });
    const late = setTimeout(() => { look.disconnect(); reject(new Error('the page does not say ${words}')); }, ${WITHIN_MS});
    const done = () => { look.disconnect(); clearTimeout(late); requestAnimationFrame(() => resolve(Date.now())); };
    look.observe(document.body, { childList: true, subtree: true, characterData: true });
  })`);
}

async function report(base: string, at: number, detail = 'step 0'): Promise<void> {
  const body = {
    kind: 'build',
    state: 'failed',
    project: 'live',
    service: SERVICE,
    commit: hash('live'),
    run: { id: `run-${at}`, url: `https://ci.example.com/runs/${at}` },
    detail,
  };
  const answer = await fetch(`${base}/api/v1/events`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${CI_TOKEN}` },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`a report was answered ${answer.status}: ${await answer.text()}`);
}
