import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { type KubernetesObject, type Manifest, mergePatch, timestamp } from './objects.ts';

/** Kinds that the API serves, and where. */
export const KINDS = {
  Kustomization: { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', plural: 'kustomizations' },
  HelmRelease: { group: 'helm.toolkit.fluxcd.io', version: 'v2', plural: 'helmreleases' },
  GitRepository: { group: 'source.toolkit.fluxcd.io', version: 'v1', plural: 'gitrepositories' },
  OCIRepository: { group: 'source.toolkit.fluxcd.io', version: 'v1', plural: 'ocirepositories' },
  Deployment: { group: 'apps', version: 'v1', plural: 'deployments' },
  StatefulSet: { group: 'apps', version: 'v1', plural: 'statefulsets' },
  DaemonSet: { group: 'apps', version: 'v1', plural: 'daemonsets' },
} as const;
export type Kind = keyof typeof KINDS;

export interface Change {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: KubernetesObject;
  /** Its labels before, by which watches with a selector see it come and go. */
  labelsBefore?: Record<string, string>;
  /** Which actor of the sandbox or of the API made it. */
  manager: string;
}

/** A refusal, as the API's `Status` object says it. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string, message: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

/** What etcd and the API server do for custom resources: versions, generations, locks, a log of changes. */
export class ObjectStore extends EventEmitter<{ change: [Change] }> {
  readonly #objects = new Map<string, KubernetesObject>();
  #log: (Change & { version: number })[] = [];
  #version = 1_000;
  #forgotten = 0;

  constructor() {
    super();
    this.setMaxListeners(0);
  }

  get version(): string {
    return String(this.#version);
  }

  find(kind: Kind, namespace: string, name: string): KubernetesObject | undefined {
    return this.#objects.get(`${kind}/${namespace}/${name}`);
  }

  /** @throws {ApiError} 404 */
  get(kind: Kind, namespace: string, name: string): KubernetesObject {
    const found = this.find(kind, namespace, name);
    if (found) return found;
    const { group, plural } = KINDS[kind];
    throw new ApiError(404, 'NotFound', `${plural}.${group} "${name}" not found`);
  }

  all(kind: Kind): KubernetesObject[] {
    return [...this.#objects.values()]
      .filter((object) => object.kind === kind)
      .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  /** Makes the object, or changes exactly the fields that the manifest has, as a server-side apply does. */
  apply(manifest: Manifest, manager = 'kubectl-client-side-apply'): KubernetesObject {
    const kind = manifest.kind as Kind;
    const namespace = manifest.metadata.namespace ?? 'default';
    const { group, version } = KINDS[kind];
    const before = this.find(kind, namespace, manifest.metadata.name);
    if (before) return this.#write(before, mergePatch(before, manifest) as KubernetesObject, manager, 'Apply');
    const object: KubernetesObject = {
      apiVersion: `${group}/${version}`,
      kind,
      metadata: {
        name: manifest.metadata.name,
        namespace,
        uid: randomUUID(),
        resourceVersion: '',
        generation: 1,
        creationTimestamp: timestamp(),
        labels: { ...manifest.metadata.labels },
        annotations: { ...manifest.metadata.annotations },
        managedFields: [{ manager, operation: 'Apply', apiVersion: `${group}/${version}`, time: timestamp() }],
      },
      spec: structuredClone(manifest.spec),
      // The schemas of Flux say so from the first moment on.
      status: { observedGeneration: -1 },
    };
    this.#objects.set(keyOf(object), object);
    this.#tell('ADDED', object, manager);
    return object;
  }

  /**
   * A merge patch over the API: the status is a resource of its own and stays as it is, and what no schema knows is
   * dropped without a word.
   *
   * @throws {ApiError} 409 when the patch names another resource version, 422 when it makes annotations too long
   */
  patch(kind: Kind, namespace: string, name: string, patch: Record<string, unknown>, manager: string) {
    const before = this.get(kind, namespace, name);
    const { metadata, spec } = patch as { metadata?: Record<string, unknown>; spec?: unknown };
    const { resourceVersion, ...others } = metadata ?? {};
    if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) {
      const { group, plural } = KINDS[kind];
      throw new ApiError(
        409,
        'Conflict',
        `Operation cannot be fulfilled on ${plural}.${group} "${name}": the object has been modified; please apply your changes to the latest version and try again`,
      );
    }
    const known = { ...(spec === undefined ? {} : { spec }), metadata: others };
    const after = mergePatch(before, known) as KubernetesObject;
    if (sizeOf(after.metadata.annotations ?? {}) > MAX_ANNOTATIONS) {
      const words = `metadata.annotations: Too long: may not be more than ${MAX_ANNOTATIONS} bytes`;
      throw new ApiError(422, 'Invalid', `${kind}.${KINDS[kind].group} "${name}" is invalid: ${words}`);
    }
    return this.#write(before, after, manager, 'Update');
  }

  /** Controllers write the status in place and then say so. */
  saveStatus(object: KubernetesObject, manager: string): void {
    const current = this.find(object.kind as Kind, object.metadata.namespace, object.metadata.name);
    if (current?.metadata.uid !== object.metadata.uid) return;
    if (isDeepStrictEqual(current.status, object.status)) return;
    current.status = structuredClone(object.status);
    this.#tell('MODIFIED', current, manager);
  }

  remove(kind: Kind, namespace: string, name: string): void {
    const object = this.get(kind, namespace, name);
    this.#objects.delete(keyOf(object));
    this.#tell('DELETED', object, 'kubectl');
  }

  /** Changes after a version; `undefined` when they are no longer known. */
  since(version: number): Change[] | undefined {
    return version < this.#forgotten ? undefined : this.#log.filter((change) => change.version > version);
  }

  /** Forgets the log, as etcd does when it is compacted. */
  compact(): void {
    this.#log = [];
    this.#forgotten = this.#version;
  }

  #write(before: KubernetesObject, after: KubernetesObject, manager: string, operation: 'Apply' | 'Update') {
    const isNewSpec = !isDeepStrictEqual(before.spec, after.spec);
    const labels = after.metadata.labels ?? {};
    const annotations = after.metadata.annotations ?? {};
    // A change that changes nothing makes no version, and no watch hears of it.
    if (!isNewSpec && isDeepStrictEqual([before.metadata.labels, before.metadata.annotations], [labels, annotations])) {
      return before;
    }
    const labelsBefore = before.metadata.labels;
    const entry = { manager, operation, apiVersion: before.apiVersion, time: timestamp() };
    before.spec = after.spec;
    before.metadata.labels = labels;
    before.metadata.annotations = annotations;
    before.metadata.generation += isNewSpec ? 1 : 0;
    before.metadata.managedFields = [...before.metadata.managedFields.filter((one) => one.manager !== manager), entry];
    this.#tell('MODIFIED', before, manager, labelsBefore);
    return before;
  }

  #tell(type: Change['type'], object: KubernetesObject, manager: string, labelsBefore?: Record<string, string>): void {
    this.#version += 1;
    object.metadata.resourceVersion = String(this.#version);
    const change = { type, object: structuredClone(object), manager, ...(labelsBefore ? { labelsBefore } : {}) };
    this.#log.push({ ...change, version: this.#version });
    this.emit('change', change);
  }
}

/** As the API server counts them. */
const MAX_ANNOTATIONS = 256 * 1024;

function sizeOf(annotations: Record<string, string>): number {
  return Object.entries(annotations).reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0);
}

function keyOf({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata.namespace}/${metadata.name}`;
}
