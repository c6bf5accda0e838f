import type { BlockerKind, ChangeRow } from '../../answers/change-row.ts';
import type { Moment } from '../frame.ts';
import { type Html, html } from '../html.ts';
import { oddsBar, rangeBar } from '../parts/bars.ts';
import { since } from '../parts/time.ts';

/** What goes on by itself while it is told. */
const MOVING: readonly BlockerKind[] = ['sync', 'tests', 'soak', 'health'];

/** How long it has been so, how long it will take, and how likely it arrives. */
export function oddsAndTime(row: ChangeRow, frame: Moment): Html {
  const { eta, odds } = row;
  const quant = eta?.total ?? eta?.machine;
  return html`<div>${soFar(row, frame)}</div>
${eta === null ? undefined : html`<div class="eta">${quant === undefined ? html`${eta.text}` : html`${rangeBar(quant)}then ${eta.text}`}</div>`}
${odds === null ? stuck(row) : html`<div class="odds">${oddsBar(odds)}${odds.text}</div>`}`;
}

/** Nobody knows what people will do about what failed; what they did about others is known. */
function stuck({ afterwards }: ChangeRow): Html | undefined {
  return afterwards && html`<div>${afterwards.text}</div>`;
}

function soFar({ state, blocker }: ChangeRow, { now }: Moment): Html {
  const age = since(blocker.since, now);
  if (blocker.kind === 'none') return html`${state === 'superseded' ? 'replaced' : 'done'} ${age} ago`;
  if (state === 'failed') return html`stopped ${age} ago`;
  if (MOVING.includes(blocker.kind) && state === 'running') return html`for ${age}`;
  return html`waiting ${age}`;
}
