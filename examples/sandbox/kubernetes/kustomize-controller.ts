import { createHash } from 'node:crypto';
import { evaluate } from '@marcbachmann/cel-js';
import { parseAllDocuments } from 'yaml';
import { type Controller, recordRequest, startController } from './controller.ts';
import {
  asStored,
  conditionOf,
  dropCondition,
  type KubernetesObject,
  type Manifest,
  setCondition,
  timestamp,
} from './objects.ts';
import { consumersOf, type SourceTools } from './source-controllers.ts';
import { KINDS, type Kind } from './store.ts';

export type ApplyOutcome = 'applied' | 'build-failed' | 'unhealthy';

export interface KustomizeTools extends SourceTools {
  /** How long building and applying takes, and waiting for health. */
  applyMs: number;
  healthMs: number;
  /** From one look at what is applied to the next. */
  intervalMs: number;
  /** After a failure, and while something that is depended on is not ready. */
  retryMs: number;
  /** What becomes of a revision. */
  outcome(name: string, revision: string): ApplyOutcome;
}

const CONTROLLER = 'kustomize-controller';
const SSA = 'kustomize.toolkit.fluxcd.io/ssa';

/** Kustomizations: dependencies, applying the Flux objects among the manifests, health, history. */
export function startKustomizeController(tools: KustomizeTools): Controller {
  const fetched = new Map<string, string>();
  return startController({
    store: tools.store,
    kind: 'Kustomization',
    reconcile: (object, signal) => reconcileKustomization(tools, object, signal),
    wakes({ object }) {
      if (object.kind !== 'GitRepository' && object.kind !== 'OCIRepository') return [];
      const key = `${object.kind}/${object.metadata.namespace}/${object.metadata.name}`;
      const revision = object.status['artifact']?.revision ?? '';
      if (fetched.get(key) === revision) return [];
      fetched.set(key, revision);
      return consumersOf(tools.store, 'Kustomization', object);
    },
  });
}

async function reconcileKustomization(
  tools: KustomizeTools,
  object: KubernetesObject,
  signal: AbortSignal,
): Promise<number | undefined> {
  const suspended = object.spec['suspend'] === true;
  // Ready stays as it is, of the generation before.
  if (suspended) object.status['observedGeneration'] = object.metadata.generation;
  const next = suspended ? undefined : await lookAt(tools, object, signal);
  recordRequest(object);
  tools.store.saveStatus(object, CONTROLLER);
  return next;
}

async function lookAt(tools: KustomizeTools, object: KubernetesObject, signal: AbortSignal): Promise<number> {
  const { store, retryMs, intervalMs } = tools;
  const { namespace } = object.metadata;
  const ref = object.spec['sourceRef'];
  const source = store.find(ref.kind as Kind, ref.namespace ?? namespace, ref.name);
  const revision: string | undefined = source?.status['artifact']?.revision;
  if (!source || revision === undefined) {
    return refuse(object, 'ArtifactFailed', 'Source artifact not found, retrying in 30s', retryMs);
  }
  const missing = missingDependency(tools, object);
  if (missing !== undefined) return refuse(object, 'DependencyNotReady', missing, retryMs);
  progress(tools, object, `Fetching manifests for revision ${revision} with a timeout of 30s`);
  object.status['lastAttemptedRevision'] = revision;
  progress(tools, object, `Building manifests for revision ${revision} with a timeout of 30s`);
  await tools.pause(tools.applyMs, signal);
  const outcome = tools.outcome(object.metadata.name, revision);
  if (outcome === 'build-failed') return refuse(object, 'BuildFailed', 'accumulating resources: no such file', retryMs);
  const files = await filesOf(tools, source, revision, object.spec['path'] ?? '');
  const digest = `sha256:${createHash('sha256').update(JSON.stringify(files)).digest('hex')}`;
  applyManifests(tools, object, files);
  if (object.spec['wait'] === true && !(await isHealthy(tools, object, { revision, outcome }, signal))) {
    const why = "timeout waiting for: [Deployment/shop/app status: 'InProgress']";
    setCondition(object, 'Healthy', 'False', 'HealthCheckFailed', why);
    const next = refuse(object, 'HealthCheckFailed', `health check failed after 30.02s: ${why}`, retryMs);
    store.saveStatus(object, CONTROLLER);
    remember(object, digest, revision, 'HealthCheckFailed');
    return next;
  }
  const origin = source.status['artifact']?.metadata?.['org.opencontainers.image.revision'];
  succeed(tools, object, { revision, digest, origin });
  return intervalMs;
}

function progress({ store }: KustomizeTools, object: KubernetesObject, message: string): void {
  setCondition(object, 'Ready', 'Unknown', 'Progressing', 'Reconciliation in progress');
  setCondition(object, 'Reconciling', 'True', 'Progressing', message);
  store.saveStatus(object, CONTROLLER);
}

async function isHealthy(
  tools: KustomizeTools,
  object: KubernetesObject,
  { revision, outcome }: { revision: string; outcome: ApplyOutcome },
  signal: AbortSignal,
): Promise<boolean> {
  const message = `Running health checks for revision ${revision} with a timeout of 30s`;
  setCondition(object, 'Healthy', 'Unknown', 'Progressing', message);
  progress(tools, object, message);
  await tools.pause(tools.healthMs, signal);
  if (outcome === 'unhealthy') return false;
  setCondition(object, 'Healthy', 'True', 'Succeeded', `Health check passed in ${tools.healthMs}ms`);
  return true;
}

/** In two steps, as it happens: Ready is True of a revision that is not told as applied yet. */
function succeed(
  { store }: KustomizeTools,
  object: KubernetesObject,
  { revision, digest, origin }: { revision: string; digest: string; origin?: string },
): void {
  setCondition(object, 'Ready', 'True', 'ReconciliationSucceeded', `Applied revision: ${revision}`);
  dropCondition(object, 'Reconciling');
  store.saveStatus(object, CONTROLLER);
  object.status['lastAppliedRevision'] = revision;
  if (origin !== undefined) object.status['lastAppliedOriginRevision'] = origin;
  remember(object, digest, revision, 'ReconciliationSucceeded', origin);
  object.status['observedGeneration'] = object.metadata.generation;
}

/** A failure leaves `observedGeneration` as it was. */
function refuse(object: KubernetesObject, reason: string, message: string, retryMs: number): number {
  setCondition(object, 'Ready', 'False', reason, message);
  const reconciling = conditionOf(object, 'Reconciling');
  if (reconciling) setCondition(object, 'Reconciling', 'True', 'ProgressingWithRetry', reconciling.message);
  return retryMs;
}

function missingDependency({ store }: KustomizeTools, object: KubernetesObject): string | undefined {
  for (const { name, namespace = object.metadata.namespace, readyExpr } of object.spec['dependsOn'] ?? []) {
    const dep = store.find('Kustomization', namespace, name);
    if (!dep) return `dependency '${namespace}/${name}' not found`;
    if (readyExpr !== undefined) {
      // The expression takes the place of the built-in check.
      if (evaluate(readyExpr, { dep: asStored(dep), self: asStored(object) }) !== true) {
        return `dependency '${namespace}/${name}' is not ready according to readyExpr eval`;
      }
      continue;
    }
    const observed = dep.status['observedGeneration'] === dep.metadata.generation;
    if (!observed || conditionOf(dep, 'Ready')?.status !== 'True')
      return `dependency '${namespace}/${name}' is not ready`;
  }
  return undefined;
}

async function filesOf(
  { repositories, registry }: KustomizeTools,
  source: KubernetesObject,
  revision: string,
  path: string,
): Promise<Record<string, string>> {
  const id = revision.slice(revision.lastIndexOf(':') + 1);
  if (source.kind === 'GitRepository') return repositories.files(source.spec['url'], id, path);
  const origin = registry.byDigest(source.spec['url'], `sha256:${id}`)?.origin;
  return origin ? repositories.files(origin.repoUrl, origin.commit, path) : {};
}

/**
 * The Flux objects and workloads among the manifests: what the Git repository says of them comes back with every run. All of
 * them are in the inventory.
 */
function applyManifests({ store }: KustomizeTools, owner: KubernetesObject, files: Record<string, string>): void {
  const entries: { id: string; v: string }[] = [];
  for (const [name, text] of Object.entries(files)) {
    if (!/\.ya?ml$/.test(name)) continue;
    for (const document of parseAllDocuments(text)) {
      const manifest = document.toJS() as Partial<Manifest> | null;
      if (!manifest?.kind || !(manifest.kind in KINDS) || !manifest.metadata || !manifest.spec) continue;
      const namespace = manifest.metadata.namespace ?? owner.metadata.namespace;
      const { group, version } = KINDS[manifest.kind as Kind];
      entries.push({ id: `${namespace}_${manifest.metadata.name}_${group}_${manifest.kind}`, v: version });
      const exists = store.find(manifest.kind as Kind, namespace, manifest.metadata.name);
      if (exists && manifest.metadata.annotations?.[SSA] === 'IfNotPresent') continue;
      const labels = {
        ...manifest.metadata.labels,
        'kustomize.toolkit.fluxcd.io/name': owner.metadata.name,
        'kustomize.toolkit.fluxcd.io/namespace': owner.metadata.namespace,
      };
      store.apply(
        { kind: manifest.kind, metadata: { ...manifest.metadata, namespace, labels }, spec: manifest.spec },
        CONTROLLER,
      );
    }
  }
  owner.status['inventory'] = { entries };
}

/** One entry per digest and status, newest first, at most five. */
function remember(object: KubernetesObject, digest: string, revision: string, status: string, origin?: string): void {
  const history: Record<string, unknown>[] = object.status['history'] ?? [];
  const before = history.find((one) => one['digest'] === digest && one['lastReconciledStatus'] === status);
  const entry = {
    digest,
    firstReconciled: before?.['firstReconciled'] ?? timestamp(),
    lastReconciled: timestamp(),
    lastReconciledDuration: '120ms',
    lastReconciledStatus: status,
    totalReconciliations: Number(before?.['totalReconciliations'] ?? 0) + 1,
    metadata: { revision, ...(origin === undefined ? {} : { originRevision: origin }) },
  };
  object.status['history'] = [entry, ...history.filter((one) => one !== before)].slice(0, 5);
}
