/** The parts of any object of the API that the sandbox fills, as they stand in its JSON. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace: string;
    uid: string;
    resourceVersion: string;
    generation: number;
    creationTimestamp: string;
    labels: Record<string, string>;
    annotations: Record<string, string>;
    managedFields: { manager: string; operation: 'Apply' | 'Update'; apiVersion: string; time: string }[];
  };
  spec: Spec;
  status: Status;
}

// biome-ignore lint/suspicious/noExplicitAny: specs and statuses have as many shapes as there are kinds
export type Spec = Record<string, any>;
// biome-ignore lint/suspicious/noExplicitAny: as above
export type Status = Record<string, any>;

/** As Kubernetes stores and answers it: an empty map is no map. */
export function asStored({ metadata, ...rest }: KubernetesObject): object {
  const { labels, annotations, ...others } = metadata;
  return {
    ...rest,
    metadata: {
      ...others,
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
  };
}

/** What is written to make or change an object. */
export interface Manifest {
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec: Spec;
}

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  observedGeneration: number;
  lastTransitionTime: string;
}

/** Sets a condition; its time moves only when its status does. */
export function setCondition(
  object: KubernetesObject,
  type: string,
  status: Condition['status'],
  reason: string,
  message: string,
): void {
  const conditions: Condition[] = object.status['conditions'] ?? [];
  const before = conditions.find((one) => one.type === type);
  const condition: Condition = {
    type,
    status,
    reason,
    message,
    observedGeneration: object.metadata.generation,
    lastTransitionTime: before?.status === status ? before.lastTransitionTime : timestamp(),
  };
  object.status['conditions'] = [...conditions.filter((one) => one.type !== type), condition];
}

export function dropCondition(object: KubernetesObject, type: string): void {
  const conditions: Condition[] = object.status['conditions'] ?? [];
  object.status['conditions'] = conditions.filter((one) => one.type !== type);
}

export function conditionOf(object: KubernetesObject, type: string): Condition | undefined {
  return (object.status['conditions'] as Condition[] | undefined)?.find((one) => one.type === type);
}

/** Kubernetes writes whole seconds. */
export function timestamp(date: Date = new Date()): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** RFC 7386: objects are merged, null removes, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const merged: Record<string, unknown> =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}
