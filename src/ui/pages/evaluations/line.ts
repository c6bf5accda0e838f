import type { HeatCell, HeatColumn, HeatMap } from '../../../views/evaluations.ts';
import { isNumber } from '../../../views/evaluations.ts';
import { type Html, html } from '../../html.ts';
import { sayScoreExactly } from '../../parts/criteria.ts';
import { cellText } from '../../parts/heat.ts';
import { sayNumber, withUnit } from '../../parts/number.ts';
import { stateMark } from '../../parts/state.ts';
import { clockTime } from '../../parts/time.ts';
import { RESULT_STATES } from './breakdown.ts';

const WIDTH = 900;
const HEIGHT = 220;
const LEFT = 64;
const RIGHT = 12;
const TOP = 14;
const BOTTOM = 26;

export interface LineOptions {
  /** Key of the objective; absent: the score. */
  sli?: string;
  selected?: string;
  thresholds?: { pass: number; warning?: number };
  href(evaluation: string): string;
  now: string;
}

interface Point {
  column: HeatColumn;
  cell?: HeatCell;
  /** Absent: there is none, and the line has a gap. */
  value?: number;
}

/** One objective, or the score, over time: drawn, and as a table with the same numbers. */
export function line(map: HeatMap, options: LineOptions): Html {
  const at = map.slis.findIndex(({ key }) => key === options.sli);
  const row = map.slis[at];
  const points = map.columns.map((column, nth): Point => {
    const cell = row === undefined ? undefined : map.cells[at]?.[nth];
    const value = row === undefined ? column.score : cell?.value;
    return { column, ...(cell === undefined ? {} : { cell }), ...(isNumber(value) ? { value } : {}) };
  });
  const what = row?.name ?? 'Score';
  return html`${drawing(points, what, options)}${table(points, what, options)}`;
}

function drawing(points: readonly Point[], what: string, options: LineOptions): Html {
  const values = points.flatMap(({ value }) => value ?? []);
  if (values.length === 0) return html`<p class="quiet">${what} has no value in these evaluations.</p>`;
  const limits = options.sli === undefined ? thresholdsOf(options) : [];
  const [low, high] = rangeOf([...values, ...limits.map(({ value }) => value)], options.sli === undefined);
  const y = (value: number) => round(TOP + (1 - (value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM));
  const x = (nth: number) => round(LEFT + ((nth + 0.5) / points.length) * (WIDTH - LEFT - RIGHT));
  const unit = points.find(({ cell }) => cell?.unit !== undefined)?.cell?.unit;
  const label = `${what} over ${points.length} evaluations, from ${withUnit(Math.min(...values), unit)} to ${withUnit(Math.max(...values), unit)}; the table below has each`;
  return html`<svg class="line" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">
<path d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}" class="axis"/>
<text x="${LEFT - 6}" y="${TOP + 8}" class="end">${sayNumber(high)}</text><text x="${LEFT - 6}" y="${HEIGHT - BOTTOM}" class="end">${sayNumber(low)}</text>
<text x="${LEFT}" y="${HEIGHT - 8}">${points[0]?.column.at.slice(0, 10) ?? ''}</text><text x="${WIDTH - RIGHT}" y="${HEIGHT - 8}" class="end">${points.at(-1)?.column.at.slice(0, 10) ?? ''}</text>
${limits.map(({ name, value }) => html`<path d="M${LEFT} ${y(value)}H${WIDTH - RIGHT}" class="limit"/><text x="${WIDTH - RIGHT}" y="${y(value) - 4}" class="end">${name} ${sayNumber(value)}</text>`)}
${segments(points).map((segment) => html`<polyline points="${segment.map(({ nth, value }) => `${x(nth)},${y(value)}`).join(' ')}" class="curve"/>`)}
${points.map(({ value, column }, nth) => (value === undefined ? undefined : dot(x(nth), y(value), column, options.selected)))}
</svg>`;
}

function thresholdsOf({ thresholds }: LineOptions): { name: string; value: number }[] {
  if (thresholds === undefined) return [];
  const { pass, warning } = thresholds;
  return [{ name: 'pass', value: pass }, ...(isNumber(warning) ? [{ name: 'warn', value: warning }] : [])];
}

/** Scores always have the whole scale; other values a little air. Where all are equal the line is in the middle. */
function rangeOf(values: readonly number[], isScore: boolean): [number, number] {
  if (isScore) return [0, 100];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (low === high) return [low - Math.max(1, Math.abs(low) / 10), high + Math.max(1, Math.abs(high) / 10)];
  return [low, high];
}

function segments(points: readonly Point[]): { nth: number; value: number }[][] {
  const all: { nth: number; value: number }[][] = [[]];
  for (const [nth, { value }] of points.entries()) {
    if (value === undefined) all.push([]);
    else all.at(-1)?.push({ nth, value });
  }
  return all.filter((segment) => segment.length > 1);
}

/** The shape says how it ended: a dot, a triangle, a cross. */
function dot(x: number, y: number, { result, id }: HeatColumn, selected: string | undefined): Html {
  const chosen = id === selected ? html`<circle cx="${x}" cy="${y}" r="8" class="chosen"/>` : undefined;
  if (result === 'pass') return html`${chosen}<circle cx="${x}" cy="${y}" r="3.5" class="dot passed"/>`;
  if (result === 'warning') return html`${chosen}<path d="M${x} ${round(y - 5)}l5 9h-10z" class="dot warning"/>`;
  return html`${chosen}<path d="M${round(x - 4)} ${round(y - 4)}l8 8m0 -8l-8 8" class="mark failed"/>`;
}

function table(points: readonly Point[], what: string, { href, now, selected }: LineOptions): Html {
  const isScore = points.every(({ cell }) => cell === undefined);
  const rows = [...points].reverse().map(({ column, cell, value }) => {
    const { state, word } = RESULT_STATES[column.result];
    const said = cell === undefined ? (value === undefined ? 'not judged' : sayScoreExactly(value)) : cellText(cell);
    const what = column.version ?? column.revision?.slice(0, 8) ?? '';
    return html`<tr${column.id === selected ? html` class="sel"` : undefined}><th scope="row"><a href="${href(column.id)}" data-k="l-${column.id}">${clockTime(column.at, now)}</a>${column.count > 1 ? html` <span class="quiet">worst of ${column.count}</span>` : undefined}</th><td data-label="Version">${what}</td><td data-label="Result">${stateMark(state, word)}</td><td data-label="${isScore ? 'Score' : 'Value'}">${said}</td></tr>`;
  });
  return html`<details><summary>${what} as a table</summary><table class="stack"><thead><tr><th scope="col">Evaluation</th><th scope="col">Version</th><th scope="col">Result</th><th scope="col">${isScore ? 'Score' : 'Value and limits'}</th></tr></thead><tbody>${rows}</tbody></table></details>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
