import { EYE, SCRIPT, STYLE } from './assets.ts';
import type { Frame } from './frame.ts';
import { type Html, html } from './html.ts';
import { help } from './parts/help.ts';

/** The frame of a page that nobody asked for by an address of ours: an error before we know who reads. */
export const BARE_FRAME: Frame = { now: '1970-01-01T00:00:00.000Z', path: '/changes', screen: 'other' };

const ENTRIES = [
  ['changes', 'Changes'],
  ['fleet', 'Fleet'],
  ['evaluations', 'Evaluations'],
  ['forecast', 'Forecast'],
  ['connections', 'Connections'],
] as const;

/** A whole page. Complete without a script. */
export function page(frame: Frame, title: string, body: Html, options: { description?: string } = {}): string {
  const { description } = options;
  return html`<!doctype html>
<html lang="en"${frame.theme === undefined ? undefined : html` data-theme="${frame.theme}"`}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="${frame.theme ?? 'light dark'}">
${description === undefined ? undefined : html`<meta name="description" content="${description}">`}
<title>${title} · Lynceus</title>
<link rel="icon" href="${EYE.address}">
<link rel="stylesheet" href="${STYLE.address}">
${SCRIPT === undefined ? undefined : html`<script type="module" src="${SCRIPT.address}"></script>`}
</head>
<body${frame.live === undefined ? undefined : html` data-live="${frame.live}"`} data-now="${frame.now}">
<a class="skip" href="#main">Skip to content</a>
${header(frame)}
<main id="main" tabindex="-1">
${body}
</main>
<p id="said" class="unseen" role="status"></p>
${footer(frame)}
</body>
</html>
`.text;
}

function header(frame: Frame): Html {
  const entries = ENTRIES.map(
    ([screen, text]) =>
      html`<li><a href="/${screen}"${screen === frame.screen ? html` aria-current="page"` : undefined}>${text}</a></li>`,
  );
  return html`<header class="top">
<a class="brand" href="/"><svg class="i" viewBox="0 0 32 32" aria-hidden="true"><path d="M2 16q14-20 28 0q-14 20-28 0zm14-6a6 6 0 1 0 0 12 6 6 0 1 0 0-12z" class="f"/></svg>Lynceus</a>
<nav aria-label="Main"><ul>${entries}</ul></nav>
<form role="search" action="/changes" class="find"><label for="q" class="unseen">Find a change by commit, digest, pull request, version or service</label><input type="search" id="q" name="q" value="${asked(frame)}" placeholder="commit, PR, version, service" autocomplete="off" spellcheck="false" maxlength="200"><kbd title="Press / to get here">/</kbd></form>
${frame.live === undefined ? undefined : liveState(frame)}
${account(frame)}
</header>`;
}

/** What the search box was asked on this page. */
function asked({ path }: Frame): string {
  return new URLSearchParams(path.split('?')[1] ?? '').get('q') ?? '';
}

/** Filled and shown by the page's script; without one, there is a way to look again. */
function liveState({ path }: Frame): Html {
  return html`<div class="live"><span id="live" class="js-only"></span> <button type="button" id="pause" class="js-only" aria-pressed="false" data-k="pause">Pause</button><noscript><a href="${path}">Refresh</a></noscript></div>`;
}

function account({ viewer, signIn, csrf, path }: Frame): Html | undefined {
  if (viewer === undefined)
    return signIn === undefined
      ? undefined
      : html`<div class="account"><a href="${signIn}?to=${encodeURIComponent(path)}">Sign in</a></div>`;
  const out =
    csrf === undefined
      ? undefined
      : html`<form method="post" action="/sign-out"><input type="hidden" name="csrf" value="${csrf}"><button>Sign out</button></form>`;
  return html`<div class="account"><span title="${viewer.roles.join(', ')}">${viewer.name}</span>${out}</div>`;
}

function footer(frame: Frame): Html {
  return html`<footer>
${help()}
${themeForm(frame)}
</footer>`;
}

const THEMES = [
  ['system', 'System'],
  ['light', 'Light'],
  ['dark', 'Dark'],
] as const;

function themeForm({ theme, path }: Frame): Html {
  const buttons = THEMES.map(
    ([value, text]) =>
      html`<button name="theme" value="${value}" aria-pressed="${value === (theme ?? 'system') ? 'true' : 'false'}">${text}</button>`,
  );
  return html`<form method="post" action="/theme" class="theme"><fieldset><legend>Colours</legend><input type="hidden" name="to" value="${path}">${buttons}</fieldset></form>`;
}
