import { AdapterError } from '../base/adapter-error.ts';
import type { JsonObject } from '../base/json.ts';
import { plannedStep } from '../engine/decide.ts';
import type { PromotionTarget } from '../engine/plan.ts';
import { outcomeIn, promotionTargets, type TargetOutcome, targetMemo } from '../engine/promotion.ts';
import { endedBefore } from '../engine/promotion-retry.ts';
import { isAskedFor, isDeployed, sayOther } from '../engine/rollout.ts';
import { lookAtTarget, stopTarget } from './promotion-target.ts';
import { errored, overtaken, type TaskHandler, type TaskInput, type TaskOutcome, type TaskTools } from './task.ts';

/** A target whose host does not answer, while others go on. */
const UNREACHABLE_MS = 60_000;

interface Looked {
  target: PromotionTarget;
  memo: JsonObject;
  /** What this look said, or an earlier one that ended it. */
  outcome: TaskOutcome | { kind: 'ended'; outcome: TargetOutcome } | { kind: 'unreachable'; error: AdapterError };
}

/**
 * Moves the verified commit to the stages that come next: a pull request for each, followed until it is merged or
 * closed. It ends when all of them have.
 */
export const promotion: TaskHandler = {
  name: 'promotion',
  async run(input, tools) {
    const step = plannedStep(input.sequence, 'promotion');
    const targets = step ? promotionTargets(step) : [];
    if (!step || targets.length === 0) return errored('there is nothing to promote');
    const isNew = ({ pullRequest, ready }: JsonObject) => pullRequest === undefined && ready !== true;
    const unopened = targets.some(({ to }) => isNew(targetMemo(input.task, to)));
    const moved = unopened ? await movedOn(input, tools) : undefined;
    const looked: Looked[] = [];
    for (const target of targets) {
      const { memo, outcome: ended } = endedBefore(input.sequence, input.task, target.to);
      const stale = isNew(memo) ? moved : undefined;
      const look = stale ? async () => stale : () => lookAtTarget(input, tools, { step, target, memo });
      const outcome: Looked['outcome'] = ended ? { kind: 'ended', outcome: ended } : await attempt(look);
      looked.push({ target, memo, outcome });
    }
    return together(looked);
  },

  async stop(input, tools) {
    const step = plannedStep(input.sequence, 'promotion');
    for (const { to } of step ? promotionTargets(step) : []) {
      const memo = targetMemo(input.task, to);
      if (!outcomeIn(memo)) await stopTarget(input, tools, memo);
    }
  },
};

async function attempt(look: () => Promise<TaskOutcome>): Promise<Looked['outcome']> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof AdapterError) || error.reason === 'cancelled') throw error;
    return error.retryable ? { kind: 'unreachable', error } : errored(error.message);
  }
}

/** One answer out of one per target: it waits as long as one of them does. */
function together(looked: readonly Looked[]): TaskOutcome {
  const [only] = looked;
  const failure = looked.find(({ outcome }) => outcome.kind === 'unreachable')?.outcome;
  const open = looked.filter(({ outcome }) => outcome.kind === 'waiting' || outcome.kind === 'unreachable');
  // The runtime knows best how long an outage is waited out.
  if (failure?.kind === 'unreachable' && open.every(({ outcome }) => outcome.kind === 'unreachable')) {
    if (looked.length === open.length) throw failure.error;
  }
  if (looked.length === 1 && only?.outcome.kind === 'finished') return only.outcome;
  return open.length === 0 ? allEnded(looked) : stillWaiting(looked, open);
}

function stillWaiting(looked: readonly Looked[], open: readonly Looked[]): TaskOutcome {
  const [first] = open.map(blockerOf);
  const askAgainMs = Math.min(
    ...open.map(({ outcome }) => (outcome.kind === 'waiting' ? outcome.askAgainMs : UNREACHABLE_MS)),
  );
  const targets = Object.fromEntries(looked.map((one) => [one.target.to, memoOf(one)]));
  const blocker = first ?? { kind: 'review' as const, sentence: 'waiting' };
  return { kind: 'waiting', blocker, memo: { targets }, askAgainMs };
}

function blockerOf({ outcome }: Looked) {
  if (outcome.kind === 'waiting') return outcome.blocker;
  const sentence = outcome.kind === 'unreachable' ? outcome.error.message : '';
  return { kind: 'unreachable' as const, sentence };
}

function memoOf({ memo, outcome }: Looked): JsonObject {
  if (outcome.kind === 'waiting') return outcome.memo ?? memo;
  const ended = endOf(outcome);
  return ended ? { ...memo, outcome: ended as unknown as JsonObject } : memo;
}

function endOf(outcome: Looked['outcome']): TargetOutcome | undefined {
  if (outcome.kind === 'ended') return outcome.outcome;
  if (outcome.kind !== 'finished') return undefined;
  const { status, result, message, data = {} } = outcome;
  return { status, result, message, data };
}

/** The worst of them; a target that failed is named first. */
function allEnded(looked: readonly Looked[]): TaskOutcome {
  const ends = looked.flatMap(({ target, outcome }) => {
    const end = endOf(outcome);
    return end ? [{ to: target.to, ...end }] : [];
  });
  const worst =
    ends.find(({ status }) => status === 'errored') ??
    ends.find(({ result, status }) => result === 'fail' && status === 'succeeded') ??
    ends.find(({ status }) => status === 'aborted');
  const message = [...ends].sort((a, b) => Number(b === worst) - Number(a === worst)).map(({ message: one }) => one);
  const data: JsonObject = {
    targets: Object.fromEntries(ends.map(({ to, ...end }) => [to, end as unknown as JsonObject])),
    ...(worst?.status === 'aborted' ? { reason: 'superseded' } : {}),
  };
  const { status, result } = worst ?? { status: 'succeeded' as const, result: 'pass' as const };
  return { kind: 'finished', status, result, message: message.join('; '), data };
}

/** Between the evaluation and now somebody may have deployed something else: then its verdict is about the past. */
async function movedOn({ triggered, signal }: TaskInput, tools: TaskTools): Promise<TaskOutcome | undefined> {
  for (const ref of await tools.history.applications(triggered.place)) {
    const application = await tools.deliverySystem(ref.system)?.read(ref, { signal });
    if (application && isDeployed(application, triggered)) continue;
    const sentence = application ? sayOther(application, triggered) : 'nothing is deployed any more';
    return application && !isAskedFor(application, triggered) ? overtaken(sentence) : errored(sentence);
  }
  return undefined;
}
