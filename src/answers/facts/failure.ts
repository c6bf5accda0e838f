import { whyNoRetry } from '../../engine/promotion-retry.ts';
import { isGoingBack, wasRolledBack, wasSynced } from '../../engine/rollback.ts';
import type { SequenceState, TaskState } from '../../engine/sequence.ts';
import type { ChangeInput } from '../fact-types.ts';
import type { Failure } from '../spot.ts';
import { oneLine } from '../words.ts';
import { failingIndicator, scoreOf } from './indicator.ts';
import { laterThan } from './neighbours.ts';

/** Kept of what a sequence said at its end; a row shows less, the page of the change all. */
const MAX_MESSAGE = 200;

/** Why a stage failed: at which task, by which number, by whose decision. */
export function failureOf(state: SequenceState, { invalidations = [], neighbours = [] }: ChangeInput): Failure {
  const { finished, abort, triggered } = state;
  const task = failedTask(state);
  const reason = finished?.reason;
  const at = finished?.at ?? '';
  const invalid = invalidations.find(({ evaluation }) => evaluation === task?.id);
  const indicator = invalid ? undefined : failingIndicator(task);
  const score = invalid ? undefined : scoreOf(task);
  const rejection = rejectionIn(task);
  const person = reason === 'aborted' ? abort : rejection;
  const rollback = rollbackIn(state);
  const later = laterThan(state, neighbours);
  const isMended = later.some(
    ({ finished: end, triggered: begun }) =>
      end !== undefined && end.result !== 'fail' && begun?.rollsBack === undefined,
  );
  return {
    at,
    reason: reason === 'rejected' || reason === 'aborted' || reason === 'timed-out' ? reason : 'failed',
    message: oneLine(finished?.message ?? task?.message ?? '').slice(0, MAX_MESSAGE),
    ...(task === undefined ? {} : { task: task.name }),
    ...(person === undefined ? {} : { actor: person.actor, why: oneLine(person.reason).slice(0, MAX_MESSAGE) }),
    ...(indicator === undefined ? {} : { indicator }),
    ...(score === undefined ? {} : { score }),
    ...(invalid === undefined ? {} : { invalid: { actor: invalid.actor, reason: oneLine(invalid.reason) } }),
    ...(rollback === undefined ? {} : { rollback }),
    ...(task?.name === 'promotion' && whyNoRetry(state) === undefined ? { canRetry: true } : {}),
    ...(canGoBack(state) && later.length === 0 && triggered?.rollsBack === undefined ? { canRollBack: true } : {}),
    ...(isMended ? { mended: true } : {}),
  };
}

/** What made it fail: the rollback that follows is told of beside it. */
function failedTask(state: SequenceState): TaskState | undefined {
  const { tasks } = state;
  const failed = tasks.findLast(
    ({ name, result, status }) =>
      name !== 'rollback' && (result === 'fail' || (status !== undefined && status !== 'succeeded')),
  );
  return failed ?? tasks.at(-1);
}

function rejectionIn(task: TaskState | undefined): { actor: string; reason: string } | undefined {
  return (task?.decisions ?? []).findLast(({ verdict }) => verdict === 'reject');
}

function rollbackIn({ tasks }: SequenceState): Failure['rollback'] {
  const task = tasks.findLast(({ name }) => name === 'rollback');
  if (!task || task.finishedAt === undefined) return undefined;
  if (task.result === 'pass') return 'done';
  return task.data?.['notRolledBack'] === true ? 'not done' : 'failed';
}

function canGoBack(state: SequenceState): boolean {
  return wasSynced(state) && !wasRolledBack(state) && !isGoingBack(state);
}
