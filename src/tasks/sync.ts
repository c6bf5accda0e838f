import type { DeliverySystem, SyncRequest } from '../adapters/delivery-systems/delivery-system.ts';
import { AdapterError } from '../base/adapter-error.ts';
import type { JsonObject } from '../base/json.ts';
import { plannedStep } from '../engine/decide.ts';
import { isSame, type Revisions, short } from '../engine/revisions.ts';
import { INFO, isAskedFor, isDeployed, isUnfinished, sayHydration } from '../engine/rollout.ts';
import { sayStop, stopFor } from '../engine/stop-the-line.ts';
import { syncsAskedFor } from '../engine/sync-by-hand.ts';
import { systemName } from '../engine/system-name.ts';
import { type Application, applicationKey } from '../events/application.ts';
import { overallOutcome } from './each-application.ts';
import { openLatch, wasDeniedByGate } from './gate-job.ts';
import { followOurs, POLL_MS, SOON_MS, waitFor, waitForOther } from './sync-operation.ts';
import { pinsByTarget, pinsFor } from './sync-pins.ts';
import { closedWindow, isAutoSyncHeld, isHeldByWindow, refusedByWindow } from './sync-window.ts';
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

/** Who ends a stop wakes what waits for it. */
const STOPPED_MS = 60_000;

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
      if (!isOurs(application, input.task.id)) continue;
      // Ended too early, nothing is: an operation is there only once it was picked up. Tried again later.
      if (application.operationRequested)
        throw new AdapterError(
          'conflict',
          `${systemName(ref)} has not picked up the sync of ${ref.name} that is to be ended`,
        );
      if (application.operation && isUnfinished(application.operation))
        await input.effect('terminate', () => system.terminate(ref, input));
    }
  },
};

async function syncOne(
  input: TaskInput,
  tools: TaskTools,
  system: DeliverySystem,
  application: Application,
): Promise<TaskOutcome> {
  if (isHeldByWindow(application.operation))
    return refusedByWindow(
      input,
      system,
      application,
      application.operation?.automated ? 'itself' : 'request',
      keep(input),
    );
  const stopped = await stoppedLine(input, tools);
  const latch = stopped ? undefined : await openLatch(input, system, application);
  if (latch) return latch;
  const pins = pinsFor(application, input.triggered);
  if (isOurs(application, input.task.id)) return followOurs(input, system, application, pins);
  // Where Argo CD began by itself, what asks the gate is still held by this.
  if (stopped && !wasSynced(application, input.triggered)) return stopped;
  if (isBusy(application)) return waitForOther(input, application);
  const hydrating = sayHydration(application, input.triggered.drySha);
  if (hydrating !== undefined) return waitFor(hydrating, POLL_MS, keep(input));
  const mode = plannedStep(input.sequence, 'sync')?.mode ?? 'automatic';
  if (wasSynced(application, input.triggered)) return judgeDeployed(application, mode, input.triggered.revision);
  if (mode === 'automatic') return awaitAutomatic(input, system, application, pins);
  if (!pins) return waitFor(`${systemName(application.ref)} has not resolved all sources yet`, POLL_MS, keep(input));
  if (!application.automated) return ask(input, system, application, pins);
  if (await isAutoSyncHeld(input, system, application)) return askByTarget(input, system, application);
  return errored(
    `${systemName(application.ref)} syncs this application by itself, so nothing can be gated: ${remedyOf(application)}, or set sync: automatic`,
  );
}

/**
 * Nothing new is begun while the line is stopped; what was asked for already goes on, and so does what takes back or was let
 * through by somebody.
 */
async function stoppedLine(
  { triggered, task, sequence }: TaskInput,
  { stops }: TaskTools,
): Promise<TaskOutcome | undefined> {
  const isBegun = Object.keys(task.memo['intents'] ?? {}).length > 0;
  if (isBegun || sequence.override || triggered.rollsBack || triggered.asked?.what === 'rollback') return undefined;
  const stop = stopFor((await stops?.()) ?? [], triggered.place);
  return stop && waiting({ kind: 'stopped', sentence: sayStop(stop) }, STOPPED_MS);
}

function remedyOf({ ref }: Application): string {
  return systemName(ref) === 'Flux' ? 'give it a gate (lynceus.dev/gate)' : 'turn off auto-sync';
}

/** With auto-sync on, Argo CD takes no commit but what the target means: it must mean the gated one right now. */
async function askByTarget(input: TaskInput, system: DeliverySystem, application: Application): Promise<TaskOutcome> {
  if (application.targetRevision === undefined)
    return waitFor(`${systemName(application.ref)} has not resolved its target yet`, POLL_MS, keep(input));
  if (!isAskedFor(application, input.triggered)) return overtaken('Git asks for a newer commit by now');
  return ask(input, system, application, pinsByTarget(application));
}

function isOurs({ operation, operationRequested }: Application, task: string): boolean {
  // While the request waits to be picked up, the old operation is still shown beside it.
  if (operationRequested) return operationRequested.infos[INFO.task] === task;
  return operation?.infos[INFO.task] === task;
}

function isBusy({ operation, operationRequested }: Application): boolean {
  return operationRequested !== undefined || (operation !== undefined && isUnfinished(operation));
}

/** A dry run or a sync of some resources takes the place of the operation; what came before is in the history. */
function wasSynced(application: Application, wanted: Revisions): boolean {
  const { operation } = application;
  const isRealOne = operation !== undefined && !operation.dryRun && !operation.partial;
  if (isRealOne && operation.phase !== 'Succeeded') return false;
  return isDeployed(application, wanted);
}

function judgeDeployed(application: Application, mode: 'gated' | 'automatic', revision: string): TaskOutcome {
  const name = systemName(application.ref);
  if (mode === 'automatic' || !application.operation?.automated)
    return pass(`${short(revision)} was synced by ${mode === 'automatic' ? name : 'somebody else'}`);
  return errored(
    `${name} synced it by itself, so the checks could not hold it back: ${remedyOf(application)}, or set sync: automatic`,
  );
}

async function awaitAutomatic(
  input: TaskInput,
  system: DeliverySystem,
  application: Application,
  pins: Revisions | undefined,
): Promise<TaskOutcome> {
  const { triggered } = input;
  const { operation, ref } = application;
  const isRealOne = operation !== undefined && !operation.dryRun && !operation.partial;
  if (isRealOne && isSame(operation, triggered) && operation.phase !== 'Succeeded') {
    // Argo CD tries no commit twice by itself, however right it is by now.
    if (application.automated && wasDeniedByGate(operation, input.task.triggeredAt))
      return askByTarget(input, system, application);
    return fail(`the sync ended as ${operation.phase}: ${operation.message}`);
  }
  if (!isAskedFor(application, triggered) && !isDeployed(application, triggered))
    return overtaken('a newer commit is being synced');
  const closed = application.automated && (await closedWindow(input, system, application, 'itself'));
  if (closed) return closed;
  const name = systemName(ref);
  if (application.automated) return waitFor(`${name} has not synced it yet`, POLL_MS);
  if (pins && syncsAskedFor(input.task) > refusedIn(input)) return ask(input, system, application, pins);
  return leftToPeople(input, name, { ...keep(input), ...refusals(refusedIn(input)) });
}

/** What was refused is not asked for again, until somebody does so once more. */
function refusedIn({ task }: TaskInput): number {
  return Number(task.memo['refused'] ?? 0);
}

function refusals(refused: number): { refused?: number } {
  return refused === 0 ? {} : { refused };
}

/** The delivery system is to sync, and does not do so without being asked. */
function leftToPeople(input: TaskInput, system: string, memo: JsonObject): TaskOutcome {
  const said = `somebody has to sync it in ${system}`;
  const sentence = refusedIn(input) === 0 ? said : `${said}: it does not let Lynceus`;
  return waiting({ kind: 'sync', sentence, byHand: true }, POLL_MS, memo);
}

/**
 * The intent is written down before anything is asked, and the answer is never trusted alone: after
 * any doubt the next look finds the task's id, or a sync that replaced ours, or neither.
 */
async function ask(
  input: TaskInput,
  system: DeliverySystem,
  application: Application,
  pins: Revisions,
): Promise<TaskOutcome> {
  if (application.deleting) return errored(`the application is being deleted in ${systemName(application.ref)}`);
  const intents = intentsOf(input);
  const key = applicationKey(application.ref);
  const intended = intents[key];
  if (intended === undefined) {
    const closed = await closedWindow(input, system, application, 'request', keep(input));
    if (closed) return closed;
    return waitFor('about to sync', 0, { intents: { ...intents, [key]: input.now.toISOString() } });
  }
  const replaced = replacedSince(application, intended, application.automated ? input.triggered : pins);
  if (replaced) return replaced;
  try {
    await input.effect('sync', () =>
      system.sync(
        application.ref,
        {
          ...pins,
          prune: plannedStep(input.sequence, 'sync')?.prune ?? false,
          ...policyOf(input),
          infos: { [INFO.context]: input.triggered.context, [INFO.task]: input.task.id },
        },
        input,
      ),
    );
  } catch (error) {
    return explainRefusal(input, system, application, error);
  }
  return waitFor('the sync was asked for', SOON_MS, keep(input));
}

/** Only what the stage says; the rest is the application's own. */
function policyOf(input: TaskInput): Pick<SyncRequest, 'policy'> {
  const { options, retry } = plannedStep(input.sequence, 'sync')?.policy ?? {};
  if (options === undefined && retry === undefined) return {};
  return { policy: { ...(options === undefined ? {} : { options }), ...(retry === undefined ? {} : { retry }) } };
}

function intentsOf({ task }: TaskInput): Record<string, string> {
  return (task.memo['intents'] ?? {}) as Record<string, string>;
}

function keep(input: TaskInput) {
  return { intents: intentsOf(input) };
}

/** Argo CD's times end here; Flux' may say more, and compare with an intent of the same second alike. */
function wholeSecond(time: string): number {
  return Math.floor(Date.parse(time) / 1000) * 1000;
}

/** A sync that began after our intent and is not ours took our place, if ours ever began: say so, do not guess. */
function replacedSince(
  { operation, history }: Application,
  intended: string,
  wanted: Revisions,
): TaskOutcome | undefined {
  const since = wholeSecond(intended);
  const entry = history.findLast((deployment) => Date.parse(deployment.deployedAt) >= since);
  if (isSame(entry, wanted)) return pass(`synced ${short(wanted.revision)} (found in the history)`);
  if (operation && wholeSecond(operation.startedAt) > since) {
    return errored('unknown whether it was synced: another sync replaced ours before it could be read back');
  }
  return undefined;
}

/** A refusal is an answer: nothing was started, so the intent is over and the next one begins afresh. */
async function explainRefusal(
  input: TaskInput,
  system: DeliverySystem,
  application: Application,
  error: unknown,
): Promise<TaskOutcome> {
  const { ref } = application;
  if (!(error instanceof AdapterError)) throw error;
  const { [applicationKey(ref)]: _, ...others } = intentsOf(input);
  const memo = { intents: others };
  if (error.reason === 'conflict') return waitFor('another sync is running', POLL_MS, memo);
  if (error.reason === 'forbidden' && /window/.test(error.message)) {
    return refusedByWindow(input, system, application, 'request', memo);
  }
  const asked = syncsAskedFor(input.task);
  if (error.reason === 'forbidden' && asked > 0) {
    const refused = { ...input, task: { ...input.task, memo: { refused: asked } } };
    return leftToPeople(refused, systemName(ref), { ...memo, refused: asked });
  }
  throw error;
}
