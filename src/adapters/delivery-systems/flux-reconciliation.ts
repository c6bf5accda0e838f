import type { JsonObject } from '../../base/json.ts';
import type { Application, Operation } from '../../events/application.ts';
import { REQUESTED_AT } from './flux-kinds.ts';
import { isSuspended } from './flux-source.ts';
import {
  annotationsOf,
  type Condition,
  conditionOf,
  isObserved,
  isSeen,
  objectsAt,
  optional,
  partsOf,
} from './kubernetes-object.ts';

/** How far a controller is with one Kustomization or HelmRelease, in ids of what its source offers. */
export interface Reconciliation {
  phase: Operation['phase'];
  message: string;
  /** Failed, and Flux tries it again by itself. */
  retrying: boolean;
  attempted?: string;
  applied?: string;
  startedAt?: string;
  finishedAt?: string;
  health: Application['health'];
  /** Oldest first. */
  history: Applied[];
}

export interface Applied {
  revision: string;
  /** The commit that an OCI artifact was made of. */
  origin?: string;
  /** Number of a Helm release. */
  id?: number;
  startedAt?: string;
  deployedAt: string;
}

/**
 * Reasons of `Ready=False` that are no failure but a wait. Whatever is not here, reasons of tomorrow included,
 * is a failure.
 */
const WAITS: ReadonlySet<string> = new Set([
  'DependencyNotReady',
  'Progressing',
  'ProgressingWithRetry',
  'ArtifactFailed',
  'SourceNotReady',
  'HelmChartNotReady',
  'OCIRepositoryNotReady',
  'HealthCheckCanceled',
]);

/** The annotation of a team that knows that "applied" is all that Flux will ever say of an object. */
export const ACCEPTS_APPLIED = 'applied';

/** Somebody asked for a reconciliation that the controller has not handled yet. */
export function isRequested(object: JsonObject): boolean {
  const token = annotationsOf(object)[REQUESTED_AT];
  return token !== undefined && token !== partsOf(object).status['lastHandledReconcileAt'];
}

export function waits(ready: Condition): boolean {
  return WAITS.has(ready.reason);
}

/** Why nothing can be said of an object yet, whatever its conditions say; they may be about an older spec. */
export function notYet(object: JsonObject): string | undefined {
  const { generation } = partsOf(object).metadata;
  if (!isSeen(object)) return `Flux has not looked at generation ${String(generation)} yet`;
  return isRequested(object) ? 'a reconciliation was asked for' : undefined;
}

/** Gave up: nothing happens until somebody changes the object. */
export function stalled(object: JsonObject): Condition | undefined {
  const found = conditionOf(object, 'Stalled');
  return found?.status === 'True' ? found : undefined;
}

export function isReconciling(object: JsonObject): boolean {
  return conditionOf(object, 'Reconciling')?.status === 'True';
}

/** `UpgradeFailed: timed out`, for people. */
export function sayCondition({ reason, message }: Condition): string {
  return message === '' ? reason : `${reason}: ${message}`;
}

/**
 * Health by the Ready condition. A suspended object keeps the condition that it had, so it says nothing of
 * today; and where Flux does not wait for what it applied, Ready means no more than applied.
 */
export function healthOf(
  object: JsonObject,
  {
    ready,
    waitsForHealth,
    policy,
  }: { ready: Condition | undefined; waitsForHealth: boolean; policy: string | undefined },
): Application['health'] {
  const since = optional('since', ready?.since);
  if (isSuspended(object)) {
    return { status: 'Unknown', ...since, message: 'suspended: Flux does not look at it, its health is of before' };
  }
  if (!ready) return { status: 'Unknown', message: 'Flux has not reconciled it yet' };
  if (stalled(object)) return { status: 'Degraded', ...since, message: sayCondition(stalled(object) ?? ready) };
  if (ready.status === 'False') return { status: unreadyHealth(ready), ...since, message: sayCondition(ready) };
  if (ready.status === 'Unknown' || !isObserved(object) || isReconciling(object)) {
    return { status: 'Progressing', ...since, message: ready.message };
  }
  if (waitsForHealth) return { status: 'Healthy', ...since };
  if (policy === ACCEPTS_APPLIED)
    return { status: 'Healthy', ...since, message: 'applied; that is accepted as healthy' };
  return {
    status: 'Unknown',
    ...since,
    message: 'applied, but Flux does not wait for health: set spec.wait, or annotate lynceus.dev/health: applied',
  };
}

/** What runs is as it was when the new could not even be applied. */
const UNTOUCHED: ReadonlySet<string> = new Set([
  'BuildFailed',
  'ReconciliationFailed',
  'PruneFailed',
  'InvalidCELExpression',
  'AccessDenied',
  'FeatureGateDisabled',
  'ValuesError',
  'ArtifactFailed',
]);

function unreadyHealth(ready: Condition): Application['health']['status'] {
  if (UNTOUCHED.has(ready.reason)) return 'Unknown';
  return waits(ready) ? 'Progressing' : 'Degraded';
}

/** The newest entry of a history that a test of it finds. */
export function entryOf(object: JsonObject, isIt: (entry: JsonObject) => boolean): JsonObject | undefined {
  return objectsAt(partsOf(object).status['history']).find(isIt);
}
