import type { CellState, HeatCell, HeatColumn, HeatMap, HeatRow } from '../../views/evaluations.ts';
import { type Html, html } from '../html.ts';
import { sayCriteria, sayScoreExactly, sayScoreShort } from './criteria.ts';
import { withUnit } from './number.ts';

export interface HeatOptions {
  /** Id of the evaluation that is shown in detail. */
  selected?: string;
  /** Ids of those that it was compared with. */
  compared: ReadonlySet<string>;
  /** Key of the objective that is looked at. */
  row?: string;
  /** Where a cell leads; `row`: the key of its objective. */
  href(evaluation: string, row?: string): string;
  label: string;
}

const CELLS: Readonly<Record<CellState, { mark: string; word: string }>> = {
  pass: { mark: '✓', word: 'passed' },
  warning: { mark: '!', word: 'warning' },
  fail: { mark: '✕', word: 'failed' },
  info: { mark: '·', word: 'for information' },
  none: { mark: '–', word: 'not evaluated' },
};

const RESULTS: Readonly<Record<HeatColumn['result'], string>> = {
  pass: 'passed',
  warning: 'warning',
  fail: 'failed',
  errored: 'could not be judged',
};

/**
 * Objectives by evaluations, as a table in which every cell leads to what is behind it. The text of a cell is its
 * label, which the page's script also shows beside it; without a script it stands in the breakdown.
 */
export function heat(map: HeatMap, options: HeatOptions): Html {
  const marks = map.columns.map((column) => columnClass(column, options));
  return html`<div class="scroll heat-frame" role="region" aria-label="${options.label}" tabindex="0">
<table class="heat" data-grid="cells" data-tips>
<caption class="unseen">${options.label}. One column per evaluation, the newest on the right.</caption>
<thead><tr><td></td>${days(map.columns)}</tr>
<tr><th scope="row">Score</th>${map.columns.map((column, at) => scoreCell(column, marks[at] ?? '', options))}</tr></thead>
<tbody>${map.slis.map((row, at) => sliRow(row, map.cells[at] ?? [], map.columns, marks, options))}</tbody>
</table></div>
${legend()}`;
}

/** Neighbours of one day share its name. */
function days(columns: readonly HeatColumn[]): Html[] {
  const spans: { text: string; wide: number }[] = [];
  for (const { at } of columns) {
    const text = sayDay(at);
    const last = spans.at(-1);
    if (last !== undefined && last.text === text) last.wide++;
    else spans.push({ text, wide: 1 });
  }
  return spans.map(
    ({ text, wide }) => html`<th class="day" colspan="${wide}" scope="colgroup"><span>${text}</span></th>`,
  );
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function sayDay(iso: string): string {
  return `${Number(iso.slice(8, 10))} ${MONTHS[Number(iso.slice(5, 7)) - 1] ?? ''}`;
}

function columnClass({ id, ignored }: HeatColumn, { selected, compared }: HeatOptions): string {
  const classes = [id === selected ? 'sel' : '', compared.has(id) ? 'cmp' : '', ignored ? 'ign' : ''];
  return classes.filter((one) => one !== '').join(' ');
}

function scoreCell(column: HeatColumn, marks: string, { href, selected, compared }: HeatOptions): Html {
  const { id, score, result, count } = column;
  const text = score === undefined ? '?' : sayScoreShort(score);
  const notes = [...(compared.has(id) ? ['compared with'] : []), ...(column.ignored ? ['ignored for comparison'] : [])];
  const label = `${whenOf(column)}: ${RESULTS[result]}${score === undefined ? '' : `, ${count > 1 ? 'lowest ' : ''}score ${sayScoreExactly(score)} of 100`}${notes.map((note) => `, ${note}`).join('')}`;
  return html`<th scope="col" class="c ${result} ${marks}"><a href="${href(id)}" aria-label="${label}"${id === selected ? html` aria-current="true"` : undefined} data-k="e-${id}">${text}</a></th>`;
}

function whenOf({ at, version, revision, count }: HeatColumn): string {
  const what = version ?? revision?.slice(0, 8);
  const several = count > 1 ? `, the worst of ${count}` : '';
  return `${sayDay(at)} ${at.slice(11, 16)}${what === undefined ? '' : `, ${what}`}${several}`;
}

function sliRow(
  row: HeatRow,
  cells: readonly HeatCell[],
  columns: readonly HeatColumn[],
  marks: readonly string[],
  options: HeatOptions,
): Html {
  const newest = columns.at(-1)?.id ?? '';
  const name = html`<a href="${options.href(options.selected ?? newest, row.key)}" data-k="r-${row.key}">${row.name}</a>`;
  const notes = row.current ? undefined : html` <span class="quiet">not measured now</span>`;
  return html`<tr${row.key === options.row ? html` class="sel"` : undefined}><th scope="row">${name}${row.keySli ? html` <b class="key">key</b>` : undefined}${notes}</th>${columns.map((column, at) => cell(row, cells[at], column, marks[at] ?? '', options))}</tr>`;
}

function cell(
  row: HeatRow,
  found: HeatCell | undefined,
  column: HeatColumn,
  marks: string,
  { href }: HeatOptions,
): Html {
  const { mark } = CELLS[found?.state ?? 'none'];
  const label = `${row.name}: ${found === undefined ? CELLS.none.word : cellText(found)}. ${whenOf(column)}`;
  return html`<td class="c ${found?.state ?? 'none'} ${marks}"><a href="${href(column.id, row.key)}" aria-label="${label}">${mark}</a></td>`;
}

/** Value, limits and verdict: `612 ms, failed, pass ≤ 500, warn ≤ 600`. */
export function cellText({ state, value, unit, pass, warning, message }: HeatCell): string {
  const parts = [
    ...(value === undefined ? [] : [withUnit(value, unit)]),
    CELLS[state].word,
    ...(pass.length === 0 ? [] : [`pass ${sayCriteria(pass)}`]),
    ...(warning.length === 0 ? [] : [`warn ${sayCriteria(warning)}`]),
    ...(value === undefined && message !== undefined ? [message] : []),
  ];
  return parts.join(', ');
}

function legend(): Html {
  const states = Object.entries(CELLS).map(
    ([state, { mark, word }]) => html`<li><span class="c ${state}" aria-hidden="true">${mark}</span> ${word}</li>`,
  );
  return html`<ul class="legend quiet" aria-label="What the marks mean">${states}<li><span class="c cmp" aria-hidden="true"></span> compared with</li></ul>`;
}
