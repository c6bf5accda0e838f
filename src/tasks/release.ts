import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { clip } from '../base/clip.ts';
import { isTakenBack } from '../engine/canary.ts';
import { plannedStep } from '../engine/decide.ts';
import { judgeRollout, short } from '../engine/rollout.ts';
import { type Application, applicationKey } from '../events/application.ts';
import { overallOutcome } from './each-application.ts';
import { isThere, pausedRollouts, rolloutsOf, sayPaused } from './paused-rollout.ts';
import { otherCommit, questionOf } from './rollout.ts';
import { pass, type TaskHandler, type TaskInput, type TaskOutcome, type TaskTools, waiting } from './task.ts';

const POLL_MS = 2_000;

/**
 * Lets a paused canary go on once it was judged, and waits until it is deployed and healthy; or aborts it where the
 * judgement was a no, or somebody aborted the change. An action is run only on what is paused right now: on anything else it changes nothing.
 */
export const release: TaskHandler = {
  name: 'release',
  run: (input, tools) => overallOutcome(input, tools, isTakenBack(input.sequence) ? takeBack : letGoOn),
};

async function letGoOn(
  input: TaskInput,
  _tools: TaskTools,
  system: DeliverySystem,
  application: Application,
): Promise<TaskOutcome> {
  const settleMs = plannedStep(input.sequence, 'rollout')?.settleMs ?? 0;
  const key = applicationKey(application.ref);
  const remembered = (input.task.memo['healthySince'] ?? {}) as Record<string, string>;
  const since = remembered[key];
  const judgement = judgeRollout(application, {
    ...questionOf(input),
    settleMs,
    now: input.now.toISOString(),
    ...(since === undefined ? {} : { healthySince: since }),
  });
  if (judgement.kind === 'failed') return otherCommit(application, input.triggered, judgement.sentence);
  const resumed = await actOnPaused(input, system, application, 'resume');
  if (resumed) return resumed;
  if (judgement.kind === 'deployed') {
    return pass(`${short(input.triggered.revision)} was promoted: deployed and healthy`, {
      images: application.images,
    });
  }
  const { [key]: _, ...others } = remembered;
  const healthySince = judgement.healthySince ? { ...others, [key]: judgement.healthySince } : others;
  const sentence = judgement.healthySince ? `healthy, settling for ${settleMs / 1000} s` : judgement.sentence;
  return waiting({ kind: 'health', sentence }, POLL_MS, { healthySince });
}

async function takeBack(
  input: TaskInput,
  _tools: TaskTools,
  system: DeliverySystem,
  application: Application,
): Promise<TaskOutcome> {
  const aborted = await actOnPaused(input, system, application, 'abort');
  if (aborted) return aborted;
  const moving = await onItsWay(input, system, application);
  if (moving) return moving;
  const { aborted: ours } = input.task.memo;
  return ours === true
    ? pass('the canary was taken back', { aborted: true })
    : pass('no canary is left waiting', { aborted: false });
}

/** Between two pauses nothing can be aborted that is not about to be through: what was stopped is at its next pause. */
async function onItsWay(
  input: TaskInput,
  system: DeliverySystem,
  application: Application,
): Promise<TaskOutcome | undefined> {
  if (!input.sequence.abort || application.health.status !== 'Progressing') return undefined;
  const asked = { ...questionOf(input), settleMs: 0, now: input.now.toISOString() };
  if (judgeRollout(application, asked).kind === 'failed') return undefined;
  const rollouts = (await rolloutsOf(input, system, application)).filter(
    ({ health }) => health?.status === 'Progressing',
  );
  const [first] = rollouts;
  if (first === undefined) return undefined;
  const sentence = clip(`Rollout ${first.name} is moving, and is aborted at its next pause`);
  return waiting({ kind: 'health', sentence }, POLL_MS, input.task.memo);
}

/** Runs the action, and looks again: that it was accepted does not say that it happened. */
async function actOnPaused(
  input: TaskInput,
  system: DeliverySystem,
  application: Application,
  action: 'resume' | 'abort',
): Promise<TaskOutcome | undefined> {
  // A newer commit's canary is not ours to judge.
  if (!isThere(application, questionOf(input), input.now)) return undefined;
  const paused = await pausedRollouts(input, system, application);
  const [first] = paused;
  if (first === undefined) return undefined;
  for (const resource of paused)
    await input.effect(action, async () => system.act?.(application.ref, resource, action, input));
  const verb = action === 'resume' ? 'let go on' : 'aborted';
  const memo = action === 'abort' ? { ...input.task.memo, aborted: true } : input.task.memo;
  const sentence = `${sayPaused(first, paused.length)}, and is being ${verb}`;
  return waiting({ kind: 'health', sentence }, POLL_MS, memo);
}
