import type { State } from '../../../answers/change-row.ts';
import type { Target } from '../../../slo/evaluation.ts';
import type { Breakdown, BreakdownRow } from '../../../views/evaluation-breakdown.ts';
import type { CellState, HeatColumn } from '../../../views/evaluations.ts';
import { type Html, html } from '../../html.ts';
import { sayChange, sayCriterion, sayRelative, sayScoreExactly } from '../../parts/criteria.ts';
import { sayNumber, withUnit } from '../../parts/number.ts';
import { stateMark } from '../../parts/state.ts';

export const RESULT_STATES: Readonly<Record<HeatColumn['result'], { state: State; word: string }>> = {
  pass: { state: 'passed', word: 'Passed' },
  warning: { state: 'warning', word: 'Warning' },
  fail: { state: 'failed', word: 'Failed' },
  errored: { state: 'unknown', word: 'Could not be judged' },
};

const CELL_STATES: Readonly<Record<CellState, { state: State; word: string }>> = {
  pass: { state: 'passed', word: 'Passed' },
  warning: { state: 'warning', word: 'Warning' },
  fail: { state: 'failed', word: 'Failed' },
  info: { state: 'idle', word: 'Not counted' },
  none: { state: 'idle', word: 'Not evaluated' },
};

/** Every objective of one evaluation: what was measured, what was wanted, what it was worth. `anchored`: links lead to its rows, which is possible once on a page. */
export function breakdownTable({ rows, weight }: Breakdown, looked?: string, anchored: boolean = true): Html {
  if (rows.length === 0) return html`<p class="quiet">No objective was measured.</p>`;
  const head = ['Objective', 'Value', 'Against earlier', 'Pass if', 'Warn if', 'Weight', 'Points'];
  return html`<table class="stack breakdown"><caption class="unseen">Objectives, those that failed first</caption>
<thead><tr>${head.map((text) => html`<th scope="col"${NUMBERS.has(text) ? html` class="number"` : undefined}>${text}</th>`)}</tr></thead>
<tbody>${rows.map((row) => breakdownRow(row, weight, looked, anchored))}</tbody></table>`;
}

const NUMBERS: ReadonlySet<string> = new Set(['Value', 'Against earlier', 'Weight', 'Points']);

function breakdownRow(row: BreakdownRow, total: number, looked: string | undefined, anchored: boolean): Html {
  const { state, word } = CELL_STATES[row.state];
  return html`<tr${anchored ? html` id="${row.key}"` : undefined}${row.key === looked ? html` class="sel"` : undefined}>
<th scope="row">${stateMark(state, word)} <span class="name">${row.name}</span>${row.keySli ? html` <b class="key">key</b>` : undefined}</th>
<td data-label="Value" class="number">${value(row)}</td>
<td data-label="Against earlier" class="number">${against(row)}</td>
<td data-label="Pass if">${targets(row.pass)}${row.control === undefined ? undefined : html`<div>${row.control}</div>`}</td>
<td data-label="Warn if">${targets(row.warning)}</td>
<td data-label="Weight" class="number">${row.points === undefined ? 'not counted' : `${sayNumber(row.weight)} of ${sayNumber(total)}`}</td>
<td data-label="Points" class="number">${points(row)}</td></tr>`;
}

function value({ value: found, unit, message, samples, sources }: BreakdownRow): Html {
  const behind = [
    ...sources.map(({ provider, value: part }) => `${provider ?? 'source'} ${sayNumber(part)}`),
    ...(samples === undefined ? [] : [`${sayNumber(samples)} samples`]),
  ];
  return html`${found === undefined ? (message ?? 'no value') : html`<b>${withUnit(found, unit)}</b>`}${behind.length === 0 ? undefined : html` <span class="quiet">(${behind.join(', ')})</span>`}`;
}

/** `−12.1 % (−290 rps, was 2,400 rps)`. */
function against({ change, relative, comparedValue, regression, unit }: BreakdownRow): Html {
  if (comparedValue === undefined) return html`<span class="quiet">nothing earlier</span>`;
  const was = `was ${withUnit(comparedValue, unit)}`;
  if (change === undefined) return html`${was}`;
  if (change === 0) return html`no change <span class="quiet">(${was})</span>`;
  const worse = regression === true ? ', worse' : '';
  const absolute = sayChange(change, unit);
  return relative === undefined
    ? html`${absolute}${worse} <span class="quiet">(${was})</span>`
    : html`${sayRelative(relative)}${worse} <span class="quiet">(${absolute}, ${was})</span>`;
}

/** Those that were missed stand first. */
function targets(all: readonly Target[]): Html {
  if (all.length === 0) return html`<span class="quiet">no limit</span>`;
  return html`${all.map(target)}`;
}

function target({ criteria, targetValue, violated }: Target): Html {
  const wanted = sayCriterion(criteria);
  const isRelative = /%|[<>=]\s*[+-]/.test(criteria);
  const exact =
    isRelative && Number.isFinite(targetValue)
      ? html` <span class="quiet">(${sayNumber(targetValue)})</span>`
      : undefined;
  return html`<div>${violated ? stateMark('failed', wanted) : wanted}${violated ? html` <span class="unseen">missed</span>` : undefined}${exact}</div>`;
}

function points({ points: found }: BreakdownRow): string {
  if (found === undefined) return '–';
  return `${sayScoreExactly(Math.round(found.reached * 10) / 10)} of ${sayNumber(Math.round(found.possible * 10) / 10)}`;
}
