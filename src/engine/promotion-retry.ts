import { isJsonObject, type JsonObject } from '../base/json.ts';
import { outcomeIn, promotionsOf, type TargetOutcome, targetMemo } from './promotion.ts';
import type { SequenceState, TaskState } from './sequence.ts';

/**
 * Why a promotion cannot be taken up again; `undefined`: it can. Who closed or rejected it may have changed their mind, and
 * what kept it from being opened may be mended; what a newer change took the place of is over.
 */
export function whyNoRetry(state: SequenceState): string | undefined {
  const promotions = promotionsOf(state);
  if (promotions.length === 0) return 'it has not come to a promotion in this stage';
  if (state.abort) return 'it was aborted: deliver a new commit instead';
  const ended = promotions.flatMap(({ outcome }) => outcome ?? []);
  if (ended.some(isRetryable)) return undefined;
  if (ended.length < promotions.length) return 'its pull request is open: nothing has to be taken up';
  if (ended.some(({ result, data }) => result === 'fail' && data['mergeSha'] !== undefined))
    return 'it was merged in another way than it was evaluated: deliver a new commit';
  const isOver = ended.some(({ status }) => status === 'aborted');
  return isOver ? 'a newer change took its place' : 'it was promoted already';
}

/** Whether a person asked for a promotion that ended once more. */
export function isTakenUp({ retry }: SequenceState, last: TaskState): boolean {
  return last.name === 'promotion' && last.finishedAt !== undefined && retry !== undefined;
}

/**
 * What a target has come to before this look: in this task, unless somebody asked for it once more, or reached in an earlier
 * one.
 */
export function endedBefore(
  { tasks }: SequenceState,
  task: TaskState,
  to: string,
): { outcome?: TargetOutcome; memo: JsonObject } {
  const memo = targetMemo(task, to);
  const asked = task.decisions.filter(({ verdict }) => verdict === 'retry').length;
  const outcome = outcomeIn(memo);
  if (outcome && isRetryable(outcome) && asked > Number(memo['retries'] ?? 0)) return { memo: { retries: asked } };
  if (outcome || memo['pullRequest'] !== undefined) return outcome ? { outcome, memo } : { memo };
  const earlier = tasks.filter(({ id, name }) => name === 'promotion' && id !== task.id);
  const reached = earlier.map((one) => outcomeOf(one, to)).find((one) => one?.result === 'pass');
  return reached ? { outcome: reached, memo } : { memo };
}

/** When a target was last taken up again; what people decided before was about a pull request that is closed. */
export function takenUpAt({ decisions }: TaskState, { retries }: JsonObject): string {
  return decisions.filter(({ verdict }) => verdict === 'retry')[Number(retries ?? 0) - 1]?.at ?? '';
}

/** What was merged, but not as it was evaluated, is there: no second try makes that right. */
function isRetryable({ status, result, data }: TargetOutcome): boolean {
  return status !== 'aborted' && result === 'fail' && data['mergeSha'] === undefined;
}

/** Of a task that is over. */
function outcomeOf({ data, status, result, message, memo }: TaskState, to: string): TargetOutcome | undefined {
  const { targets } = data;
  if (isJsonObject(targets)) return isJsonObject(targets[to]) ? (targets[to] as unknown as TargetOutcome) : undefined;
  const inMemo = isJsonObject(memo['targets']) ? memo['targets'][to] : undefined;
  const isOnly = inMemo !== undefined || data['to'] === to;
  return isOnly && status && result ? { status, result, message: message ?? '', data } : undefined;
}
