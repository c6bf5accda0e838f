import type { Cell, State } from '../../answers/change-row.ts';
import { type Content, type Html, html, joined } from '../html.ts';
import { sayScore } from '../parts/number.ts';
import { stateMark, stateWord } from '../parts/state.ts';

/** More stages than this are told by class. */
const MOST_STAGES = 5;

/** Where a change is: one entry per stage in the order of the delivery, or per class of stages where there are many. */
export function whereCells(cells: readonly Cell[]): Html {
  const entries = cells.length > MOST_STAGES ? groups(cells) : cells.map((cell) => [cell]);
  const items = entries.map((entry) =>
    entry.length === 1 ? one(entry[0] as Cell) : group(classOf((entry[0] as Cell).stage), entry),
  );
  return html`<ul class="cells${entries.length > 4 ? ' many' : ''}">${items}</ul>`;
}

function one(cell: Cell): Html {
  const { stage, state, score, detail } = cell;
  const facts: Content[] = [versions(cell), score === undefined ? undefined : sayScore(score)];
  const about = [detail, score === undefined ? undefined : `score ${sayScore(score)} of 100`];
  return item(stage, state, facts, clusters(cell), about.filter((one) => one !== undefined).join(', '));
}

function item(name: string, state: State, facts: Content[], further: string | undefined, about = ''): Html {
  const told = joined(facts, ' ');
  return html`<li${about === '' ? '' : html` title="${about}"`}>${name} ${stateMark(state)}${told.text === '' ? undefined : html` <span class="facts">${told}</span>`}${further === undefined ? undefined : html` <span class="facts">${further}</span>`}</li>`;
}

const LONG_PAIR = 10;

/** `1.8.1→1.8.2` where it takes the place of another, `4.1.9 kept` where it did not. */
function versions({ version, previous, state }: Cell): Content {
  if (version === undefined && previous === undefined) return undefined;
  if (version === undefined || version === previous) return version ?? previous;
  if (previous === undefined) return version;
  if (state === 'passed' || state === 'warning') return version;
  if (state === 'failed') return `${previous} kept`;
  // Long names break between the two, never within one.
  const gap = previous.length + version.length > LONG_PAIR ? html`<wbr>` : undefined;
  return html`${previous}→${gap}${version}`;
}

/** `2 of 4 clusters: us-1 no signal`. */
function clusters({ clusters: all, state }: Cell): string | undefined {
  if (all === undefined || all.length < 2) return undefined;
  const behind = all.filter((cluster) => cluster.state !== 'passed');
  const laggard = worst(behind);
  if (laggard === undefined || state === 'idle') return `${all.length} clusters`;
  return `${all.length - behind.length} of ${all.length} clusters: ${laggard.name} ${stateWord(laggard.state).toLowerCase()}`;
}

/** The worst first: what a group of stages or clusters is called by. */
const SEVERITY: readonly State[] = [
  'failed',
  'waiting',
  'unknown',
  'warning',
  'running',
  'queued',
  'idle',
  'skipped',
  'superseded',
  'passed',
];

function worst<T extends { state: State }>(all: readonly T[]): T | undefined {
  return all.toSorted((a, b) => SEVERITY.indexOf(a.state) - SEVERITY.indexOf(b.state))[0];
}

function group(name: string, cells: readonly Cell[]): Html {
  const laggard = worst(cells) as Cell;
  const passed = cells.filter(({ state }) => state === 'passed').length;
  if (passed === cells.length) return item(name, 'passed', [`${passed} of ${passed} stages`], undefined);
  return item(name, laggard.state, [`${passed} of ${cells.length} stages: ${laggard.stage}`], clusters(laggard));
}

type StageClass = 'dev' | 'test' | 'prod';

/** Neighbours of one class come together; the order of the delivery stays. */
function groups(cells: readonly Cell[]): Cell[][] {
  const found: Cell[][] = [];
  for (const cell of cells) {
    const last = found.at(-1);
    if (last?.[0] && classOf(last[0].stage) === classOf(cell.stage)) last.push(cell);
    else found.push([cell]);
  }
  return found;
}

/** By the names that people give stages. */
function classOf(stage: string): StageClass {
  if (/prod|live|^prd/i.test(stage) && !/pre-?prod|non-?prod/i.test(stage)) return 'prod';
  return /dev|sandbox|local|^ci$/i.test(stage) ? 'dev' : 'test';
}
