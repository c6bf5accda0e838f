import { short } from '../engine/revisions.ts';
import { type Html, html } from './html.ts';

/** The frame of every page. Complete without a script. */
export function page(title: string, body: Html, options: { refreshSeconds?: number } = {}): string {
  const refresh =
    options.refreshSeconds === undefined
      ? undefined
      : html`<meta http-equiv="refresh" content="${options.refreshSeconds}">`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${refresh}
<title>${title} · Lynceus</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header><a class="brand" href="/changes">Lynceus</a><nav aria-label="Main"><a href="/changes">Changes</a> <a href="/api/v1/openapi.json">API</a></nav></header>
<main id="main">
${body}
</main>
</body>
</html>
`.text;
}

/** Said in words and shape, not by colour alone. */
const MARKS: Readonly<Record<string, string>> = {
  pass: '✓',
  warning: '!',
  fail: '✕',
  running: '◐',
  waiting: '❚❚',
  triggered: '…',
  superseded: '»',
  none: '·',
};

export function mark(state: string, text: string): Html {
  return html`<span class="state ${state}"><span aria-hidden="true">${MARKS[state] ?? '·'}</span> ${text}</span>`;
}

/** A moment as people read it, with the exact one at hand. */
export function moment(iso: string): Html {
  return html`<time datetime="${iso}" title="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC</time>`;
}

/** Where the second does not matter. */
export function minute(iso: string): Html {
  return html`<time datetime="${iso}" title="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC</time>`;
}

/** A score of 0..100 as people read it; decisions are made on the exact value. */
export function sayScore(score: number): string {
  return String(Math.round(score * 10) / 10);
}

export function shortCommit(revision: string): Html {
  return html`<code title="${revision}">${short(revision)}</code>`;
}

/** An eye: the lookout's. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M2 16q14-20 28 0q-14 20-28 0z" fill="#0550ae"/><circle cx="16" cy="16" r="6" fill="#fff"/><circle cx="16" cy="16" r="3" fill="#1b1f24"/></svg>`;

export const STYLE = `:root{color-scheme:light dark;--ink:#1b1f24;--quiet:#57606a;--paper:#fff;--panel:#f6f8fa;--line:#d0d7de;--link:#0550ae;--pass:#116329;--warning:#7d4e00;--fail:#a40e26;--move:#0550ae}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--quiet:#9da7b1;--paper:#0d1117;--panel:#161b22;--line:#3d444d;--link:#79b8ff;--pass:#56d364;--warning:#e3b341;--fail:#ff7b72;--move:#79b8ff}}
*{box-sizing:border-box}body{margin:0;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
header{display:flex;gap:1.5rem;align-items:baseline;padding:.75rem 1.25rem;border-bottom:1px solid var(--line);background:var(--panel)}
.brand{font-weight:700;text-decoration:none;color:var(--ink)}nav{display:flex;gap:1rem}a{color:var(--link)}
main{max-width:72rem;margin:0 auto;padding:1.25rem}h1{font-size:1.4rem;margin:.25rem 0 .5rem}h2{font-size:1.1rem;margin:1.5rem 0 .5rem}
.quiet{color:var(--quiet)}.skip{position:absolute;left:-999px}.skip:focus{left:1rem;top:.5rem;background:var(--paper);padding:.25rem .5rem}
a:focus-visible,button:focus-visible,input:focus-visible,summary:focus-visible{outline:3px solid var(--link);outline-offset:2px}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.5rem .6rem;border-bottom:1px solid var(--line)}th{color:var(--quiet);font-weight:600}td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}code{font:.9em ui-monospace,monospace;overflow-wrap:anywhere}
.state{font-weight:600}time{white-space:nowrap}.lead{font-size:1.1rem;margin:.25rem 0;overflow-wrap:anywhere}td{overflow-wrap:anywhere}.quiet a{color:inherit}
ol.stages{list-style:none;margin:0;padding:0}ol.journey{display:flex;flex-wrap:wrap;gap:.25rem .6rem;margin:.75rem 0}ol.journey li+li::before{content:"→ ";color:var(--quiet)}ol.journey a{text-decoration-color:var(--line)}.pass{color:var(--pass)}.warning{color:var(--warning)}.fail{color:var(--fail)}.running,.waiting,.triggered{color:var(--move)}.superseded{color:var(--quiet)}
.stage{border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem;margin:.75rem 0}.stage h2{margin:0;display:inline}.stage>p,.stage p.facts{margin:.35rem 0}summary{cursor:pointer}.stage.now{border-color:var(--link);border-width:2px}
ol.tasks{list-style:none;margin:.5rem 0 0;padding:0}ol.tasks>li{border-top:1px solid var(--line);padding:.45rem 0}ol.tasks p{margin:.15rem 0}.message{white-space:pre-line;overflow-wrap:anywhere}
form.decide{background:var(--panel);border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem;margin-top:.75rem;display:flex;flex-wrap:wrap;gap:.6rem;align-items:end}
form.decide label{flex:1 1 16rem;display:block}form.decide p{flex:1 1 100%;margin:0}input{display:block;width:100%;font:inherit;color:inherit;background:var(--paper);border:1px solid var(--quiet);border-radius:.35rem;padding:.35rem .5rem}
button{font:inherit;padding:.4rem .9rem;border-radius:.35rem;border:1px solid var(--quiet);background:var(--paper);color:inherit;cursor:pointer}button.main{background:var(--link);border-color:var(--link);color:var(--paper);font-weight:600}
@media(min-width:40.01rem){table.stack td:first-child,table.stack ol.stages li{white-space:nowrap}}
@media(max-width:40rem){table.stack thead{display:none}table.stack tr{display:block;border-bottom:1px solid var(--line);padding:.6rem 0}table.stack td,table.stack td.number{display:block;border:0;padding:.1rem 0;text-align:left}table.stack td:empty{display:none}main{padding:1rem}.stage{padding:.75rem}table.stack td[data-label]::before{content:attr(data-label) ": ";color:var(--quiet)}}
@media(prefers-reduced-motion:no-preference){a,button{transition:none}}
`;
