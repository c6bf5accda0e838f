import type { ApplicationResource, DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { clip } from '../base/clip.ts';
import type { JsonObject } from '../base/json.ts';
import { plannedStep } from '../engine/decide.ts';
import { short } from '../engine/revisions.ts';
import { judgeRollout, type RolloutQuestion } from '../engine/rollout.ts';
import { systemName } from '../engine/system-name.ts';
import { type Application, applicationKey } from '../events/application.ts';
import { fail, pass, type TaskInput, type TaskOutcome, waiting } from './task.ts';

/** Somebody lets it go on, and nobody tells us. */
const POLL_MS = 5_000;

/** The Rollouts (of Argo Rollouts) of an application that stand still until somebody lets them go on. */
export async function pausedRollouts(
  { signal }: Pick<TaskInput, 'signal'>,
  system: DeliverySystem,
  application: Application,
): Promise<ApplicationResource[]> {
  if (application.health.status !== 'Suspended') return [];
  return (await rolloutsOf({ signal }, system, application)).filter(({ health }) => health?.status === 'Suspended');
}

export async function rolloutsOf(
  { signal }: Pick<TaskInput, 'signal'>,
  system: DeliverySystem,
  { ref }: Application,
): Promise<ApplicationResource[]> {
  const resources = (await system.resources?.(ref, { signal })) ?? [];
  return resources.filter(({ group, kind }) => group === 'argoproj.io' && kind === 'Rollout');
}

/**
 * What the stage says about a Rollout that is paused with the commit deployed: wait for somebody, fail, or be through
 * for now, so that the canary is tested and judged. `undefined`: nothing is paused.
 */
export async function atPause(
  input: TaskInput,
  system: DeliverySystem,
  application: Application,
  question: Omit<RolloutQuestion, 'now' | 'settleMs'>,
): Promise<TaskOutcome | undefined> {
  if (!isThere(application, question, input.now)) return undefined;
  const paused = await pausedRollouts(input, system, application);
  const [first] = paused;
  if (first === undefined) return undefined;
  const policy = plannedStep(input.sequence, 'rollout')?.paused ?? 'wait';
  const what = sayPaused(first, paused.length);
  if (policy === 'fail') return fail(`${what}, and the stage takes that for a failure`);
  if (policy === 'promote' && system.act) {
    const revision = short(input.triggered.revision);
    return pass(`${revision} runs as a canary: ${what}`, { paused: paused.map(({ name }) => name) });
  }
  const sentence = clip(`${what}: promote or abort it in ${systemName(application.ref)}`);
  const left = {
    ...(input.task.memo['paused'] as JsonObject | undefined),
    [applicationKey(application.ref)]: sentence,
  };
  return waiting({ kind: 'health', sentence }, POLL_MS, { ...input.task.memo, paused: left });
}

/** The commit is what is deployed, and its health is newer than its sync. */
export function isThere(
  application: Application,
  question: Omit<RolloutQuestion, 'now' | 'settleMs'>,
  now: Date,
): boolean {
  const asked = { ...question, suspended: 'accept', settleMs: 0, now: now.toISOString() } as const;
  return application.health.status === 'Suspended' && judgeRollout(application, asked).kind === 'deployed';
}

export function sayPaused({ name, health }: ApplicationResource, count = 1): string {
  const reason = health?.message ? ` (${health.message})` : '';
  return count > 1 ? `Rollout ${name} and ${count - 1} more are paused` : `Rollout ${name} is paused${reason}`;
}
