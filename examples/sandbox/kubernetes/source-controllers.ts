import { createHash } from 'node:crypto';
import type { Repositories } from '../argocd/repositories.ts';
import { type Controller, recordRequest, startController } from './controller.ts';
import { conditionOf, dropCondition, type KubernetesObject, setCondition, timestamp } from './objects.ts';
import type { ObjectStore } from './store.ts';

export interface SourceTools {
  store: ObjectStore;
  repositories: Repositories;
  registry: Registry;
  /** How often a source is looked at. */
  pollMs: number;
  /** How long fetching takes. */
  fetchMs: number;
  pause(ms: number, signal: AbortSignal): Promise<void>;
  /** Whether a source cannot fetch what its spec asks for. */
  cannotFetch(name: string, wanted: string): boolean;
}

/** An artifact as `flux push artifact` makes it, or a chart. */
export interface PushedArtifact {
  digest: string;
  /** The commit that it was made of, and where that is. */
  origin?: { repoUrl: string; commit: string };
}

/** OCI repositories: what was pushed, and where the tags point. */
export interface Registry {
  push(url: string, tag: string, content: string, origin?: PushedArtifact['origin']): string;
  byTag(url: string, tag: string): PushedArtifact | undefined;
  byDigest(url: string, digest: string): PushedArtifact | undefined;
  tagOf(url: string, digest: string): string | undefined;
}

export function createRegistry(): Registry {
  const pushed = new Map<string, PushedArtifact & { tag: string }>();
  const tags = new Map<string, string>();
  return {
    push(url, tag, content, origin) {
      const digest = `sha256:${createHash('sha256').update(`${url} ${tag} ${content}`).digest('hex')}`;
      pushed.set(`${url}@${digest}`, { digest, tag, ...(origin ? { origin } : {}) });
      tags.set(`${url}:${tag}`, digest);
      return digest;
    },
    byTag: (url, tag) => pushed.get(`${url}@${tags.get(`${url}:${tag}`)}`),
    byDigest: (url, digest) => pushed.get(`${url}@${digest}`),
    tagOf: (url, digest) => pushed.get(`${url}@${digest}`)?.tag,
  };
}

const SOURCE_CONTROLLER = 'source-controller';

/** GitRepositories over real Git repositories, OCIRepositories over a registry in memory. */
export function startSourceControllers(tools: SourceTools): Controller[] {
  return [
    startController({
      store: tools.store,
      kind: 'GitRepository',
      reconcile: (object, signal) => reconcileSource(tools, object, signal, gitArtifact),
    }),
    startController({
      store: tools.store,
      kind: 'OCIRepository',
      reconcile: (object, signal) => reconcileSource(tools, object, signal, ociArtifact),
    }),
  ];
}

interface Found {
  revision: string;
  metadata?: Record<string, string>;
}

async function reconcileSource(
  tools: SourceTools,
  object: KubernetesObject,
  signal: AbortSignal,
  fetchArtifact: (tools: SourceTools, object: KubernetesObject) => Promise<Found | string>,
): Promise<number | undefined> {
  const save = () => tools.store.saveStatus(object, SOURCE_CONTROLLER);
  if (object.spec['suspend'] === true) {
    suspended(object);
    save();
    return undefined;
  }
  const { generation } = object.metadata;
  const observed = object.status['observedGeneration'];
  if (observed !== generation) {
    const message = `processing object: new generation ${observed} -> ${generation}`;
    setCondition(object, 'Reconciling', 'True', 'Progressing', message);
    if (!conditionOf(object, 'Ready')) setCondition(object, 'Ready', 'Unknown', 'Progressing', message);
    save();
    await tools.pause(tools.fetchMs, signal);
  }
  const { commit, digest, branch, tag } = object.spec['ref'] ?? {};
  const wanted = String(commit ?? digest ?? branch ?? tag);
  const found = tools.cannotFetch(object.metadata.name, wanted)
    ? `failed to fetch ${wanted}: connection refused`
    : await fetchArtifact(tools, object);
  if (typeof found === 'string') notFetched(object, found);
  else stored(object, found, save);
  recordRequest(object);
  save();
  return tools.pollMs;
}

/** Keeps what it said of before, now of this generation: also when that was never looked at. */
function suspended(object: KubernetesObject): void {
  const ready = conditionOf(object, 'Ready');
  if (ready?.status === 'True') {
    setCondition(object, 'Ready', 'True', ready.reason, ready.message);
    object.status['observedGeneration'] = object.metadata.generation;
  }
  recordRequest(object);
}

/** The artifact of before stays, and so does `observedGeneration`. */
function notFetched(object: KubernetesObject, why: string): void {
  const reason = object.kind === 'GitRepository' ? 'GitOperationFailed' : 'OCIArtifactPullFailed';
  const before = conditionOf(object, 'Reconciling')?.message ?? 'reconciliation in progress';
  setCondition(object, 'Reconciling', 'True', 'ProgressingWithRetry', before);
  setCondition(object, 'Ready', 'False', reason, why);
  setCondition(object, 'FetchFailed', 'True', reason, why);
}

/** In two steps, as it happens: Ready is True while the artifact still is the one of before. */
function stored(object: KubernetesObject, found: Found, save: () => void): void {
  const message = `stored artifact for revision '${found.revision}'`;
  setCondition(object, 'Ready', 'True', 'Succeeded', message);
  setCondition(object, 'ArtifactInStorage', 'True', 'Succeeded', message);
  for (const type of ['Reconciling', 'FetchFailed']) dropCondition(object, type);
  save();
  if (object.status['artifact']?.revision !== found.revision) object.status['artifact'] = artifactFor(object, found);
  object.status['observedGeneration'] = object.metadata.generation;
}

function artifactFor({ kind, metadata }: KubernetesObject, found: Found): object {
  const id = found.revision.slice(found.revision.lastIndexOf(':') + 1);
  const path = `${kind.toLowerCase()}/${metadata.namespace}/${metadata.name}/${id}.tar.gz`;
  return {
    ...found,
    digest: `sha256:${createHash('sha256').update(found.revision).digest('hex')}`,
    lastUpdateTime: timestamp(),
    path,
    size: 512,
    url: `http://source-controller.flux-system.svc.cluster.local./${path}`,
  };
}

async function gitArtifact({ repositories }: SourceTools, { spec }: KubernetesObject): Promise<Found | string> {
  const { branch = 'master', commit } = spec['ref'] ?? {};
  const sha = await repositories.resolve(spec['url'], commit ?? branch);
  if (sha === undefined) return `failed to checkout and determine revision: unable to find '${commit ?? branch}'`;
  return { revision: `${branch}@sha1:${sha}` };
}

async function ociArtifact({ registry }: SourceTools, { spec }: KubernetesObject): Promise<Found | string> {
  const { tag = 'latest', digest } = spec['ref'] ?? {};
  const found = digest === undefined ? registry.byTag(spec['url'], tag) : registry.byDigest(spec['url'], digest);
  if (!found) return `failed to pull artifact: ${digest ?? tag} not found`;
  const { origin } = found;
  return {
    revision: digest === undefined ? `${tag}@${found.digest}` : found.digest,
    ...(origin
      ? {
          metadata: {
            'org.opencontainers.image.source': origin.repoUrl,
            'org.opencontainers.image.revision': `main@sha1:${origin.commit}`,
          },
        }
      : {}),
  };
}

/** Wakes whoever names the changed source, once its artifact is another one. */
export function consumersOf(store: ObjectStore, kind: 'Kustomization' | 'HelmRelease', source: KubernetesObject) {
  return store.all(kind).flatMap((object) => {
    const ref = object.spec['sourceRef'] ?? object.spec['chartRef'];
    const isIt =
      ref?.kind === source.kind &&
      ref?.name === source.metadata.name &&
      (ref?.namespace ?? object.metadata.namespace) === source.metadata.namespace;
    return isIt ? [{ namespace: object.metadata.namespace, name: object.metadata.name }] : [];
  });
}
