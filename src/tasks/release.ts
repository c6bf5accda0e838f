import type { ApplicationResource, DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { clip } from '../base/clip.ts';
import { isJsonObject } from '../base/json.ts';
import { isTakenBack } from '../engine/canary.ts';
import { plannedStep } from '../engine/decide.ts';
import { judgeRollout, short } from '../engine/rollout.ts';
import { type Application, applicationKey } from '../events/application.ts';
import { overallOutcome } from './each-application.ts';
import { isThere, pausedRollouts, rolloutsOf, sayPaused } from './paused-rollout.ts';
import { otherCommit, passed, questionOf } from './rollout.ts';
import { pass, type TaskHandler, type TaskInput, type TaskOutcome, type TaskTools, waiting } from './task.ts';

const POLL_MS = 2_000;

/**
 * Lets a paused canary go on once it was judged, and waits until it is deployed and healthy; or aborts it where the
 * judgement was a no, or somebody aborted the change. Only what is paused right now is let go on.
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
  const resumed = await resumePaused(input, system, application);
  if (resumed) return resumed;
  if (judgement.kind === 'deployed') {
    const sentence = `${short(input.triggered.revision)} was promoted: deployed and healthy`;
    return passed(sentence, input, system, application);
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
  if (isOurs(input, application)) {
    const moving = await standingOrMoving(input, system, application);
    if (moving.length > 0) return act(input, system, application, moving, 'abort');
  }
  if (!wasAborted(input, application)) return pass('no canary is left waiting', { aborted: false });
  if (application.health.status === 'Healthy')
    return pass('the canary was through before it could be taken back', { aborted: false });
  return pass('the canary was taken back', { aborted: true });
}

/** Whether the commit is what is deployed, whatever its health. */
function isOurs(input: TaskInput, application: Application): boolean {
  const asked = { ...questionOf(input), settleMs: 0, now: input.now.toISOString() };
  return judgeRollout({ ...application, health: { status: 'Healthy' } }, asked).kind === 'deployed';
}

/** Argo Rollouts aborts at any time, not only at a pause; one that is through stays as it is. */
async function standingOrMoving(
  input: TaskInput,
  system: DeliverySystem,
  application: Application,
): Promise<ApplicationResource[]> {
  if (application.health.status === 'Healthy') return [];
  // One that does not come up is degraded, and so is one that was aborted.
  const open = wasAborted(input, application) ? [] : ['Degraded'];
  const rollouts = await rolloutsOf(input, system, application);
  return rollouts.filter(({ health }) => ['Suspended', 'Progressing', ...open].includes(health?.status ?? ''));
}

/** Earlier versions kept one word for all applications. */
function wasAborted({ task }: TaskInput, { ref }: Application): boolean {
  const { aborted } = task.memo;
  return aborted === true || (isJsonObject(aborted) && aborted[applicationKey(ref)] === true);
}

/** A newer commit's canary is not ours to judge. */
async function resumePaused(
  input: TaskInput,
  system: DeliverySystem,
  application: Application,
): Promise<TaskOutcome | undefined> {
  if (!isThere(application, questionOf(input), input.now)) return undefined;
  const paused = await pausedRollouts(input, system, application);
  return paused.length === 0 ? undefined : act(input, system, application, paused, 'resume');
}

/** Runs the action, and looks again: that it was accepted does not say that it happened. */
async function act(
  input: TaskInput,
  system: DeliverySystem,
  application: Application,
  rollouts: readonly ApplicationResource[],
  action: 'resume' | 'abort',
): Promise<TaskOutcome> {
  for (const resource of rollouts)
    await input.effect(action, async () => system.act?.(application.ref, resource, action, input));
  const [first] = rollouts as [ApplicationResource];
  const verb = action === 'resume' ? 'let go on' : 'aborted';
  const { memo } = input.task;
  const aborted = {
    ...(isJsonObject(memo['aborted']) ? memo['aborted'] : {}),
    [applicationKey(application.ref)]: true,
  };
  const what =
    first.health?.status === 'Suspended'
      ? sayPaused(first, rollouts.length)
      : `Rollout ${first.name} is ${first.health?.status === 'Progressing' ? 'moving' : 'degraded'}`;
  return waiting({ kind: 'health', sentence: clip(`${what}, and is being ${verb}`) }, POLL_MS, {
    ...memo,
    ...(action === 'abort' ? { aborted } : {}),
  });
}
