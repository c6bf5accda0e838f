import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChangeFacts } from '../../src/answers/change-facts.ts';
import { useBrowser } from '../support/browser.ts';
import { goldenChange } from '../support/change-rows.ts';
import { chromiumAvailable } from '../support/chromium.ts';
import { bearer, type HttpWorld, TOKENS } from '../support/http-world.ts';
import { waitingForApproval } from '../support/journeys.ts';
import { startPageWorld } from '../support/page-world.ts';
import { signedIn } from '../support/screens.ts';

/** Each would show itself by a dialog, by the mark that it leaves, or by asking another server. */
const HOSTILE: readonly string[] = [
  `<script>window.pwned=1</script>`,
  `</script><script>window.pwned=1</script>`,
  `"><script>window.pwned=1</script>`,
  `'><script>window.pwned=1</script>`,
  `<img src=x onerror=window.pwned=1>`,
  `"><img src=x onerror="window.pwned=1">`,
  `' onmouseover='window.pwned=1`,
  `" onfocus="window.pwned=1" autofocus tabindex=0 x="`,
  `<svg onload=window.pwned=1>`,
  `<svg><script href="http://127.0.0.1:1/x.js"/></svg>`,
  `<iframe srcdoc="<script>parent.pwned=1</script>"></iframe>`,
  `<object data="javascript:window.pwned=1"></object>`,
  `<math><mi xlink:href="javascript:window.pwned=1">x</mi></math>`,
  `<details open ontoggle=window.pwned=1>`,
  `<style>@import 'http://127.0.0.1:1/x.css'</style>`,
  `<link rel=stylesheet href=http://127.0.0.1:1/x.css>`,
  `<base href="http://127.0.0.1:1/">`,
  `<meta http-equiv=refresh content="0;url=http://127.0.0.1:1/">`,
  `<form action="http://127.0.0.1:1/"><button autofocus>go</button></form>`,
  `<template><script>window.pwned=1</script></template>`,
  `<!--><script>window.pwned=1</script>-->`,
  `<![CDATA[<script>window.pwned=1</script>]]>`,
  `&lt;script&gt;window.pwned=1&lt;/script&gt;`,
  `<scr\u0000ipt>window.pwned=1</script>`.replace('\u0000', '\u200b'),
  `javascript:window.pwned=1`,
  `JaVaScRiPt:window.pwned=1`,
  ` \tjavascript:window.pwned=1`,
  `java\nscript:window.pwned=1`,
  `data:text/html,<script>window.pwned=1</script>`,
  `vbscript:window.pwned=1`,
  `//127.0.0.1:1/x`,
  `https://example.com/"onclick="window.pwned=1`,
];

/** A change in which everything that comes from outside says this. */
function hostile(words: string, at: number): ChangeFacts {
  const facts = goldenChange({ detail: words, version: words }, { wait: { kind: 'sync', sentence: words, since: '' } });
  return {
    ...facts,
    id: `h${at}`,
    service: words,
    project: words,
    team: words,
    title: words,
    version: words,
    author: { name: words, login: words },
    commit: { text: words, id: words, url: words },
    pr: { text: words, url: words },
    images: [words],
    owners: [words],
  };
}

describe.skipIf(!chromiumAvailable)('what others write', { timeout: 120_000 }, () => {
  const browser = useBrowser();
  let world: HttpWorld;
  beforeAll(async () => {
    const [words = ''] = HOSTILE;
    const journeys = HOSTILE.slice(0, 6).flatMap((text, at) =>
      waitingForApproval(`j${at}`, { message: text, reason: text, url: HOSTILE.at(-1 - at) ?? '', actor: text }),
    );
    world = await startPageWorld(HOSTILE.map(hostile), { sequences: journeys });
    for (const text of HOSTILE) await report(world, text);
    expect(words).not.toBe('');
  }, 60_000);
  afterAll(() => world.stop());

  it('runs nowhere, asks nobody and breaks no screen', async () => {
    const page = await browser().newPage({ extraHTTPHeaders: signedIn, viewport: { width: 1366, height: 720 } });
    const noises = listen(page, world.url);
    const paths = [
      '/changes',
      ...HOSTILE.map((words) => `/changes?q=${encodeURIComponent(words)}&team=${encodeURIComponent(words)}`),
      ...HOSTILE.slice(0, 6).map((_, at) => `/changes/ctx-j${at}`),
      ...['/fleet', '/evaluations', '/forecast', '/connections'].flatMap((path) => [
        path,
        `${path}?q=${encodeURIComponent(HOSTILE[5] ?? '')}&service=${encodeURIComponent(HOSTILE[5] ?? '')}`,
      ]),
      `/evaluations/${encodeURIComponent(HOSTILE[5] ?? '')}/staging`,
      `/sign-in?to=${encodeURIComponent('javascript:window.pwned=1')}`,
      `/sign-in?to=${encodeURIComponent('//127.0.0.1:1/x')}`,
      `/nowhere/${encodeURIComponent(HOSTILE[0] ?? '')}`,
    ];
    for (const path of paths) {
      await page.goto(world.url + path);
      // What waits for the pointer or for focus gets both.
      await page.mouse.move(400, 300);
      await page.keyboard.press('Tab');
      expect([path, await page.evaluate('window.pwned ?? "untouched"'), noises]).toEqual([path, 'untouched', []]);
      expect([path, await page.locator('main h1').count(), await strangers(page)]).toEqual([path, 1, []]);
    }
    await page.close();
  });

  it('is text for those who read it', async () => {
    const page = await browser().newPage({ extraHTTPHeaders: signedIn });
    await page.goto(`${world.url}/changes`);
    const rows = await page.locator('#changes').innerText();
    const shown = HOSTILE.filter((words) => rows.includes(words.trim().replaceAll(/\s+/g, ' ')));
    // Some are cut off, some hold what a line does not show.
    expect(shown.length).toBeGreaterThan(20);
    await page.close();
  });
});

function listen(page: Page, url: string): string[] {
  const noises: string[] = [];
  page.on('dialog', (dialog) => {
    noises.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) noises.push(message.text());
  });
  page.on('pageerror', (error) => noises.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) noises.push(`asked ${request.url()}`);
  });
  return noises;
}

/** Elements that none of our templates holds, and addresses that none should lead to. */
function strangers(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`[
    ...document.querySelectorAll('main script, iframe, object, embed, base, main style, main link, math, template, meta[http-equiv], [onerror], [onload], [onclick], [onfocus], [onmouseover], [style]'),
    ...[...document.querySelectorAll('[href], [src], [action]')].filter((one) => {
      const address = one.getAttribute('href') ?? one.getAttribute('src') ?? one.getAttribute('action');
      return !/^(?:[/#?]|https?:\\/\\/)/.test(address) || address.startsWith('//');
    }),
  ].map((one) => one.outerHTML.slice(0, 200))`);
}

async function report(world: HttpWorld, words: string): Promise<void> {
  const body = {
    kind: 'build',
    state: 'failed',
    service: words.slice(0, 60),
    commit: 'c'.repeat(40),
    run: { id: words.slice(0, 60), url: words },
    author: words.slice(0, 60),
    detail: words,
  };
  const headers = { ...bearer(TOKENS.REPORTER), 'Content-Type': 'application/json' };
  // Taken or refused: what counts is what a page shows of it.
  const answer = await world.post('/api/v1/events', JSON.stringify(body), headers);
  expect(answer.status).toBeLessThan(500);
}
