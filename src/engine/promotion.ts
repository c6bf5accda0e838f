import { isJsonObject, type JsonObject } from '../base/json.ts';
import type { PlannedTask, PromotionTarget } from './plan.ts';
import { currentTask, finishedTask, type SequenceState, type TaskState } from './sequence.ts';

export type PromotionStep = Extract<PlannedTask, { name: 'promotion' }>;

/** Where a planned promotion leads; in older logs it leads to one stage. */
export function promotionTargets({ targets, to, branch }: PromotionStep): PromotionTarget[] {
  if (targets !== undefined) return targets;
  return to === undefined || branch === undefined ? [] : [{ to, branch }];
}

/** What the task remembers of one target; in older logs there was one only. */
export function targetMemo({ memo }: TaskState, to: string): JsonObject {
  const { targets } = memo;
  if (targets === undefined) return memo;
  const found = isJsonObject(targets) ? targets[to] : undefined;
  return isJsonObject(found) ? found : {};
}

/** One target of a promotion, as far as it has come. */
export interface PromotionState {
  task: TaskState;
  target: PromotionTarget;
  /** `pullRequest`, `url`, `reviews`, `head`, `revert`, `hydrated`; empty until it is open. */
  memo: JsonObject;
  /** Of this target, once it ended. */
  outcome?: TargetOutcome;
}

export interface TargetOutcome {
  status: NonNullable<TaskState['status']>;
  result: NonNullable<TaskState['result']>;
  message: string;
  /** `pullRequest`, `url`, `to`, `mergeSha`. */
  data: JsonObject;
}

/** All targets of a sequence's promotion; none where it has not come so far. */
export function promotionsOf(state: SequenceState): PromotionState[] {
  const step = state.plan?.steps.find((planned): planned is PromotionStep => planned.name === 'promotion');
  const current = currentTask(state);
  const task = current?.name === 'promotion' ? current : finishedTask(state, 'promotion');
  if (!step || !task) return [];
  return promotionTargets(step).map((target) => {
    const memo = targetMemo(task, target.to);
    const outcome = outcomeOf(task, memo, target.to);
    return { task, target, memo, ...(outcome === undefined ? {} : { outcome }) };
  });
}

/** A target may have ended before the task did. */
export function outcomeIn(memo: JsonObject): TargetOutcome | undefined {
  return isJsonObject(memo['outcome']) ? (memo['outcome'] as unknown as TargetOutcome) : undefined;
}

function outcomeOf(task: TaskState, memo: JsonObject, to: string): TargetOutcome | undefined {
  const ended = outcomeIn(memo);
  if (ended || task.finishedAt === undefined) return ended;
  const { status = 'errored', result = 'fail', message = '', data } = task;
  const { targets } = data;
  if (!isJsonObject(targets)) return { status, result, message, data };
  return isJsonObject(targets[to]) ? (targets[to] as unknown as TargetOutcome) : undefined;
}
