import type { ApplicationResource, DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { isSame } from '../engine/revisions.ts';
import { isAskedFor, isUnfinished } from '../engine/rollout.ts';
import type { Application, Operation } from '../events/application.ts';
import type { SequenceTriggered } from '../events/types.ts';
import { type TaskInput, type TaskOutcome, type TaskTools, waiting } from './task.ts';

/** Only Jobs with this name are ours: other hooks of a team wait and fail for reasons of their own. */
const OURS = /^lynceus-gate(?:-|$)/;
const SOON_MS = 1_000;
/** By then Argo CD has begun to sync a commit that it syncs by itself, or something holds it. */
const BEGINS_WITHIN_MS = 60_000;

/**
 * A sync that failed because its gate's Job was told no, and began before the gate let the change through: Argo CD never
 * tries that commit again by itself.
 */
export function wasDeniedByGate(operation: Operation, gateOpenedAt: string): boolean {
  const { phase, failedHooks = [] } = operation;
  if (phase !== 'Failed' && phase !== 'Error') return false;
  return (
    failedHooks.length > 0 &&
    failedHooks.every((name) => OURS.test(name)) &&
    Date.parse(operation.startedAt) <= Date.parse(gateOpenedAt)
  );
}

/** The gate is open: a suspended Job that holds the sync of this commit is resumed. `undefined`: there is none. */
export async function openLatch(
  input: TaskInput,
  system: DeliverySystem,
  application: Application,
): Promise<TaskOutcome | undefined> {
  const latches = await latchesOf(input, system, application, input.triggered);
  const [first] = latches;
  if (first === undefined) return undefined;
  for (const latch of latches)
    await input.effect('open-latch', async () => system.act?.(application.ref, latch, 'resume', input));
  return waiting({ kind: 'sync', sentence: `the gate is open: Job ${first.name} was resumed` }, SOON_MS);
}

/**
 * The gate will not open any more: a Job that still waits for it is terminated, so that it blocks no other sync. Answers
 * whether another one may come to wait: Argo CD begins a sync, or tries one that failed again, when it likes.
 */
export async function closeLatches(input: TaskInput, tools: TaskTools): Promise<boolean> {
  let mayWait = false;
  for (const ref of await tools.history.applications(input.triggered.place)) {
    const system = tools.deliverySystem(ref.system);
    if (!system?.act) continue;
    const application = await system.read(ref, { signal: input.signal });
    for (const latch of await latchesOf(input, system, application, input.triggered))
      await input.effect('close-latch', async () => system.act?.(ref, latch, 'terminate', input));
    mayWait ||= mayHaveLatch(input, application);
  }
  return mayWait;
}

function mayHaveLatch({ sequence, triggered, now }: TaskInput, application: Application): boolean {
  const { operation, automated } = application;
  // An attempt that has just begun does not say yet which commit it is for.
  if (operation && (isSame(operation, triggered) || operation.revision === undefined)) return isUnfinished(operation);
  const overForMs = now.getTime() - Date.parse(sequence.finished?.at ?? '');
  return automated && isAskedFor(application, triggered) && overForMs < BEGINS_WITHIN_MS;
}

/** A Job that was told to wait is suspended; its operation says that it waits for it, and for which commit it runs. */
async function latchesOf(
  { signal }: Pick<TaskInput, 'signal'>,
  system: DeliverySystem,
  { ref, operation }: Application,
  wanted: Pick<SequenceTriggered, 'revision' | 'revisions'>,
): Promise<ApplicationResource[]> {
  if (operation?.phase !== 'Running' || !operation.message.includes('lynceus-gate')) return [];
  if (!system.act || !isSame(operation, wanted)) return [];
  const resources = (await system.resources?.(ref, { signal })) ?? [];
  return resources.filter(
    ({ group, kind, name, health }) =>
      group === 'batch' && kind === 'Job' && OURS.test(name) && health?.status === 'Suspended',
  );
}
