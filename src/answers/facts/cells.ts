import { isJsonObject } from '../../base/json.ts';
import { inGit } from '../../engine/in-git.ts';
import { promotionsOf } from '../../engine/promotion.ts';
import { wasRolledBack } from '../../engine/rollback.ts';
import { currentTask, finishedTask, type SequenceState, worstResult } from '../../engine/sequence.ts';
import type { Cell, State } from '../change-row.ts';
import type { ChangeInput } from '../fact-types.ts';
import { oneLine } from '../words.ts';
import { versionBefore, versionOf, versionSeen } from './images.ts';
import { scoreOf } from './indicator.ts';

/** Of several clusters, a row names so many. */
const MAX_CLUSTERS = 50;
const MAX_DETAIL = 90;

/** One per stage of the delivery, the ones that the change has not reached included. */
export function cellsOf(
  { sequences, invalidations = [] }: Pick<ChangeInput, 'sequences' | 'invalidations'>,
  stages: readonly string[],
  latest: ReadonlyMap<string, SequenceState>,
): Cell[] {
  const incoming = incomingOf(sequences);
  const commit = commitIn(sequences);
  const invalid = new Map(invalidations.map(({ evaluation, actor }) => [evaluation, actor]));
  let told: string | undefined;
  return stages.map((stage) => {
    const state = latest.get(stage);
    if (!state) return { stage, state: incoming.get(stage) ?? 'idle' };
    // What an earlier stage has seen running is what goes on from there; a way back brings something else.
    const isOnward = state.triggered?.rollsBack === undefined;
    const version = versionSeen(state) ?? (isOnward ? told : undefined) ?? versionOf(state, commit);
    if (isOnward) told = versionSeen(state) ?? told;
    return cellOf(stage, state, version, invalid);
  });
}

/** How stages stand that a promotion leads to and that have not seen the change yet. */
function incomingOf(sequences: readonly SequenceState[]): Map<string, State> {
  const incoming = new Map<string, State>();
  for (const { target, memo, outcome } of sequences.flatMap(promotionsOf)) {
    if (outcome === undefined) incoming.set(target.to, memo['pullRequest'] === undefined ? 'queued' : 'waiting');
    else if (outcome.result === 'pass') incoming.set(target.to, 'queued');
    else incoming.delete(target.to);
  }
  return incoming;
}

/** What people wrote, by the stage where the change began. */
function commitIn(sequences: readonly SequenceState[]): string | undefined {
  const first = sequences.find(({ triggered }) => triggered !== undefined)?.triggered;
  return first && (first.drySha || inGit(first).revision);
}

function cellOf(stage: string, state: SequenceState, version: string, invalid: ReadonlyMap<string, string>): Cell {
  const clusters = clustersOf(state);
  const evaluation = finishedTask(state, 'evaluation');
  const disbelief = evaluation && invalid.get(evaluation.id);
  const score = disbelief === undefined ? scoreOf(evaluation)?.value : undefined;
  const previous = versionBefore(state);
  const detail = detailOf(state, disbelief);
  return {
    stage,
    state: stageState(state),
    version,
    ...(previous === undefined ? {} : { previous }),
    ...(clusters.length > 1 ? { clusters } : {}),
    ...(score === undefined ? {} : { score }),
    ...(detail === undefined ? {} : { detail }),
  };
}

/** How one stage stands, out of its newest sequence. */
export function stageState(state: SequenceState): State {
  const { finished } = state;
  if (finished) {
    if (finished.reason === 'superseded') return 'superseded';
    return finished.result === 'pass' ? 'passed' : finished.result === 'warning' ? 'warning' : 'failed';
  }
  if (state.phase !== 'running') return state.paused ? 'waiting' : 'queued';
  const task = currentTask(state);
  // What it was verified with stands; what is waited for is the next stage.
  if (task?.name === 'promotion') return verdictOf(state);
  if (state.paused) return 'waiting';
  if (!task) return 'running';
  if (task.blocker?.kind === 'unreachable') return 'unknown';
  return task.name === 'approval' || WAITING.has(task.blocker?.kind ?? '') ? 'waiting' : 'running';
}

const WAITING: ReadonlySet<string> = new Set(['budget', 'risk', 'window', 'review', 'conflict', 'stopped', 'approval']);

function verdictOf(state: SequenceState): State {
  const result = worstResult(state);
  return result === 'pass' ? 'passed' : result === 'warning' ? 'warning' : 'failed';
}

function detailOf(state: SequenceState, disbelief: string | undefined): string | undefined {
  if (wasRolledBack(state)) return 'rolled back';
  if (disbelief !== undefined) return oneLine(`verdict declared invalid by ${disbelief}`).slice(0, MAX_DETAIL);
  if (state.override) return oneLine(`let through by ${state.override.actor}`).slice(0, MAX_DETAIL);
  return undefined;
}

/** How each cluster stands, as the task that looked last has kept it. */
function clustersOf(state: SequenceState): NonNullable<Cell['clusters']> {
  const found = state.tasks.toReversed().map(({ memo, data }) => data?.['clusters'] ?? memo?.['clusters']);
  const all = found.find((one) => Array.isArray(one));
  if (!Array.isArray(all)) return [];
  return all
    .filter((one) => isJsonObject(one))
    .slice(0, MAX_CLUSTERS)
    .flatMap(({ name, state: how, syncedAt }) => {
      if (typeof name !== 'string' || !STATES.has(how as State)) return [];
      return [{ name: oneLine(name), state: how as State, ...(typeof syncedAt === 'string' ? { syncedAt } : {}) }];
    });
}

const STATES: ReadonlySet<State> = new Set<State>(['queued', 'running', 'passed', 'failed', 'unknown', 'waiting']);
