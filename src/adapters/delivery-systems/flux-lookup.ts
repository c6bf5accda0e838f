import type { JsonObject } from '../../base/json.ts';
import { gateDependency } from './flux-gate.ts';
import { KUSTOMIZATION, type ObjectRef, ownerOf, parseSourceName } from './flux-kinds.ts';
import { ownSourceRef } from './flux-revisions.ts';
import type { FluxObjects } from './flux-seen.ts';
import { annotationsOf, nameOf, optional, textAt } from './kubernetes-object.ts';

/** Finds an object, in a list or by asking; `undefined` when it is not there, or out of our sight. */
export type Find = (ref: ObjectRef) => Promise<JsonObject | undefined>;

/** What an application's object names: the same objects, whether one is looked at or all. */
export async function withSurroundings(object: JsonObject, find: Find, prefix: string): Promise<FluxObjects> {
  const refs = refsAround(object, prefix);
  const [source, follows, gate, parent] = await Promise.all(
    [refs.source, refs.follows, refs.gate, refs.parent].map(async (ref) => (ref ? find(ref) : undefined)),
  );
  const above = parent && ownSourceRef(parent);
  const parentSource = above && (await find(above));
  return {
    object,
    ...optional('source', source),
    ...optional('follows', follows),
    ...optional('gate', gate),
    ...optional('parent', parent && { object: parent, ...optional('source', parentSource) }),
  };
}

/** What an application's object names. */
export function refsAround(object: JsonObject, prefix: string) {
  const { namespace } = nameOf(object);
  const dependency = gateDependency(object, prefix);
  const gateName = textAt(dependency?.['name']);
  return {
    source: ownSourceRef(object),
    follows: parseSourceName(annotationsOf(object)[`${prefix}/follows`], namespace),
    gate:
      gateName === undefined
        ? undefined
        : { kind: KUSTOMIZATION, namespace: textAt(dependency?.['namespace']) ?? namespace, name: gateName },
    // A Kustomization has Git below it; only a HelmRelease needs to be told by what applied it.
    parent: object['kind'] === KUSTOMIZATION.kind ? undefined : ownerOf(object),
  };
}

export function keyOfRef({ kind, namespace, name }: ObjectRef): string {
  return `${kind.kind}/${namespace}/${name}`;
}
