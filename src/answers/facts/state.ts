import type { Cell, State } from '../change-row.ts';
import type { ChangeInput, Over } from '../fact-types.ts';
import type { Spot } from '../spot.ts';
import { heardAt } from './spots.ts';

/** How a change as a whole stands. */
export function stateOf(spots: readonly Spot[], over: Over | undefined, cells: readonly Cell[]): State {
  if (spots.some(({ failed, reported }) => failed !== undefined || reported?.state === 'failed')) return 'failed';
  if (over?.how === 'superseded') return 'superseded';
  if (over) return cells.some(({ state }) => state === 'warning') ? 'warning' : 'passed';
  const states = spots.map(spotState);
  return ORDER.find((state) => states.includes(state)) ?? 'idle';
}

/** What wants attention first. */
const ORDER: readonly State[] = ['waiting', 'unknown', 'running', 'queued'];
const FOR_PEOPLE: ReadonlySet<string> = new Set([
  'budget',
  'risk',
  'window',
  'review',
  'conflict',
  'stopped',
  'approval',
]);

function spotState({ stopped, approval, review, step, wait, reported }: Spot): State {
  if (stopped || approval || review) return 'waiting';
  if (wait?.kind === 'unreachable') return 'unknown';
  if (wait && FOR_PEOPLE.has(wait.kind)) return 'waiting';
  if (reported && reported.state !== 'passed') return reported.state === 'idle' ? 'queued' : reported.state;
  return step === 'turn' || wait?.kind === 'queue' ? 'queued' : 'running';
}

/** When anything last happened to it. */
export function movedAtOf({ sequences, reported }: ChangeInput): string {
  const steps = (reported?.steps ?? []).flatMap(({ startedAt, endedAt }) => [startedAt ?? '', endedAt ?? '']);
  const times = [...sequences.map(heardAt), ...steps, reported?.createdAt ?? ''];
  return times.reduce((latest, at) => (at > latest ? at : latest), '');
}
