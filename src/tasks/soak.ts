import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { sayDuration } from '../base/duration.ts';
import { soakMsOf } from '../engine/decide.ts';
import { judgeRollout } from '../engine/rollout.ts';
import type { Application } from '../events/application.ts';
import { withBurnedBudget } from './attribute-budget.ts';
import { overallOutcome } from './each-application.ts';
import { otherCommit, questionOf } from './rollout.ts';
import { fail, pass, type TaskHandler, type TaskInput, type TaskOutcome, type TaskTools, waiting } from './task.ts';

/** A look in between ends a soak that has failed already. */
const LOOK_EVERY_MS = 30_000;

/** Lets the change run for a while; it fails at once when the application stops being healthy. */
export const soak: TaskHandler = {
  name: 'soak',
  run: async (input, tools) => withBurnedBudget(input, tools, await overallOutcome(input, tools, lookOnce)),
};

async function lookOnce(
  input: TaskInput,
  _tools: TaskTools,
  _system: DeliverySystem,
  application: Application,
): Promise<TaskOutcome> {
  const durationMs = soakMsOf(input.sequence);
  const now = input.now.toISOString();
  const judgement = judgeRollout(application, { ...questionOf(input), settleMs: 0, now });
  if (judgement.kind === 'failed') return otherCommit(application, input.triggered, judgement.sentence);
  if (judgement.kind === 'progressing' && application.health.status === 'Degraded') {
    return fail(`it did not stay healthy while soaking: ${judgement.sentence}`);
  }
  const until = Date.parse(input.task.triggeredAt) + durationMs;
  const left = until - input.now.getTime();
  if (left > 0) {
    const sentence = `soaking for ${sayDuration(durationMs)}`;
    return waiting({ kind: 'soak', sentence, until: new Date(until).toISOString() }, Math.min(left, LOOK_EVERY_MS));
  }
  if (judgement.kind === 'progressing') return waiting({ kind: 'health', sentence: judgement.sentence }, 1_000);
  return pass(`ran for ${sayDuration(durationMs)} and stayed healthy`);
}
