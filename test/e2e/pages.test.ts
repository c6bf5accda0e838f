import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Browser, chromiumAvailable, startChromium, type View } from '../support/chromium.ts';
import { type HttpWorld, startHttpWorld } from '../support/http-world.ts';
import {
  failedGate,
  PLAIN,
  promoted,
  reviewing,
  rollingOut,
  superseded,
  type Words,
  waitingForApproval,
} from '../support/journeys.ts';

/** Texts that come from commits, people and other systems, as somebody with bad intentions writes them. */
const ATTACKS = [
  '<script>window.pwned=1</script>',
  '<img src=x onerror="window.pwned=2">',
  '"><svg onload=window.pwned=3>',
  "' onmouseover='window.pwned=4' autofocus onfocus='window.pwned=4",
  '</title></style></textarea><iframe srcdoc="<script>parent.pwned=5</script>">',
  '<meta http-equiv="refresh" content="0;url=javascript:window.pwned=6">',
  '<form action="https://evil.example.com"><button autofocus>Approve</button></form>',
  '<base href="https://evil.example.com/">',
  '<link rel="stylesheet" href="https://evil.example.com/x.css"><style>*{display:none}</style>',
  '&lt;script&gt;window.pwned=7&lt;/script&gt;',
  '\u202egnp.exe',
];
const EVIL: Words = {
  message: ATTACKS.join(' '),
  reason: ATTACKS.join('\n'),
  url: 'javascript:window.pwned=8',
  actor: '<b onclick=alert(1)>ada</b>',
};

const VIEWS: View[] = [1366, 320].flatMap((width) => (['light', 'dark'] as const).map((scheme) => ({ width, scheme })));

/** Runs in the page: texts whose colour is too close to what is behind them (WCAG 2.2, 1.4.3). */
const LOW_CONTRAST = String.raw`(() => {
  const channels = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color) => {
    const [red = 0, green = 0, blue = 0] = channels(color).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (start) => {
    for (let one = start; one; one = one.parentElement) {
      const color = getComputedStyle(one).backgroundColor;
      if ((channels(color)[3] ?? 1) === 1) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const worded = [...document.querySelectorAll('body *')].filter((one) =>
    [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim() !== ''),
  );
  return worded.flatMap((one) => {
    const [a, b] = [luminance(getComputedStyle(one).color), luminance(behind(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    return ratio >= 4.5 ? [] : [one.textContent.slice(0, 40) + ' ' + ratio.toFixed(2)];
  });
})()`;

describe.skipIf(!chromiumAvailable)('in a browser', () => {
  let world: HttpWorld;
  let hostile: HttpWorld;
  let empty: HttpWorld;
  let browser: Browser;
  beforeAll(async () => {
    const journeys = (words: Words) => [
      ...waitingForApproval('checkout', words),
      ...failedGate('basket', words),
      ...promoted('search', words),
      ...reviewing('payments', words),
      ...rollingOut('catalogue', words),
      ...superseded('mail'),
    ];
    // One word without a place to break it, as commits and image digests are.
    const long = { ...PLAIN, message: `sha256:${'0123456789abcdef'.repeat(8)} ${PLAIN.message}` };
    world = await startHttpWorld({ sequences: journeys(long) });
    hostile = await startHttpWorld({ sequences: journeys(EVIL) });
    empty = await startHttpWorld();
    browser = await startChromium();
  });
  afterAll(async () => {
    await browser?.close();
    for (const one of [world, hostile, empty]) await one?.stop();
  });
  const ids = ['ctx-checkout', 'ctx-basket', 'ctx-search', 'ctx-payments', 'ctx-catalogue', 'ctx-mail'];
  const addresses = ['/changes', ...ids.map((id) => `/changes/${id}`)];

  it.each(VIEWS)('nothing is wider than the window ($width px, $scheme)', async (view) => {
    const pages = [...addresses.map((address) => world.url + address), `${empty.url}/changes`];
    for (const page of pages) {
      await browser.tab.open(page, view);
      expect(await browser.tab.evaluate('document.documentElement.scrollWidth'), page).toBe(view.width);
    }
  });

  it.each(['light', 'dark'] as const)('every word can be read (%s): contrast is at least 4.5 to 1', async (scheme) => {
    for (const address of addresses) {
      await browser.tab.open(world.url + address, { width: 1366, scheme });
      expect(await browser.tab.evaluate(LOW_CONTRAST), address).toEqual([]);
    }
  });

  it('the page of a change that waits shows first what it waits for and who decides', async () => {
    await browser.tab.open(`${world.url}/changes/ctx-checkout`, { width: 320, scheme: 'light' });
    const seen = await browser.tab.evaluate<string>('document.querySelector("main").innerText');
    expect(seen).toMatch(
      /^checkout 8a3d1f0c: waiting in staging\s+Approval 1 of 2: risk 41 is above 25\s+payments or release managers approves[\s\S]*Your decision\s+It waits for a decision of payments or release managers\. 2 are needed\.[\s\S]*Journey/,
    );
    const top = 'document.querySelector("#decision h2").getBoundingClientRect().bottom';
    expect(await browser.tab.evaluate(top)).toBeLessThan(900);
  });

  it('what strangers wrote is text and does nothing', async () => {
    for (const address of addresses) {
      browser.tab.noises.length = 0;
      await browser.tab.open(hostile.url + address, { width: 1366, scheme: 'light' });
      const facts = await browser.tab.evaluate<Record<string, unknown>>(`({
        pwned: window.pwned ?? 'no',
        here: location.href,
        scripts: [...document.querySelectorAll('script, iframe, svg:not([aria-hidden], [role=img]), img, base, style, b[onclick]')].filter((one) => !/^\\/assets\\/app\\.\\w+\\.js$/.test(one.getAttribute('src') ?? '')).length,
        handlers: [...document.querySelectorAll('*')].flatMap((one) => [...one.attributes]).filter(({ name }) => name.startsWith('on')).length,
        links: [...document.links].map(({ protocol }) => protocol).filter((one) => one !== 'http:' && one !== 'https:'),
        forms: [...document.forms].map(({ action }) => action).filter((one) => !one.startsWith(location.origin)),
        sheets: document.styleSheets.length,
      })`);
      expect(facts).toEqual({
        pwned: 'no',
        here: hostile.url + address,
        scripts: 0,
        handlers: 0,
        links: [],
        forms: [],
        sheets: 1,
      });
      expect(browser.tab.noises, address).toEqual([]);
    }
  });

  it('strangers are quoted, not silenced', async () => {
    await browser.tab.open(`${hostile.url}/changes/ctx-checkout`, { width: 1366, scheme: 'light' });
    const text = await browser.tab.evaluate<string>('document.body.innerText');
    for (const attack of ATTACKS.slice(0, 6)) expect(text).toContain(attack);
  });

  it('the policy stops a script even if one got through', async () => {
    await browser.tab.open(`${world.url}/changes`, { width: 1366, scheme: 'light' });
    await browser.tab.evaluate(
      `document.body.insertAdjacentHTML('beforeend', '<img src="x" onerror="window.pwned=9">')`,
    );
    await browser.tab.evaluate(
      `document.body.append(Object.assign(document.createElement('script'), { text: 'window.pwned=10' }))`,
    );
    expect(await browser.tab.evaluate('window.pwned ?? "no"')).toBe('no');
    expect(browser.tab.noises.join('\n')).toContain('Content Security Policy');
  });
});
