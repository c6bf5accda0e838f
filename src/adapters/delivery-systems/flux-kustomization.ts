import type { JsonObject } from '../../base/json.ts';
import {
  ACCEPTS_APPLIED,
  type Applied,
  entryOf,
  healthOf,
  notYet,
  type Reconciliation,
  sayCondition,
  stalled,
  waits,
} from './flux-reconciliation.ts';
import { isSuspended, revisionId } from './flux-source.ts';
import {
  type Condition,
  conditionOf,
  isObserved,
  objectAt,
  objectsAt,
  optional,
  partsOf,
  timeAt,
} from './kubernetes-object.ts';

/** How far kustomize-controller is with a Kustomization; `undefined` before it looked at it for the first time. */
export function reconciliationOfKustomization(
  object: JsonObject,
  policy: string | undefined,
): Reconciliation | undefined {
  const { status } = partsOf(object);
  const ready = conditionOf(object, 'Ready');
  const attempted = revisionId(status['lastAttemptedRevision']);
  const applied = revisionId(status['lastAppliedRevision']);
  if (!ready && attempted === undefined && !stalled(object)) return undefined;
  const entry = entryOf(object, (one) => revisionId(objectAt(one['metadata'])['revision']) === attempted);
  const phase = phaseOf(object, attempted !== undefined && attempted === applied);
  return {
    ...phase,
    ...optional('attempted', attempted),
    ...optional('applied', applied),
    // By its history, because the condition changes with every interval.
    ...optional('startedAt', timeAt(entry?.['firstReconciled']) ?? ready?.since),
    ...optional('finishedAt', phase.phase === 'Running' ? undefined : ready?.since),
    health:
      healthBehindGate(ready, phase, policy) ??
      healthOfLastLook(object, ready, phase, policy) ??
      healthOf(object, { ready, waitsForHealth: waitsForHealth(object), policy }),
    history: historyOf(object, applied, ready?.since),
  };
}

/**
 * A closed gate ends every look at health. Who accepts that takes what was seen when it was applied; else it is
 * only a wait, and never healthy.
 */
function healthBehindGate(
  ready: Condition | undefined,
  { phase }: Phase,
  policy: string | undefined,
): Reconciliation['health'] | undefined {
  const closed = ready?.reason === 'DependencyNotReady' && phase === 'Succeeded';
  if (!closed || policy !== ACCEPTS_APPLIED) return undefined;
  return { status: 'Healthy', ...optional('since', ready.since), message: 'as it was applied: its gate is closed' };
}

/**
 * In every interval Flux looks anew at what it has applied, and Ready is Unknown meanwhile: until that look comes to
 * the health checks, what the last one found still holds. Else no settle time longer than the interval would end.
 */
function healthOfLastLook(
  object: JsonObject,
  ready: Condition | undefined,
  { phase }: Phase,
  policy: string | undefined,
): Reconciliation['health'] | undefined {
  if (ready?.status !== 'Unknown' || phase !== 'Succeeded' || isSuspended(object)) return undefined;
  if (!waitsForHealth(object) && policy !== ACCEPTS_APPLIED) return undefined;
  const { history, lastAppliedRevision } = partsOf(object).status;
  const last = objectsAt(history)[0];
  const isGood =
    last?.['lastReconciledStatus'] === 'ReconciliationSucceeded' &&
    objectAt(last['metadata'])['revision'] === lastAppliedRevision;
  const checked = conditionOf(object, 'Healthy');
  if (!isGood || (checked ? checked.status !== 'True' : waitsForHealth(object))) return undefined;
  return { status: 'Healthy', ...optional('since', checked?.since), message: 'Flux looks at it anew' };
}

type Phase = Pick<Reconciliation, 'phase' | 'message' | 'retrying'>;

function phaseOf(object: JsonObject, settled: boolean): Phase {
  const ready = conditionOf(object, 'Ready');
  const given = stalled(object);
  const pending = notYet(object);
  if (pending !== undefined) return { phase: 'Running', message: pending, retrying: false };
  if (given) return { phase: 'Failed', message: sayCondition(given), retrying: false };
  if (ready?.status === 'False' && !waits(ready)) {
    return { phase: 'Failed', message: sayCondition(ready), retrying: false };
  }
  const message = ready ? sayCondition(ready) : isSuspended(object) ? 'suspended' : 'Flux has not reconciled it yet';
  // The same revision is looked at anew in every interval: that is no new deployment, whatever comes of it.
  if (settled && isObserved(object)) return { phase: 'Succeeded', message, retrying: false };
  return { phase: 'Running', message, retrying: false };
}

/** Without either, Ready means applied and says nothing of what runs. */
function waitsForHealth(object: JsonObject): boolean {
  const { spec } = partsOf(object);
  return spec['wait'] === true || objectsAt(spec['healthChecks']).length > 0;
}

/** Only what came to its good end, and what is applied now at the end, whatever the order of the entries. */
function historyOf(object: JsonObject, applied: string | undefined, since: string | undefined): Applied[] {
  const entries = objectsAt(partsOf(object).status['history'])
    .filter((entry) => entry['lastReconciledStatus'] === 'ReconciliationSucceeded')
    .flatMap((entry): Applied[] => {
      const metadata = objectAt(entry['metadata']);
      const revision = revisionId(metadata['revision']);
      const deployedAt = timeAt(entry['lastReconciled']);
      if (revision === undefined || deployedAt === undefined) return [];
      const origin = revisionId(metadata['originRevision']);
      const startedAt = timeAt(entry['firstReconciled']);
      return [{ revision, ...optional('origin', origin), ...optional('startedAt', startedAt), deployedAt }];
    })
    .reverse();
  if (applied === undefined) return entries;
  const now = entries.findLast(({ revision }) => revision === applied);
  const origin = revisionId(partsOf(object).status['lastAppliedOriginRevision']);
  const last: Applied | undefined = now ?? (since === undefined ? undefined : { revision: applied, deployedAt: since });
  if (!last) return entries;
  return [...entries.filter((one) => one !== now), { ...last, ...optional('origin', last.origin ?? origin) }];
}
