import { AdapterError } from '../../base/adapter-error.ts';
import type { JsonObject } from '../../base/json.ts';
import type { ResourceKind, Whereabouts } from './kubernetes.ts';
import { labelsOf, nameOf, objectAt, partsOf, textAt } from './kubernetes-object.ts';

export const KUSTOMIZATION: ResourceKind = {
  group: 'kustomize.toolkit.fluxcd.io',
  version: 'v1',
  plural: 'kustomizations',
  kind: 'Kustomization',
};
export const HELM_RELEASE: ResourceKind = {
  group: 'helm.toolkit.fluxcd.io',
  version: 'v2',
  plural: 'helmreleases',
  kind: 'HelmRelease',
};
export const GIT_REPOSITORY: ResourceKind = {
  group: 'source.toolkit.fluxcd.io',
  version: 'v1',
  plural: 'gitrepositories',
  kind: 'GitRepository',
};
export const OCI_REPOSITORY: ResourceKind = {
  group: 'source.toolkit.fluxcd.io',
  version: 'v1',
  plural: 'ocirepositories',
  kind: 'OCIRepository',
};

/** All that we read, and all that we have rights to: no charts, buckets or secrets. */
export const FLUX_KINDS: readonly ResourceKind[] = [KUSTOMIZATION, HELM_RELEASE, GIT_REPOSITORY, OCI_REPOSITORY];
const APPLICATIONS: readonly ResourceKind[] = [KUSTOMIZATION, HELM_RELEASE];
const SOURCES: readonly ResourceKind[] = [GIT_REPOSITORY, OCI_REPOSITORY];

/** Asks a controller to look at the object now; any new text. */
export const REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt';
/** Who applied an object: kustomize-controller labels all that it applies. */
const APPLIED_BY = 'kustomize.toolkit.fluxcd.io';
/** DNS-1123, as Kubernetes wants the names of these objects. */
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/** An object that another one names. */
export interface ObjectRef extends Whereabouts {
  kind: ResourceKind;
}

/** `kustomization/checkout`: the kind belongs to the name, as kubectl writes it. */
export function applicationName(kind: ResourceKind, name: string): string {
  return `${kind.kind.toLowerCase()}/${name}`;
}

/**
 * The object that an application's name stands for.
 *
 * @throws {AdapterError} `rejected` for what is no name, `not-found` for a name without one of the two kinds
 */
export function objectOfApplication(system: string, { namespace, name }: Whereabouts): ObjectRef {
  const [prefix = '', rest] = name.split('/', 2);
  const object = rest ?? prefix;
  if (!NAME.test(object) || name.split('/').length > 2) {
    throw new AdapterError('rejected', `"${name.slice(0, 100)}" is not a name`);
  }
  const kind = rest === undefined ? undefined : APPLICATIONS.find((one) => one.kind.toLowerCase() === prefix);
  if (kind) return { kind, namespace, name: object };
  throw new AdapterError(
    'not-found',
    `Flux ${system} has no application "${name.slice(0, 100)}": they are named kustomization/NAME and helmrelease/NAME`,
  );
}

/** What a `sourceRef` or `chartRef` names; `undefined` for kinds that we do not read (Bucket, HelmChart, ...). */
export function sourceRefOf(value: unknown, namespace: string): ObjectRef | undefined {
  const ref = objectAt(value);
  const kind = SOURCES.find((one) => one.kind === ref['kind']);
  const name = textAt(ref['name']);
  return kind && name !== undefined ? { kind, namespace: textAt(ref['namespace']) ?? namespace, name } : undefined;
}

/** `GitRepository/NAME` or `GitRepository/NAMESPACE/NAME`, as our annotations name a source. */
export function parseSourceName(text: string | undefined, namespace: string): ObjectRef | undefined {
  const parts = (text ?? '').split('/');
  const kind = SOURCES.find((one) => one.kind === parts[0]);
  const names = parts.slice(1);
  if (!kind || names.length < 1 || names.length > 2 || !names.every((one) => NAME.test(one))) return undefined;
  return { kind, namespace: names.length === 2 ? (names[0] ?? '') : namespace, name: names.at(-1) ?? '' };
}

/** A Kustomization or HelmRelease whose labels say that it wants to be looked after (they may be incomplete). */
export function isApplicationOf(object: JsonObject, prefix: string): boolean {
  return (
    APPLICATIONS.some(({ kind }) => kind === object['kind']) && labelsOf(object)[`${prefix}/service`] !== undefined
  );
}

/** The Kustomization that applied an object, where one did. */
export function ownerOf(object: JsonObject): ObjectRef | undefined {
  const labels = labelsOf(object);
  const [name, namespace] = [labels[`${APPLIED_BY}/name`], labels[`${APPLIED_BY}/namespace`]];
  if (name === undefined || namespace === undefined || !NAME.test(name)) return undefined;
  const own = nameOf(object);
  const itself = own.name === name && own.namespace === namespace && partsOf(object).spec['sourceRef'] !== undefined;
  return itself ? undefined : { kind: KUSTOMIZATION, namespace, name };
}

/** `GitRepository checkout`, for people. */
export function sayRef({ kind, name }: ObjectRef): string {
  return `${kind.kind} ${name}`;
}
