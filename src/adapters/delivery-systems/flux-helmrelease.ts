import type { JsonObject } from '../../base/json.ts';
import {
  type Applied,
  healthOf,
  isReconciling,
  notYet,
  type Reconciliation,
  sayCondition,
  stalled,
  waits,
} from './flux-reconciliation.ts';
import { revisionId } from './flux-source.ts';
import {
  conditionOf,
  isObserved,
  objectAt,
  objectsAt,
  optional,
  partsOf,
  textAt,
  timeAt,
} from './kubernetes-object.ts';

/** Releases that are or were live; whatever else a release is (`failed`, `pending-upgrade`, ...) never was. */
const LIVED: ReadonlySet<unknown> = new Set(['deployed', 'superseded']);

/** How far helm-controller is with a HelmRelease; `undefined` before it looked at it for the first time. */
export function reconciliationOfHelmRelease(
  object: JsonObject,
  policy: string | undefined,
): Reconciliation | undefined {
  const { status } = partsOf(object);
  const ready = conditionOf(object, 'Ready');
  const releases = objectsAt(status['history']);
  const attempted = attemptedOf(status, releases);
  if (!ready && attempted === undefined && !stalled(object)) return undefined;
  const [latest] = releases;
  const applied = latest?.['status'] === 'deployed' ? chartId(latest, releases) : undefined;
  const settled = attempted !== undefined && attempted === applied && isSameConfiguration(status, latest);
  const phase = phaseOf(object, settled, { attempted, applied, releases });
  return {
    ...phase,
    ...optional('attempted', attempted),
    ...optional('applied', applied),
    ...optional('startedAt', settled ? timeAt(latest?.['lastDeployed']) : ready?.since),
    ...optional('finishedAt', phase.phase === 'Running' ? undefined : ready?.since),
    health: healthOf(object, { ready, waitsForHealth: waitsForHealth(object), policy }),
    history: releases.flatMap((release) => releaseOf(release, releases)).reverse(),
  };
}

type Phase = Pick<Reconciliation, 'phase' | 'message' | 'retrying'>;
interface Charts {
  attempted: string | undefined;
  applied: string | undefined;
  releases: readonly JsonObject[];
}

function phaseOf(object: JsonObject, settled: boolean, charts: Charts): Phase {
  const ready = conditionOf(object, 'Ready');
  const message = ready ? sayCondition(ready) : 'Flux has not reconciled it yet';
  const running = (why = message): Phase => ({ phase: 'Running', message: why, retrying: false });
  const given = stalled(object);
  const pending = notYet(object);
  const back = rolledBack(object, charts);
  if (pending !== undefined) return running(pending);
  if (back !== undefined) return { phase: 'Failed', message: back, retrying: false };
  if (given) return { phase: 'Failed', message: sayCondition(given), retrying: false };
  if (ready?.status === 'False' && !waits(ready)) {
    const retrying = isReconciling(object);
    return { phase: retrying ? 'Running' : 'Failed', message, retrying };
  }
  if (!settled || !isObserved(object)) return running();
  const tests = testsOf(object, charts.releases[0]);
  switch (tests.kind) {
    case 'failed':
      return { phase: 'Failed', message: tests.sentence, retrying: false };
    case 'running':
      return running(tests.sentence);
    case 'passed':
      return { phase: 'Succeeded', message, retrying: false };
  }
}

/**
 * Its upgrade may have succeeded, and the events said so: the remediation took it back all the same, and what
 * runs is the release before. As long as something goes on it is not over: the same is tried again, or what was taken
 * back was the chart before.
 */
function rolledBack(object: JsonObject, { attempted, applied, releases }: Charts): string | undefined {
  if (isReconciling(object)) return undefined;
  const remediated = conditionOf(object, 'Remediated');
  const tried = releases.slice(1).some((release) => chartId(release, releases) === attempted);
  const byHistory = applied !== undefined && applied !== attempted && tried;
  if (remediated?.status !== 'True' && !byHistory) return undefined;
  const words = remediated ? `: ${sayCondition(remediated)}` : '';
  return `${attempted ?? 'the new release'} was taken back by its own remediation${words}`;
}

type Tests = { kind: 'passed' } | { kind: 'running' | 'failed'; sentence: string };

/** Flux says "upgrade succeeded" before the tests have begun: only the hooks of this release count. */
function testsOf(object: JsonObject, release: JsonObject | undefined): Tests {
  const test = objectAt(partsOf(object).spec['test']);
  if (test['enable'] !== true) return { kind: 'passed' };
  if (release?.['testHooks'] === undefined) return { kind: 'running', sentence: 'its tests have not run yet' };
  const hooks = Object.entries(objectAt(release['testHooks'])).map(
    ([name, hook]) => [name, textAt(objectAt(hook)['phase']) ?? 'Unknown'] as const,
  );
  const failed = hooks.filter(([, phase]) => phase === 'Failed').map(([name]) => name);
  if (failed.length > 0 && test['ignoreFailures'] !== true) {
    return { kind: 'failed', sentence: `its test failed: ${failed.join(', ')}` };
  }
  const open = hooks.filter(([, phase]) => phase !== 'Succeeded' && phase !== 'Failed').map(([name]) => name);
  return open.length > 0
    ? { kind: 'running', sentence: `its tests are not over: ${open.join(', ')}` }
    : { kind: 'passed' };
}

/**
 * The digest where the chart came as an OCI artifact, else its version. What a rollback made has lost its digest:
 * the release that was rolled back to has it.
 */
function chartId(release: JsonObject, releases: readonly JsonObject[]): string | undefined {
  const version = textAt(release['chartVersion']);
  const same = releases.find((one) => one['chartVersion'] === version && revisionId(one['ociDigest']) !== undefined);
  return revisionId(release['ociDigest']) ?? revisionId(same?.['ociDigest']) ?? revisionId(version);
}

/** Flux writes the version with the start of the digest; a release that it made has the whole one. */
function attemptedOf(status: JsonObject, releases: readonly JsonObject[]): string | undefined {
  const digest = revisionId(status['lastAttemptedRevisionDigest']);
  if (digest !== undefined) return digest;
  const version = textAt(status['lastAttemptedRevision']);
  const release = releases.find((one) => one['chartVersion'] === version && version !== undefined);
  return release ? chartId(release, releases) : revisionId(version);
}

/** New values are a new release, with the same chart. */
function isSameConfiguration(status: JsonObject, latest: JsonObject | undefined): boolean {
  const attempted = status['lastAttemptedConfigDigest'];
  return attempted === undefined || attempted === latest?.['configDigest'];
}

/** Helm waits for what it deployed, unless it is told not to. */
function waitsForHealth(object: JsonObject): boolean {
  const { spec } = partsOf(object);
  return !['install', 'upgrade'].some((action) => objectAt(spec[action])['disableWait'] === true);
}

function releaseOf(release: JsonObject, releases: readonly JsonObject[]): Applied[] {
  const revision = chartId(release, releases);
  const deployedAt = timeAt(release['lastDeployed']);
  if (revision === undefined || deployedAt === undefined || !LIVED.has(release['status'])) return [];
  const { version } = release;
  return [{ revision, ...optional('id', typeof version === 'number' ? version : undefined), deployedAt }];
}
