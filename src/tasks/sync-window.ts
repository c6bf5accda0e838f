import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { AdapterError, type FailureReason } from '../base/adapter-error.ts';
import type { JsonObject } from '../base/json.ts';
import { sayClosed } from '../engine/sync-window-words.ts';
import { allows, forecast, type SyncedBy } from '../engine/sync-windows.ts';
import type { Application, Operation } from '../events/application.ts';
import type { SyncWindows } from '../events/sync-windows.ts';
import { type TaskInput, type TaskOutcome, waiting } from './task.ts';

/** Windows are asked again this often until they open: somebody may change them meanwhile. */
const ASK_AGAIN_MS = 60_000;
/** Without knowing when. */
const POLL_MS = 15_000;
/** Argo CD rounds to seconds: at the very moment it may still say no. */
const AFTER_MS = 1_000;

/**
 * What keeps a sync from starting: a closed window, until when, and because of which. `undefined` when it may start, and
 * where the windows cannot be read, because the delivery system obeys its windows whether we know them or not.
 */
export async function closedWindow(
  input: Pick<TaskInput, 'now' | 'signal'>,
  system: DeliverySystem,
  { ref }: Application,
  by: SyncedBy,
  memo?: JsonObject,
): Promise<TaskOutcome | undefined> {
  const windows = await readWindows(input, system, ref);
  if (windows === undefined) return undefined;
  const open = by === 'request' ? windows.open : allows(windows.windows, by);
  return open ? undefined : closedOutcome(windows, by, input.now, memo);
}

/** Auto-sync is on, but a window keeps the system from syncing by itself: the sync is left to whoever asks for it. */
export async function isAutoSyncHeld(
  input: Pick<TaskInput, 'signal'>,
  system: DeliverySystem,
  { ref }: Application,
): Promise<boolean> {
  const windows = await readWindows(input, system, ref);
  return windows !== undefined && !allows(windows.windows, 'itself');
}

/** The same after the delivery system has said so itself; then it waits, whatever its windows say by now. */
export async function refusedByWindow(
  input: Pick<TaskInput, 'now' | 'signal'>,
  system: DeliverySystem,
  { ref }: Application,
  by: SyncedBy,
  memo?: JsonObject,
): Promise<TaskOutcome> {
  const windows = await readWindows(input, system, ref);
  return closedOutcome(windows ?? { open: false, windows: [], owner: '' }, by, input.now, memo);
}

/** A running operation that a window has stopped: it goes on by itself when the window opens. */
export function isHeldByWindow(operation: Operation | undefined): boolean {
  return operation?.phase === 'Running' && /blocked by sync window/i.test(operation.message);
}

function closedOutcome(windows: SyncWindows, by: SyncedBy, now: Date, memo: JsonObject | undefined): TaskOutcome {
  const told = forecast(windows.windows, now, by);
  // Where our own reckoning does not agree with what the system says of now, it is no good for later either.
  const until = told?.open === false ? told.changesAt : undefined;
  const blocker = {
    kind: 'window',
    sentence: sayClosed(windows, by, now, until),
    ...(until === undefined ? {} : { until }),
  } as const;
  return waiting(blocker, untilAskedAgain(until, now), memo);
}

function untilAskedAgain(until: string | undefined, now: Date): number {
  if (until === undefined) return POLL_MS;
  return Math.max(AFTER_MS, Math.min(ASK_AGAIN_MS, Date.parse(until) - now.getTime() + AFTER_MS));
}

const NOT_TOLD: ReadonlySet<FailureReason> = new Set(['forbidden', 'not-found', 'rejected', 'bad-response']);

async function readWindows(
  { signal }: Pick<TaskInput, 'signal'>,
  system: DeliverySystem,
  ref: Application['ref'],
): Promise<SyncWindows | undefined> {
  try {
    return await system.windows?.(ref, { signal });
  } catch (error) {
    if (error instanceof AdapterError && NOT_TOLD.has(error.reason)) return undefined;
    throw error;
  }
}
