import { sayDuration } from '../../../base/duration.ts';
import { short } from '../../../engine/revisions.ts';
import type { Breakdown } from '../../../views/evaluation-breakdown.ts';
import { type Html, html, joined, link } from '../../html.ts';
import { sayScoreExactly } from '../../parts/criteria.ts';
import { notice } from '../../parts/notice.ts';
import { stateMark } from '../../parts/state.ts';
import { clockTime, minute, since } from '../../parts/time.ts';
import { evaluationsAddress } from './address.ts';

import { breakdownTable, RESULT_STATES } from './breakdown.ts';
import type { Chosen, EvaluationsBoard } from './model.ts';

/** One evaluation: the verdict in a sentence, then everything behind it. */
export function detail(chosen: Chosen, board: EvaluationsBoard): Html {
  const { breakdown, files } = chosen;
  const { view, result, score, thresholds, sentence, at } = breakdown;
  const { state, word } = RESULT_STATES[result];
  const needs =
    thresholds === undefined
      ? ''
      : ` (pass ${thresholds.pass}${typeof thresholds.warning === 'number' ? `, warn ${thresholds.warning}` : ''})`;
  const said = score === undefined ? '' : ` ${sayScoreExactly(score)} of 100${needs}`;
  const what = view.version ?? (view.revision === undefined ? undefined : short(view.revision));
  const change = view.context === '' || view.context === view.id ? undefined : view.context;
  const facts = [
    what,
    html`${clockTime(at, board.now)}, ${since(at, board.now)} ago`,
    period(breakdown, board.now),
    compared(breakdown, board),
    change !== undefined && link(`/changes/${encodeURIComponent(change)}`, 'the change'),
    ...files.map(({ path, url }) => (url === undefined ? html`<code>${path}</code>` : link(url, path))),
    view.requestedBy !== undefined && `asked for by ${view.requestedBy}`,
  ];
  return html`<section id="evaluation" class="detail" aria-labelledby="verdict" data-e="${view.id}">
<h2 id="verdict">${stateMark(state, word)}${said}</h2>
<p class="sentence">${sentence}</p>
<p class="quiet">${joined(facts)}</p>
${outside(chosen, board)}${ignored(chosen)}
${breakdownTable(breakdown, board.query.sli)}
${ignoreForm(chosen)}
</section>`;
}

function period({ view }: Breakdown, now: string): Html | undefined {
  const { start, end } = view.period ?? {};
  if (start === undefined || end === undefined) return undefined;
  const ms = Date.parse(end) - Date.parse(start);
  return html`measured ${clockTime(start, now)}–${clockTime(end, now)}${Number.isFinite(ms) ? ` (${sayDuration(ms)})` : ''}`;
}

/** Links to those that it was compared with, by when they were. */
function compared({ compared: ids }: Breakdown, { map, place, now }: EvaluationsBoard): Html | string {
  if (ids.length === 0) return 'compared with none';
  const known = ids.flatMap((id) => map.columns.find((column) => column.id === id) ?? []);
  const more = ids.length - known.length;
  const links = known.map(
    ({ id, at }) => html`<a href="${evaluationsAddress(place, { e: id })}">${clockTime(at, now)}</a>`,
  );
  return html`compared with ${joined([...links, more > 0 && `${more} older`], ', ')}`;
}

function outside({ breakdown }: Chosen, { map, place, query }: EvaluationsBoard): Html | undefined {
  const { id } = breakdown.view;
  if (map.columns.some((column) => column.id === id)) return undefined;
  const isShared = map.columns.length < map.evaluations;
  if (isShared) return undefined;
  const day = breakdown.at.slice(0, 10);
  return html`<p class="quiet">It is not among those above: <a href="${evaluationsAddress(place, { view: query.view, from: day, e: id })}">show those since ${day}</a>.</p>`;
}

function ignored({ breakdown }: Chosen): Html | undefined {
  const { invalidated } = breakdown.view;
  if (invalidated === undefined) return undefined;
  return notice(
    'warning',
    html`Ignored for comparison by ${invalidated.actor}, ${minute(invalidated.at)}: ${invalidated.reason}`,
  );
}

/** Out of the way, and reversible: nothing that was decided by the evaluation changes. */
function ignoreForm({ breakdown, mayIgnore, csrf }: Chosen): Html {
  const { view } = breakdown;
  const id = encodeURIComponent(view.id);
  const token = csrf === undefined ? undefined : html`<input type="hidden" name="csrf" value="${csrf}">`;
  if (!mayIgnore)
    return html`<p class="quiet">An operator can have it ${view.invalidated ? 'compared with again' : 'ignored for comparison'}.</p>`;
  if (view.invalidated)
    return html`<form method="post" action="/evaluations/${id}/restore">${token}<button>Compare with it again</button></form>`;
  return html`<details class="ignore"><summary>Ignore for comparison</summary>
<form method="post" action="/evaluations/${id}/ignore">${token}<p>Later evaluations will not be compared with it. What was decided by it stays. It can be taken back.</p>
<label>Reason <input name="reason" required maxlength="2000" autocomplete="off"></label> <button>Ignore it</button></form></details>`;
}
