import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { plannedStep } from '../engine/decide.ts';
import { deployedRevision, INFO, isUnfinished, short } from '../engine/rollout.ts';
import { type Application, applicationKey } from '../events/application.ts';
import { overallOutcome } from './each-application.ts';
import {
  errored,
  fail,
  overtaken,
  pass,
  type TaskHandler,
  type TaskInput,
  type TaskOutcome,
  type TaskTools,
  waiting,
} from './task.ts';

/** A sync that runs is looked at this often when no notification comes. */
const POLL_MS = 5_000;
/** Right after asking, the system needs a moment to pick the sync up. */
const SOON_MS = 1_000;
/** A closed window or a busy application may take long. */
const BLOCKED_MS = 15_000;

/**
 * Gated: asks the delivery system for exactly one sync of exactly the gated commit. Before asking, the
 * application is read back and searched for this task's id, so that a crash, a time-out or a second
 * worker cannot cause a second one. Automatic: waits until the system has synced by itself.
 */
export const sync: TaskHandler = {
  name: 'sync',
  run: (input, tools) => overallOutcome(input, tools, syncOne),

  async stop(input, tools) {
    for (const ref of await tools.history.applications(input.triggered.place)) {
      const system = tools.deliverySystem(ref.system);
      if (!system) continue;
      const application = await system.read(ref, { signal: input.signal });
      const ours = application.operation?.infos[INFO.task] === input.task.id && isUnfinished(application.operation);
      if (ours) await input.effect('terminate', () => system.terminate(ref, input));
    }
  },
};

async function syncOne(
  input: TaskInput,
  _tools: TaskTools,
  system: DeliverySystem,
  application: Application,
): Promise<TaskOutcome> {
  const { revision } = input.triggered;
  if (isOurs(application, input.task.id)) return judgeOurs(application, revision);
  if (isBusy(application))
    return waitFor(`another sync is running: ${application.operation?.message || 'in progress'}`, POLL_MS, keep(input));
  const mode = plannedStep(input.sequence, 'sync')?.mode ?? 'automatic';
  if (isDeployed(application, revision)) return judgeDeployed(application, mode, revision);
  if (mode === 'automatic') return awaitAutomatic(application, revision);
  return ask(input, system, application);
}

function isOurs({ operation, operationRequested }: Application, task: string): boolean {
  // While the request waits to be picked up, the old operation is still shown beside it.
  if (operationRequested) return operationRequested.infos[INFO.task] === task;
  return operation?.infos[INFO.task] === task;
}

function judgeOurs({ operation, operationRequested }: Application, revision: string): TaskOutcome {
  if (operationRequested && !operation) return waitFor('the sync was asked for', SOON_MS);
  if (!operation || isUnfinished(operation) || operationRequested)
    return waitFor(`syncing: ${operation?.message || 'in progress'}`, POLL_MS);
  if (operation.phase !== 'Succeeded') return fail(`the sync ended as ${operation.phase}: ${operation.message}`);
  if (operation.revision !== revision) {
    return fail(`${short(operation.revision ?? 'nothing')} was synced instead of ${short(revision)}, which was gated`);
  }
  return pass(`synced ${short(revision)}`);
}

function isBusy({ operation, operationRequested }: Application): boolean {
  return operationRequested !== undefined || (operation !== undefined && isUnfinished(operation));
}

function isDeployed(application: Application, revision: string): boolean {
  const { operation } = application;
  return operation?.phase === 'Succeeded' && !operation.dryRun && !operation.partial && operation.revision === revision;
}

function judgeDeployed(application: Application, mode: 'gated' | 'automatic', revision: string): TaskOutcome {
  if (mode === 'automatic' || !application.operation?.automated)
    return pass(`${short(revision)} was synced by ${mode === 'automatic' ? 'Argo CD' : 'somebody else'}`);
  return errored(
    'Argo CD synced it by itself, so the checks could not hold it back: turn off auto-sync, or set sync: automatic',
  );
}

function awaitAutomatic(application: Application, revision: string): TaskOutcome {
  const { operation, targetRevision } = application;
  if (operation && operation.revision === revision && operation.phase !== 'Succeeded') {
    return fail(`the sync ended as ${operation.phase}: ${operation.message}`);
  }
  if (targetRevision !== revision && deployedRevision(application) !== revision)
    return overtaken('a newer commit is being synced');
  const who = application.automated ? 'Argo CD has not synced it yet' : 'somebody has to sync it in Argo CD';
  return waitFor(who, POLL_MS);
}

/**
 * The intent is written down before anything is asked, and the answer is never trusted alone: after
 * any doubt the next look finds the task's id, or a sync that replaced ours, or neither.
 */
async function ask(input: TaskInput, system: DeliverySystem, application: Application): Promise<TaskOutcome> {
  if (application.automated) {
    return errored(
      'Argo CD syncs this application by itself, so nothing can be gated: turn off auto-sync, or set sync: automatic',
    );
  }
  const intents = intentsOf(input);
  const key = applicationKey(application.ref);
  const intended = intents[key];
  if (intended === undefined) {
    return waitFor('about to sync', 0, { intents: { ...intents, [key]: input.now.toISOString() } });
  }
  const replaced = replacedSince(application, intended, input.triggered.revision);
  if (replaced) return replaced;
  try {
    await input.effect('sync', () =>
      system.sync(
        application.ref,
        {
          revision: input.triggered.revision,
          prune: plannedStep(input.sequence, 'sync')?.prune ?? false,
          infos: { [INFO.context]: input.triggered.context, [INFO.task]: input.task.id },
        },
        input,
      ),
    );
  } catch (error) {
    return explainRefusal(input, application, error);
  }
  return waitFor('the sync was asked for', SOON_MS, keep(input));
}

function intentsOf({ task }: TaskInput): Record<string, string> {
  return (task.memo['intents'] ?? {}) as Record<string, string>;
}

function keep(input: TaskInput) {
  return { intents: intentsOf(input) };
}

/** A sync that began after our intent and is not ours took our place, if ours ever began: say so, do not guess. */
function replacedSince(
  { operation, history }: Application,
  intended: string,
  revision: string,
): TaskOutcome | undefined {
  // Argo CD's times have second precision.
  const since = Math.floor(Date.parse(intended) / 1000) * 1000;
  const entry = history.findLast((deployment) => Date.parse(deployment.deployedAt) >= since);
  if (entry?.revision === revision) return pass(`synced ${short(revision)} (found in the history)`);
  if (operation && Date.parse(operation.startedAt) > since) {
    return errored('unknown whether it was synced: another sync replaced ours before it could be read back');
  }
  return undefined;
}

/** A refusal is an answer: nothing was started, so the intent is over and the next one begins afresh. */
function explainRefusal(input: TaskInput, { ref }: Application, error: unknown): TaskOutcome {
  if (!(error instanceof AdapterError)) throw error;
  const { [applicationKey(ref)]: _, ...others } = intentsOf(input);
  const memo = { intents: others };
  if (error.reason === 'conflict') return waitFor('another sync is running', POLL_MS, memo);
  if (error.reason === 'forbidden' && /window/.test(error.message)) {
    return waiting({ kind: 'window', sentence: 'an Argo CD sync window is closed' }, BLOCKED_MS, memo);
  }
  throw error;
}

function waitFor(sentence: string, askAgainMs: number, memo?: Parameters<typeof waiting>[2]): TaskOutcome {
  return waiting({ kind: 'sync', sentence }, askAgainMs, memo);
}
