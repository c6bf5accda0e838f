import type { Breakdown } from '../../../views/evaluation-breakdown.ts';
import { type EvaluatedPlace, MAX_COLUMNS } from '../../../views/evaluations.ts';
import { type Content, type Html, html, joined, link } from '../../html.ts';
import { chips } from '../../parts/filters.ts';
import { heat } from '../../parts/heat.ts';
import { emptyState } from '../../parts/notice.ts';
import { DEFAULT_LAST, type EvaluationsQuery, evaluationsAddress, evaluationsQuery, LASTS } from './address.ts';
import { detail } from './detail.ts';
import { line } from './line.ts';
import type { EvaluationsBoard } from './model.ts';

/** Every evaluation of a service in a stage, and one of them in detail. */
export function evaluationsBoard(board: EvaluationsBoard): Html {
  const { place, map, query, chosen } = board;
  const { project, service, stage } = place;
  const title = html`<h1>${service} in ${stage}</h1>
<p class="quiet">${joined([html`project <a href="/fleet?project=${encodeURIComponent(project)}">${project}</a>`, link(`/changes?service=${encodeURIComponent(service)}&stage=${encodeURIComponent(stage)}`, 'changes'), html`<a href="/evaluations?project=${encodeURIComponent(project)}">all evaluations</a>`, board.underWay > 0 && `${board.underWay} under way`])}</p>`;
  if (map.evaluations === 0) return html`${title}${nothing(board)}`;
  return html`${title}${controls(board)}
${chosen === undefined ? undefined : newer(board, chosen.breakdown)}
${query.view === 'line' ? drawLine(board) : drawHeat(board)}
${pages(board)}
${chosen === undefined ? undefined : detail(chosen, board)}`;
}

function nothing({ place, query }: EvaluationsBoard): Html {
  if (query.before !== undefined || query.from !== undefined)
    return emptyState(
      'No evaluation in this period',
      html`<p><a href="${evaluationsAddress(place)}">Show the newest</a></p>`,
    );
  return emptyState(
    'No evaluation yet',
    html`<p>One is made when a change has been tested in ${place.stage}: add <code>evaluation: {slo: slo.yaml}</code> to the stage in delivery.yaml. <code>lynceus evaluate</code> makes one at once.</p>`,
  );
}

function controls({ place, query, map }: EvaluationsBoard): Html {
  const go = (changed: Partial<EvaluationsQuery>) => evaluationsAddress(place, { ...query, ...changed });
  const { project } = place;
  const asked =
    query.from === undefined
      ? []
      : [{ text: `since ${query.from} ✕`, href: without(place, query, 'from'), current: true }];
  const counts = LASTS.map((last) => ({ text: `last ${last}`, href: go({ last }), current: query.last === last }));
  const objectives = map.slis.map(({ key, name }) => ({
    text: name,
    href: go({ sli: key }),
    current: query.sli === key,
  }));
  const score = { text: 'Score', href: without(place, query, 'sli'), current: query.sli === undefined };
  return html`<div class="controls">
${chips('How it is drawn', [
  { text: 'Heat map', href: go({ view: 'heat' }), current: query.view === 'heat' },
  { text: 'Line', href: go({ view: 'line' }), current: query.view === 'line' },
])}
${chips('How many', [...counts, ...asked])}
<form method="get" action="${evaluationsAddress(place).split('?')[0] ?? ''}"><input type="hidden" name="project" value="${project}">${query.view === 'line' ? html`<input type="hidden" name="view" value="line">` : undefined}${query.last === DEFAULT_LAST ? undefined : html`<input type="hidden" name="last" value="${query.last}">`}<label class="choose"><span>since</span> <input type="date" name="from" value="${query.from ?? ''}"></label> <button>Show</button></form>
</div>
${query.view === 'line' ? chips('What is drawn', [score, ...objectives]) : undefined}`;
}

function without(place: EvaluatedPlace, query: EvaluationsQuery, key: 'from' | 'sli' | 'before'): string {
  const { [key]: _, ...rest } = query;
  return evaluationsAddress(place, rest);
}

/** The picture stays as it was asked for; what came since is one step away. */
function newer({ place, map, query }: EvaluationsBoard, { view }: Breakdown): Html | undefined {
  const at = map.columns.findIndex(({ id }) => id === view.id);
  if (at < 0 || query.e === undefined) return undefined;
  const count = map.columns.slice(at + 1).reduce((sum, column) => sum + column.count, 0);
  if (count === 0) return undefined;
  const { e: _, sli: __, ...rest } = query;
  return html`<p class="newer">${count} newer · <a href="${evaluationsAddress(place, rest)}" data-k="newer">show the newest</a></p>`;
}

function drawHeat({ place, map, query, chosen }: EvaluationsBoard): Html {
  const { e: _, sli: __, ...rest } = query;
  const href = (e: string, row?: string) =>
    `${evaluationsQuery(place.project, { ...rest, e })}#${row === undefined ? 'evaluation' : encodeURIComponent(row)}`;
  return heat(map, {
    ...(chosen === undefined ? {} : { selected: chosen.breakdown.view.id }),
    compared: new Set(chosen?.breakdown.compared ?? []),
    ...(query.sli === undefined ? {} : { row: query.sli }),
    href,
    label: `Evaluations of ${place.service} in ${place.stage}`,
  });
}

function drawLine({ place, map, query, chosen, now }: EvaluationsBoard): Html {
  return line(map, {
    ...(query.sli === undefined ? {} : { sli: query.sli }),
    ...(chosen === undefined ? {} : { selected: chosen.breakdown.view.id }),
    ...(chosen?.breakdown.thresholds === undefined ? {} : { thresholds: chosen.breakdown.thresholds }),
    href: (e) => `${evaluationsQuery(place.project, { ...query, e })}#evaluation`,
    now,
  });
}

function pages({ place, query, map, older }: EvaluationsBoard): Html {
  const { e: _, before: __, ...rest } = query;
  const shared =
    map.columns.length < map.evaluations
      ? `, up to ${Math.ceil(map.evaluations / MAX_COLUMNS)} in a column, which shows the worst of them`
      : '';
  const parts: Content[] = [
    query.before !== undefined &&
      html`<a href="${evaluationsAddress(place, rest)}" rel="first" data-k="first">‹ newest</a>`,
    `${map.evaluations} ${map.evaluations === 1 ? 'evaluation' : 'evaluations'}${shared}`,
    older !== undefined &&
      html`<a href="${evaluationsAddress(place, { ...rest, before: older })}" rel="next" data-k="next">older ›</a>`,
  ];
  return html`<nav class="pager" aria-label="Pages">${joined(parts)}</nav>`;
}
