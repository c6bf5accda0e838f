import { createHash } from 'node:crypto';
import { type Controller, recordRequest, startController } from './controller.ts';
import { conditionOf, dropCondition, type KubernetesObject, setCondition, timestamp } from './objects.ts';
import { consumersOf, type SourceTools } from './source-controllers.ts';
import type { Kind } from './store.ts';

export type HelmOutcome = 'deployed' | 'upgrade-failed' | 'test-failed';

export interface HelmTools extends SourceTools {
  upgradeMs: number;
  testMs: number;
  /** What becomes of a chart version. */
  helmOutcome(name: string, version: string): HelmOutcome;
}

interface Snapshot {
  name: string;
  namespace: string;
  version: number;
  chartName: string;
  chartVersion: string;
  configDigest: string;
  firstDeployed: string;
  lastDeployed: string;
  status: 'deployed' | 'superseded' | 'failed';
  action: 'install' | 'upgrade' | 'rollback';
  ociDigest?: string;
  testHooks?: Record<string, { lastStarted: string; lastCompleted: string; phase: 'Succeeded' | 'Failed' }>;
}

const CONTROLLER = 'helm-controller';

/** HelmReleases: install and upgrade, tests, remediation by rollback; charts are names and versions only. */
export function startHelmController(tools: HelmTools): Controller {
  return startController({
    store: tools.store,
    kind: 'HelmRelease',
    reconcile: (object, signal) => reconcileRelease(tools, object, signal),
    wakes: ({ object }) => (object.kind === 'OCIRepository' ? consumersOf(tools.store, 'HelmRelease', object) : []),
  });
}

async function reconcileRelease(
  tools: HelmTools,
  object: KubernetesObject,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (object.spec['suspend'] !== true) await lookAt(tools, object, signal);
  recordRequest(object);
  tools.store.saveStatus(object, CONTROLLER);
  return undefined;
}

async function lookAt(tools: HelmTools, object: KubernetesObject, signal: AbortSignal): Promise<void> {
  setCondition(object, 'Reconciling', 'True', 'Progressing', 'Fulfilling prerequisites');
  tools.store.saveStatus(object, CONTROLLER);
  const chart = chartOf(tools, object);
  if (!chart) return void setCondition(object, 'Ready', 'False', 'SourceNotReady', 'no artifact');
  const configDigest = `sha256:${createHash('sha256')
    .update(JSON.stringify(object.spec['values'] ?? {}))
    .digest('hex')}`;
  const { status } = object;
  const tried =
    status['lastAttemptedRevision'] === chart.version && status['lastAttemptedConfigDigest'] === configDigest;
  // Retries are used up until the chart or its values change.
  if (tried) return finish(object);
  for (const type of ['Stalled', 'TestSuccess']) dropCondition(object, type);
  Object.assign(status, {
    lastAttemptedRevision: chart.version,
    lastAttemptedRevisionDigest: chart.digest,
    lastAttemptedConfigDigest: configDigest,
    lastAttemptedGeneration: object.metadata.generation,
  });
  const retries: number = object.spec['upgrade']?.remediation?.retries ?? 0;
  for (let failures = 1; !(await attempt(tools, object, { chart, configDigest }, signal)); failures++) {
    if (retries > 0) takeBack(object);
    if (failures > retries) {
      setCondition(object, 'Stalled', 'True', 'RetriesExceeded', `Failed to upgrade after ${failures} attempt(s)`);
      break;
    }
    setCondition(object, 'Reconciling', 'True', 'ProgressingWithRetry', 'retrying after remediation');
    tools.store.saveStatus(object, CONTROLLER);
    await tools.pause(tools.upgradeMs, signal);
  }
  finish(object);
}

/** Whether it was upgraded, and its tests went well. */
async function attempt(
  tools: HelmTools,
  object: KubernetesObject,
  { chart, configDigest }: { chart: Chart; configDigest: string },
  signal: AbortSignal,
): Promise<boolean> {
  setCondition(object, 'Ready', 'Unknown', 'Progressing', "Running 'upgrade' action with timeout of 5m0s");
  tools.store.saveStatus(object, CONTROLLER);
  await tools.pause(tools.upgradeMs, signal);
  const outcome = tools.helmOutcome(object.metadata.name, chart.version);
  // Until here it still tells of the chart before.
  dropCondition(object, 'Remediated');
  deploy(object, chart, configDigest, outcome !== 'upgrade-failed');
  tools.store.saveStatus(object, CONTROLLER);
  if (outcome !== 'upgrade-failed' && object.spec['test']?.enable === true) {
    await tools.pause(tools.testMs, signal);
    test(object, outcome !== 'test-failed');
  }
  return outcome === 'deployed';
}

interface Chart {
  name: string;
  version: string;
  digest?: string;
}

function chartOf({ store, registry }: HelmTools, object: KubernetesObject): Chart | undefined {
  const ref = object.spec['chartRef'];
  if (!ref) {
    const { chart, version } = object.spec['chart']?.spec ?? {};
    return version === undefined ? undefined : { name: chart, version };
  }
  const source = store.find(ref.kind as Kind, ref.namespace ?? object.metadata.namespace, ref.name);
  const revision: string = source?.status['artifact']?.revision ?? '';
  const digest = revision.slice(revision.lastIndexOf('@') + 1);
  const tag = source && registry.tagOf(source.spec['url'], digest);
  // The start of the digest becomes the build of the version.
  return tag === undefined ? undefined : { name: ref.name, version: `${tag}+${digest.slice(7, 19)}`, digest };
}

function deploy(object: KubernetesObject, chart: Chart, configDigest: string, succeeded: boolean): void {
  const history: Snapshot[] = object.status['history'] ?? [];
  const [before] = history;
  const action = before ? 'upgrade' : 'install';
  const what = `${object.metadata.namespace}/${object.metadata.name}.v${(before?.version ?? 0) + 1} with chart ${chart.name}@${chart.version}`;
  if (before && succeeded) before.status = 'superseded';
  push(object, chart, { configDigest, status: succeeded ? 'deployed' : 'failed', action });
  const word = action === 'install' ? 'Install' : 'Upgrade';
  if (succeeded)
    setCondition(object, 'Released', 'True', `${word}Succeeded`, `Helm ${action} succeeded for release ${what}`);
  else
    setCondition(object, 'Released', 'False', `${word}Failed`, `Helm ${action} failed for release ${what}: timed out`);
  // Said before the tests have begun.
  const released = succeeded ? ['True', `${word}Succeeded`] : ['False', `${word}Failed`];
  setCondition(object, 'Ready', released[0] as 'True', released[1] ?? '', `Helm ${action} of ${what}`);
}

function push(
  object: KubernetesObject,
  chart: Chart,
  { configDigest, status, action }: Pick<Snapshot, 'configDigest' | 'status' | 'action'>,
): void {
  const history: Snapshot[] = object.status['history'] ?? [];
  const now = timestamp();
  const snapshot: Snapshot = {
    name: object.metadata.name,
    namespace: object.metadata.namespace,
    version: (history[0]?.version ?? 0) + 1,
    chartName: chart.name,
    chartVersion: chart.version,
    configDigest,
    firstDeployed: history.at(-1)?.firstDeployed ?? now,
    lastDeployed: now,
    status,
    action,
    ...(chart.digest === undefined || action === 'rollback' ? {} : { ociDigest: chart.digest }),
  };
  object.status['history'] = [snapshot, ...history].slice(0, 5);
}

function test(object: KubernetesObject, succeeded: boolean): void {
  const [release] = object.status['history'] as Snapshot[];
  if (!release) return;
  const phase = succeeded ? 'Succeeded' : 'Failed';
  release.testHooks = { smoke: { lastStarted: timestamp(), lastCompleted: timestamp(), phase } };
  const reason = succeeded ? 'TestSucceeded' : 'TestFailed';
  setCondition(object, 'TestSuccess', succeeded ? 'True' : 'False', reason, `Helm test ${phase.toLowerCase()}`);
  setCondition(object, 'Ready', succeeded ? 'True' : 'False', reason, `Helm test ${phase.toLowerCase()}`);
}

/** The release before comes back as a new one. */
function takeBack(object: KubernetesObject): void {
  const history: Snapshot[] = object.status['history'] ?? [];
  const previous = history.slice(1).find(({ status }) => status === 'superseded' || status === 'deployed');
  const [failed] = history;
  if (!previous || !failed) return;
  if (failed.status === 'deployed') failed.status = 'superseded';
  const chart = { name: previous.chartName, version: previous.chartVersion };
  push(object, chart, { configDigest: previous.configDigest, status: 'deployed', action: 'rollback' });
  const message = `Helm rollback to previous release v${previous.version} with chart ${chart.name}@${chart.version} succeeded`;
  setCondition(object, 'Remediated', 'True', 'RollbackSucceeded', message);
  setCondition(object, 'Ready', 'False', 'RollbackSucceeded', message);
}

/** Ready is summed up anew for the generation that was looked at. */
function finish(object: KubernetesObject): void {
  const ready = conditionOf(object, 'Ready');
  if (ready) setCondition(object, 'Ready', ready.status, ready.reason, ready.message);
  dropCondition(object, 'Reconciling');
  object.status['observedGeneration'] = object.metadata.generation;
}
