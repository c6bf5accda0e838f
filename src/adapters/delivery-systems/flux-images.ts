import { AdapterError } from '../../base/adapter-error.ts';
import type { JsonObject } from '../../base/json.ts';
import type { CallOptions } from './delivery-system.ts';
import { HELM_RELEASE, type ObjectRef } from './flux-kinds.ts';
import type { KubernetesApi, ResourceKind } from './kubernetes.ts';
import { nameOf, objectAt, objectsAt, partsOf, textAt } from './kubernetes-object.ts';

const workload = (plural: string, kind: string): ResourceKind => ({ group: 'apps', version: 'v1', plural, kind });
/** What runs images for long; nothing of them is read but which. */
export const WORKLOAD_KINDS: readonly ResourceKind[] = [
  workload('deployments', 'Deployment'),
  workload('statefulsets', 'StatefulSet'),
  workload('daemonsets', 'DaemonSet'),
];
/** Each costs a request: what consists of more has no version of its own. */
const MOST_WORKLOADS = 20;
/** helm-controller labels what it installs with these. */
const INSTALLED_BY = 'helm.toolkit.fluxcd.io';

export interface FluxImagesTools {
  api: KubernetesApi;
  /** Whether the configuration leaves a namespace to us. */
  isInSight(at: { namespace: string }): boolean;
}

/**
 * The images that the workloads of a Kustomization or HelmRelease ask for: no object of Flux tells them. A Kustomization
 * says in its inventory which workloads are its own; those of a HelmRelease without one are found by label.
 *
 * @throws {AdapterError} they cannot be known, with the reason
 */
export async function fluxImages(tools: FluxImagesTools, object: JsonObject, options: CallOptions): Promise<string[]> {
  const { spec, status } = partsOf(object);
  if (spec['kubeConfig'] !== undefined)
    throw new AdapterError('rejected', 'they run in another cluster (spec.kubeConfig), which is not asked');
  const inventory = objectAt(status['inventory']);
  const isListed = object['kind'] !== HELM_RELEASE.kind || inventory['entries'] !== undefined;
  const found = isListed ? await listed(tools, inventory, options) : await labelled(tools, object, options);
  return [...new Set(found.flatMap(imagesIn))].sort();
}

async function listed({ api, isInSight }: FluxImagesTools, inventory: JsonObject, options: CallOptions) {
  const refs = objectsAt(inventory['entries']).flatMap((entry) => workloadIn(textAt(entry['id']) ?? '') ?? []);
  const foreign = refs.find((ref) => !isInSight(ref));
  if (foreign)
    throw new AdapterError('rejected', `the namespace ${foreign.namespace} is not among those of lynceus.yaml`);
  refuseMany(refs.length);
  const objects: JsonObject[] = [];
  for (const { kind, ...at } of refs) objects.push(await api.get(kind, at, options));
  return objects;
}

/** `shop_checkout_apps_Deployment`: namespace, name, group and kind. None of them has the character in between. */
function workloadIn(id: string): ObjectRef | undefined {
  const [namespace = '', name = '', group, kindName, ...more] = id.split('_');
  const kind = WORKLOAD_KINDS.find((one) => one.group === group && one.kind === kindName);
  return kind && more.length === 0 && namespace !== '' && name !== '' ? { kind, namespace, name } : undefined;
}

async function labelled({ api, isInSight }: FluxImagesTools, object: JsonObject, options: CallOptions) {
  const own = nameOf(object);
  const namespace = textAt(partsOf(object).spec['targetNamespace']) ?? own.namespace;
  if (!isInSight({ namespace }))
    throw new AdapterError('rejected', `the namespace ${namespace} is not among those of lynceus.yaml`);
  const labelSelector = `${INSTALLED_BY}/name=${own.name},${INSTALLED_BY}/namespace=${own.namespace}`;
  const objects: JsonObject[] = [];
  for (const kind of WORKLOAD_KINDS)
    objects.push(...((await api.list(kind, { namespace, labelSelector }, options))?.items ?? []));
  refuseMany(objects.length);
  return objects;
}

function refuseMany(count: number): void {
  if (count > MOST_WORKLOADS)
    throw new AdapterError('rejected', `it has ${count} workloads, more than the ${MOST_WORKLOADS} that are asked`);
}

function imagesIn(object: JsonObject): string[] {
  const pod = objectAt(objectAt(partsOf(object).spec['template'])['spec']);
  return ['initContainers', 'containers'].flatMap((key) =>
    objectsAt(pod[key]).flatMap((container) => textAt(container['image']) ?? []),
  );
}
