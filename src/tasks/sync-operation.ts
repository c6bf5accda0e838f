import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { clip } from '../base/clip.ts';
import { sayDuration } from '../base/duration.ts';
import type { JsonObject } from '../base/json.ts';
import { plannedStep } from '../engine/decide.ts';
import { isSame, type Revisions, sayInstead, short } from '../engine/revisions.ts';
import { isUnfinished } from '../engine/rollout.ts';
import { systemName } from '../engine/system-name.ts';
import { type Application, applicationKey, type Operation } from '../events/application.ts';
import { errored, fail, pass, type TaskInput, type TaskOutcome, waiting } from './task.ts';

/** A sync that runs is looked at this often when no notification comes. */
export const POLL_MS = 5_000;
/** Right after asking, the system needs a moment to pick the sync up. */
export const SOON_MS = 1_000;
/** Nobody's sync should run longer than this; somebody else's is named then, where the stage says nothing. */
const LONG_MS = 10 * 60_000;
/** A system at work picks a sync up, or ends one, within seconds. */
const STALLED_MS = 2 * 60_000;
const ENDING_MS = 5 * 60_000;

/** A sync of this task that took too long: since when it is being ended, and what it was at. */
interface Ended {
  at: string;
  why: string;
}

/** The sync that this task asked for: followed, ended when it takes too long, and held to what was gated. */
export async function followOurs(
  input: TaskInput,
  system: DeliverySystem,
  application: Application,
  pins: Revisions | undefined,
): Promise<TaskOutcome> {
  const { operation, operationRequested } = application;
  if (operationRequested || !operation) return waitFor(sayRequested(input, application), SOON_MS);
  if (isUnfinished(operation)) return followRunning(input, system, application, operation);
  const ended = endedOf(input, application);
  if (operation.phase !== 'Succeeded' && ended) {
    return fail(`the sync ran longer than ${sayDuration(timeoutMs(input))} and was ended while: ${ended.why}`);
  }
  if (operation.phase !== 'Succeeded') return fail(`the sync ended as ${operation.phase}: ${operation.message}`);
  const wanted = pins ?? input.triggered;
  if (!isSame(operation, wanted)) return fail(`${sayInstead(operation, 'was synced', wanted)}, which was gated`);
  return pass(`synced ${short(wanted.revision)}`);
}

function sayRequested(input: TaskInput, { ref }: Application): string {
  const asked = memoOf(input, 'intents')[applicationKey(ref)];
  const askedAt = typeof asked === 'string' ? asked : undefined;
  if (askedAt === undefined || input.now.getTime() - Date.parse(askedAt) < STALLED_MS) return 'the sync was asked for';
  return `${systemName(ref)} has not picked the sync up since ${sayMoment(askedAt, input.now)}: does its controller run?`;
}

async function followRunning(
  input: TaskInput,
  system: DeliverySystem,
  application: Application,
  operation: Operation,
): Promise<TaskOutcome> {
  const ended = endedOf(input, application);
  if (ended) return followEnding(input, application, ended);
  const key = applicationKey(application.ref);
  if (input.task.blocker?.kind === 'window') {
    // A window held it up to now; only from here on it counts.
    const since = { ...memoOf(input, 'runsSince'), [key]: input.now.toISOString() };
    return waitFor(sayRunning(operation), POLL_MS, { ...input.task.memo, runsSince: since });
  }
  const since = memoOf(input, 'runsSince')[key] ?? operation.startedAt;
  if (operation.phase === 'Running' && input.now.getTime() - Date.parse(String(since)) > timeoutMs(input)) {
    await input.effect('terminate', () => system.terminate(application.ref, input));
    const now: Ended = { at: input.now.toISOString(), why: clip(operation.message || 'in progress', 300) };
    const all = { ...memoOf(input, 'ended'), [key]: { ...now } };
    return waitFor(sayEnding(input), SOON_MS, { ...input.task.memo, ended: all });
  }
  return waitFor(sayRunning(operation), POLL_MS);
}

function followEnding(input: TaskInput, { ref }: Application, ended: Ended): TaskOutcome {
  const forMs = input.now.getTime() - Date.parse(ended.at);
  if (forMs < ENDING_MS) return waitFor(sayEnding(input), SOON_MS);
  return errored(
    `the sync ran longer than ${sayDuration(timeoutMs(input))}, and ${systemName(ref)} has not ended it for ${sayDuration(forMs)}`,
  );
}

function sayEnding(input: TaskInput): string {
  return `the sync ran longer than ${sayDuration(timeoutMs(input))} and is being ended`;
}

/** What a running sync is at, and which attempt of how many it waits to repeat. */
function sayRunning({ retrying, retries = 0, retryLimit, message, phase }: Operation): string {
  if (phase === 'Terminating') return clip(`the sync is being ended by somebody: ${message}`);
  if (!retrying) return clip(`syncing: ${message || 'in progress'}`);
  const of = retryLimit === undefined ? '' : ` of ${retryLimit + 1}`;
  return clip(`attempt ${Math.max(1, retries)}${of} failed, the next follows: ${message}`);
}

/**
 * Somebody else's sync is in the way. It is never ended by us: past the stage's limit the sentence says
 * who runs it, since when, and how a person ends it.
 */
export function waitForOther(input: TaskInput, { operation, ref }: Application): TaskOutcome {
  if (!operation || !isUnfinished(operation)) return waitFor('another sync was asked for', SOON_MS);
  const limitMs = policyOf(input)?.timeoutMs ?? LONG_MS;
  if (ranFor(operation, input.now) <= limitMs) {
    // Automatic, it may well be the one that is waited for.
    if (operation.retrying || (operation.automated && isSame(operation, input.triggered)))
      return waitFor(sayRunning(operation), POLL_MS);
    return waitFor(clip(`another sync is running: ${operation.message || 'in progress'}`), POLL_MS);
  }
  const since = sayMoment(operation.startedAt, input.now);
  const who = operation.by ?? (operation.automated ? systemName(ref) : 'somebody');
  if (operation.phase === 'Terminating') {
    return waitFor(
      clip(`a sync by ${who}, begun ${since}, does not end: see ${systemName(ref)}'s controller`),
      POLL_MS,
    );
  }
  const name = ref.namespace === 'argocd' ? ref.name : `${ref.namespace}/${ref.name}`;
  const how = systemName(ref) === 'Argo CD' ? `; to end it: argocd app terminate-op ${name}` : '';
  return waitFor(clip(`sync by ${who} since ${since}${how}`), POLL_MS);
}

function policyOf(input: TaskInput) {
  return plannedStep(input.sequence, 'sync')?.policy;
}

function timeoutMs(input: TaskInput): number {
  return policyOf(input)?.timeoutMs ?? Number.POSITIVE_INFINITY;
}

/** Each attempt of a retry counts: it is one sync to whoever waits for it. */
function ranFor({ startedAt }: Operation, now: Date): number {
  return now.getTime() - Date.parse(startedAt);
}

function endedOf(input: TaskInput, { ref }: Application): Ended | undefined {
  return memoOf(input, 'ended')[applicationKey(ref)] as Ended | undefined;
}

function memoOf({ task }: TaskInput, key: string): JsonObject {
  return (task.memo[key] ?? {}) as JsonObject;
}

/** `14:05 UTC`, with the day where it is another one: `21 Nov 23:59 UTC`. What is to be done comes after it in the sentence. */
function sayMoment(iso: string, now: Date): string {
  const at = new Date(iso);
  const isToday = at.toISOString().slice(0, 10) === now.toISOString().slice(0, 10);
  return `${isToday ? '' : `${at.getUTCDate()} ${MONTH.format(at)} `}${at.toISOString().slice(11, 16)} UTC`;
}

const MONTH = new Intl.DateTimeFormat('en', { month: 'short', timeZone: 'UTC' });

export function waitFor(sentence: string, askAgainMs: number, memo?: Parameters<typeof waiting>[2]): TaskOutcome {
  return waiting({ kind: 'sync', sentence }, askAgainMs, memo);
}
