import type { State } from '../../answers/change-row.ts';
import { type Html, html } from '../html.ts';
import { stateMark } from './state.ts';

const MEANINGS: readonly (readonly [State, string])[] = [
  ['passed', 'done and good'],
  ['warning', 'good enough to be asked about, or not what Git says'],
  ['failed', 'stopped: somebody has to mend it'],
  ['running', 'on its way by itself'],
  ['waiting', 'for a person, a turn or a time'],
  ['idle', 'its turn has not come'],
  ['unknown', 'nothing was reported; it may be anything'],
  ['superseded', 'a later change took its place'],
];

const KEYS: readonly (readonly [string, string])[] = [
  ['/', 'find a change'],
  ['j', 'next row'],
  ['k', 'row before'],
  ['Enter', 'open the row'],
  ['g c', 'Changes'],
  ['g f', 'Fleet'],
  ['g e', 'Evaluations'],
  ['g o', 'Forecast'],
  ['g n', 'Connections'],
  ['?', 'this help'],
];

/** In one place on every page: what the marks mean, the keys, where to read on. */
export function help(): Html {
  return html`<details id="help"><summary>Help: marks, keys, documentation</summary><div class="columns">
<section><h2>Marks</h2><ul class="plain">${MEANINGS.map(([state, text]) => html`<li>${stateMark(state)} ${text}</li>`)}</ul></section>
<section><h2>Keys</h2><dl class="keys">${KEYS.map(([key, text]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${text}</dd></div>`)}</dl>
<p class="js-only"><button type="button" id="keys" aria-pressed="true">Single keys are on</button></p></section>
<section><h2>Read on</h2><ul class="plain"><li><a href="/connections">What reports to us, and what is silent</a></li><li><a href="/api/v1/openapi.json">API (OpenAPI)</a></li><li>Guides: the folder <code>docs</code> of Lynceus, <code>page.md</code> first</li></ul></section>
</div></details>`;
}
