import type { JsonObject } from '../../base/json.ts';
import type { Operation } from '../../events/application.ts';
import { type Gate, type Release, releaseOf, saySource } from './flux-gate.ts';
import { isRequested, type Reconciliation, sayCondition, stalled, waits } from './flux-reconciliation.ts';
import { artifactOf, isSuspended, pinOf } from './flux-source.ts';
import { annotationsOf, conditionOf, partsOf } from './kubernetes-object.ts';

/** An operation in ids of what the source offers. */
export interface FluxOperation {
  phase: Operation['phase'];
  message: string;
  retrying: boolean;
  revision?: string;
  startedAt?: string;
  finishedAt?: string;
  infos: Record<string, string>;
}

/**
 * What goes on with an application, or went on last: our release from the pin to the rollout as one operation,
 * or else what Flux did by itself. Handled is not applied: what counts is the revision that was applied.
 */
export function operationOf(
  object: JsonObject,
  key: string,
  gate: Gate,
  reconciliation: Reconciliation | undefined,
  prefix: string,
): FluxOperation | undefined {
  const holder = gate.kind === 'source' ? gate.source : gate.kind === 'dependency' ? gate.gate : undefined;
  const release = holder && releaseOf(holder, prefix);
  if (!holder || release?.application !== key) return isHeld(object, gate) ? undefined : own(reconciliation);
  if (release.ended !== undefined) return takenBack(release, release.ended, reconciliation);
  return gate.kind === 'source'
    ? releasedBySource(object, holder, release, reconciliation)
    : releasedByDependency(object, release, reconciliation);
}

/** Waiting behind a closed gate is nothing that goes on: a release must not wait for it. */
function isHeld(object: JsonObject, gate: Gate): boolean {
  const ready = conditionOf(object, 'Ready');
  return (gate.kind === 'source' || gate.kind === 'dependency') && ready?.status === 'False' && waits(ready);
}

function own(found: Reconciliation | undefined): FluxOperation | undefined {
  if (!found || (found.attempted === undefined && found.phase === 'Running')) return undefined;
  const { phase, message, retrying, attempted, startedAt, finishedAt } = found;
  return {
    phase,
    message,
    retrying,
    infos: {},
    ...(attempted === undefined ? {} : { revision: attempted }),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
  };
}

/** What Flux had begun to apply by then is applied all the same; that is in the history. */
function takenBack(release: Release, at: string, found: Reconciliation | undefined): FluxOperation | undefined {
  const began = found?.attempted === release.revision;
  const later = !began && Date.parse(found?.startedAt ?? '') > Date.parse(at);
  if (later) return own(found);
  return ended(
    release,
    at,
    began ? 'terminated while Flux applied it: it may be live' : 'terminated: it was taken back',
  );
}

function releasedBySource(
  object: JsonObject,
  source: JsonObject,
  release: Release,
  found: Reconciliation | undefined,
): FluxOperation | undefined {
  if (found?.attempted === release.revision) return underWay(release, found);
  const name = saySource(object);
  if (pinOf(source) !== release.revision) {
    if (found?.history.some(({ revision }) => revision === release.revision)) return own(found);
    return ended(release, release.at, sayPutBack(name));
  }
  if (artifactOf(source)?.revision === release.revision) {
    const why = isSuspended(object) ? 'it is suspended' : waitingFor(object, found);
    return running(release, `${name} has fetched it; ${why}`);
  }
  if (isSuspended(source)) {
    return ended(
      release,
      release.at,
      `${name} was suspended again before it fetched it: take spec.suspend out of Git, or annotate it kustomize.toolkit.fluxcd.io/ssa: IfNotPresent`,
    );
  }
  const given = stalled(source);
  if (given) return ended(release, release.at, `${name} cannot fetch it: ${sayCondition(given)}`);
  const ready = conditionOf(source, 'Ready');
  const trouble = ready?.status === 'False' ? `: ${sayCondition(ready)}` : '';
  return running(release, `${name} fetches it${trouble}`);
}

function releasedByDependency(
  object: JsonObject,
  release: Release,
  found: Reconciliation | undefined,
): FluxOperation | undefined {
  if (found?.attempted === release.revision) return underWay(release, found);
  const handled = partsOf(object).status['lastHandledReconcileAt'] === release.token;
  if (!handled) {
    // The gate was opened, but the request that it opens for never came, or was replaced by another one.
    const lost = annotationsOf(object)['reconcile.fluxcd.io/requestedAt'] !== release.token && !isRequested(object);
    return lost && found?.history.some(({ revision }) => revision === release.revision)
      ? own(found)
      : running(release, waitingFor(object, found));
  }
  const ready = conditionOf(object, 'Ready');
  if (ready?.reason === 'DependencyNotReady') return ended(release, ready.since ?? release.at, sayCondition(ready));
  // Something else was applied than what the gate was opened for: told with our infos, so that it is noticed.
  return found ? { ...(own(found) ?? running(release, '')), infos: release.infos } : running(release, '');
}

/** With the remedy: fields that are in Git come back with every run of the Kustomization above. */
export function sayPutBack(source: string): string {
  return `the pin of ${source} was put back: take spec.ref.commit and spec.ref.digest out of Git, or annotate it kustomize.toolkit.fluxcd.io/ssa: IfNotPresent`;
}

/** A failure of before the release is not one of the release. */
function underWay(release: Release, found: Reconciliation): FluxOperation {
  const old = found.phase === 'Failed' && Date.parse(found.finishedAt ?? '') < wholeSeconds(release.at);
  if (old) return running(release, 'the reconciliation is asked for anew');
  const { phase, message, retrying, finishedAt } = found;
  return {
    phase,
    message,
    retrying,
    revision: release.revision,
    startedAt: release.at,
    ...(finishedAt === undefined ? {} : { finishedAt }),
    infos: release.infos,
  };
}

function running(release: Release, message: string): FluxOperation {
  return { phase: 'Running', message, retrying: false, startedAt: release.at, infos: release.infos };
}

function ended(release: Release, finishedAt: string, message: string): FluxOperation {
  return { phase: 'Failed', message, retrying: false, startedAt: release.at, finishedAt, infos: release.infos };
}

function waitingFor(object: JsonObject, found: Reconciliation | undefined): string {
  const ready = conditionOf(object, 'Ready');
  if (ready?.status === 'False') return sayCondition(ready);
  return found?.phase === 'Running' ? found.message : 'it was not picked up yet';
}

/** Kubernetes writes whole seconds. */
function wholeSeconds(time: string): number {
  return Math.floor(Date.parse(time) / 1000) * 1000;
}
