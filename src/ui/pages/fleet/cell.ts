import type { State } from '../../../answers/change-row.ts';
import { type FleetService, type FleetUnit, labelOf, stageNamed } from '../../../views/fleet.ts';
import { behindOf } from '../../../views/fleet-drift.ts';
import { type Content, type Html, html, joined, link } from '../../html.ts';
import { sayScoreExactly } from '../../parts/criteria.ts';
import { stateMark } from '../../parts/state.ts';
import { sayAge } from '../../parts/time.ts';
import { evaluationsAddress } from '../evaluations/address.ts';

/** How something runs: the worse of its health and of whether it is what Git says. */
export interface UnitLook {
  state: State;
  /** Absent: all is well, and the mark says so. */
  word?: string;
}

const HEALTHS: Readonly<Record<FleetUnit['health'], UnitLook>> = {
  Healthy: { state: 'passed' },
  Progressing: { state: 'running', word: 'Progressing' },
  Degraded: { state: 'failed', word: 'Degraded' },
  Suspended: { state: 'waiting', word: 'Suspended' },
  Missing: { state: 'failed', word: 'Missing' },
  Unknown: { state: 'unknown', word: 'Not known' },
};
const SEVERITY: readonly State[] = ['failed', 'unknown', 'warning', 'waiting', 'running', 'passed'];

export function lookOf({ health, sync, system }: FleetUnit, silent: ReadonlyMap<string, string>): UnitLook {
  if (silent.has(system)) return { state: 'unknown', word: 'No signal' };
  const look = HEALTHS[health] ?? HEALTHS.Unknown;
  return look.state === 'passed' && sync === 'OutOfSync' ? { state: 'warning', word: 'Out of sync' } : look;
}

export interface CellContext {
  service: FleetService;
  silent: ReadonlyMap<string, string>;
  now: string;
  /** The column names the cluster already. */
  byCluster: boolean;
}

/** What runs in one cell: one line per version, the worst first. */
export function cell(units: readonly FleetUnit[], context: CellContext): Html | undefined {
  if (units.length === 0) return undefined;
  const lines = [...groupedByLabel(units)].map(([, some]) => line(some, units.length, context));
  const stages = [...new Set(units.map(({ stage }) => stage))];
  const [only] = stages;
  return html`${lines}${stages.length === 1 && only !== undefined ? score(context.service, only) : undefined}`;
}

function groupedByLabel(units: readonly FleetUnit[]): Map<string, FleetUnit[]> {
  const groups = new Map<string, FleetUnit[]>();
  for (const unit of units) groups.set(labelOf(unit), [...(groups.get(labelOf(unit)) ?? []), unit]);
  return groups;
}

function line(units: readonly FleetUnit[], whole: number, { service, silent, now, byCluster }: CellContext): Html {
  const looks = units.map((unit) => lookOf(unit, silent));
  const worst = looks.reduce((a, b) => (SEVERITY.indexOf(b.state) < SEVERITY.indexOf(a.state) ? b : a));
  const [unit] = units;
  if (unit === undefined) return html``;
  const behind = behindOf(unit, service);
  const where = byCluster || whole === 1 ? undefined : sayWhere(units, whole);
  const notes: Content[] = [
    where,
    sayWord(units, looks, worst),
    behind !== undefined && `${behind.count} behind, ${sayAge(Date.parse(now) - Date.parse(behind.since))}`,
  ];
  const mark = stateMark(worst.state, labelOf(unit));
  const named = unit.link === undefined || units.length > 1 ? mark : link(unit.link, mark);
  const well = worst.word === undefined ? html`<span class="unseen"> healthy</span>` : undefined;
  const said = joined(notes, ', ');
  return html`<div>${named}${well}${said.text === '' ? undefined : html` <span class="quiet">${said}</span>`}</div>`;
}

/** Of several that run the same, which are not well. */
function sayWord(units: readonly FleetUnit[], looks: readonly UnitLook[], worst: UnitLook): string | undefined {
  const those = units.filter((_, at) => looks[at]?.word === worst.word);
  if (worst.word === undefined || those.length === units.length) return worst.word;
  const [one, ...others] = those;
  return `${worst.word}: ${one?.cluster ?? ''}${others.length === 0 ? '' : ` and ${others.length} more`}`;
}

/** `eu-1, eu-2`; where that is all of them, or too many, how many. */
function sayWhere(units: readonly FleetUnit[], whole: number): string {
  const clusters = [...new Set(units.map(({ cluster }) => cluster))];
  if (units.length === whole) return `${whole} clusters`;
  return clusters.length <= 2 ? clusters.join(', ') : `${units.length} of ${whole} clusters`;
}

function score(service: FleetService, stage: string): Html | undefined {
  const found = stageNamed(service, stage)?.evaluation;
  if (found === undefined) return undefined;
  const { project, service: name } = service;
  const text = found.score === undefined ? 'not judged' : sayScoreExactly(found.score);
  const state: State =
    found.result === 'pass'
      ? 'passed'
      : found.result === 'warning'
        ? 'warning'
        : found.result === 'fail'
          ? 'failed'
          : 'unknown';
  return html`<div><a class="score" href="${evaluationsAddress({ project, stage, service: name }, { e: found.id })}"><span class="unseen">${name} in ${stage}, score </span>${stateMark(state, text)}</a></div>`;
}
