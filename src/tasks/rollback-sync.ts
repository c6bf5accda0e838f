import { sayDuration } from '../base/duration.ts';
import type { JsonObject } from '../base/json.ts';
import { plannedStep } from '../engine/decide.ts';
import { short } from '../engine/revisions.ts';
import type { SequenceTriggered } from '../events/types.ts';
import { rolledBack } from './rollback-outcome.ts';
import { rollout } from './rollout.ts';
import { sync } from './sync.ts';
import { errored, fail, type TaskInput, type TaskOutcome, type TaskTools } from './task.ts';

/** For plans without these steps; every plan has them. */
const FALLBACK_MS = 3_600_000;

/**
 * Syncs every application of the stage to the last good commit and waits until it is deployed and healthy. A sync of
 * our own and not Argo CD's rollback: that one skips hooks, carries no task id by which a crash could find it again, and
 * is not checked against sync windows when it is asked for (docs/adr/0008-rollback.md). Git still asks for the failed
 * commit, so the application is out of sync from here on; nothing moves it before Git asks for another one.
 */
export async function syncBack(input: TaskInput, tools: TaskTools, good: SequenceTriggered): Promise<TaskOutcome> {
  const back = asDelivery(input, good);
  if (typeof input.task.memo['syncedAt'] === 'string') return watch(back, tools, good);
  const outcome = await sync.run(back, tools);
  if (outcome.kind === 'waiting') return bounded(input, outcome, input.task.triggeredAt, 'sync');
  if (outcome.result === 'fail') return outcome;
  const memo = { ...input.task.memo, syncedAt: input.now.toISOString() };
  return watch({ ...back, task: { ...back.task, memo } }, tools, good);
}

async function watch(back: TaskInput, tools: TaskTools, good: SequenceTriggered): Promise<TaskOutcome> {
  const outcome = await rollout.run(back, tools);
  if (outcome.kind === 'waiting') return bounded(back, outcome, String(back.task.memo['syncedAt']), 'rollout');
  if (outcome.result === 'fail') return outcome;
  const data: JsonObject = { by: 'sync', to: good.revision, goodSequence: good.sequence };
  return rolledBack(`rolled back to ${short(good.revision)} by sync, deployed and healthy`, data);
}

/** The good commit in place of the failed one, and always by a sync of ours. */
function asDelivery(input: TaskInput, good: SequenceTriggered): TaskInput {
  const { sequence, context, place } = input.triggered;
  const triggered = { ...good, sequence, context, place };
  const { plan } = input.sequence;
  const steps = plan?.steps.map((step) => (step.name === 'sync' ? { ...step, mode: 'gated' as const } : step));
  const at = input.sequence.triggered?.at ?? '';
  return {
    ...input,
    triggered,
    sequence: {
      ...input.sequence,
      triggered: { ...triggered, at },
      ...(plan && steps ? { plan: { ...plan, steps } } : {}),
    },
  };
}

/** Each part has the time that it has in a delivery: a stage that stays broken needs a person soon, not in a month. */
function bounded(
  input: TaskInput,
  outcome: Extract<TaskOutcome, { kind: 'waiting' }>,
  since: string,
  part: 'sync' | 'rollout',
): TaskOutcome {
  const limitMs = plannedStep(input.sequence, part)?.timeLimitMs ?? FALLBACK_MS;
  if (input.now.getTime() - Date.parse(since) < limitMs)
    return { ...outcome, memo: { ...input.task.memo, ...outcome.memo } };
  const message = `the ${part} of the good commit did not end within ${sayDuration(limitMs)}: ${outcome.blocker.sentence}`;
  return part === 'rollout' ? fail(message) : errored(message);
}

/** Ends a sync of ours that is still running. */
export async function stopSync(input: TaskInput, tools: TaskTools, good: SequenceTriggered): Promise<void> {
  await sync.stop?.(asDelivery(input, good), tools);
}
