import type { KubernetesObject } from './objects.ts';
import { type Change, KINDS, type Kind } from './store.ts';

/** To a watch with a selector, what gets the label comes into being, and what loses it is gone. */
export function typeFor(
  { type, object, labelsBefore }: Change,
  isWanted: (object: KubernetesObject) => boolean,
): Change['type'] | undefined {
  const is = isWanted(object);
  if (type !== 'MODIFIED') return is ? type : undefined;
  const was = isWanted({ ...object, metadata: { ...object.metadata, labels: labelsBefore ?? object.metadata.labels } });
  if (is) return was ? 'MODIFIED' : 'ADDED';
  return was ? 'DELETED' : undefined;
}

/** How far a watch has come when nothing has changed that it looks at. */
export function bookmarkOf(kind: Kind, resourceVersion: string): object {
  const { group, version } = KINDS[kind];
  return { apiVersion: `${group}/${version}`, kind, metadata: { resourceVersion } };
}
