import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import { type PathStep, sayValuePath } from '../../definitions/value-path.ts';
import { type OpenDocument, type OpenFile, refuse, resourceName } from './open-file.ts';

/** A value in a file; `resource` tells which of several documents is meant. */
export interface Spot {
  resource?: string | undefined;
  path: readonly PathStep[];
}

/** Where a value is written, or where it would be. */
export interface Located {
  document: OpenDocument;
  /** The mapping or list that holds it. */
  parent: YAMLMap | YAMLSeq;
  /** `undefined`: the mapping has no such key yet. */
  node: Node | undefined;
  /** Where in the parent: a key, or a position. */
  at: string | number;
  /** From the root of the document, with positions instead of fields. */
  keys: (string | number)[];
}

type Missing = { missing: string; offset: number };

/**
 * Finds a value. To be written, nothing on the way to it may be shared with another place (anchors, aliases) or be
 * there twice; to be read, aliases are followed.
 *
 * @throws {EditRefusal} it is not there, in several documents, or cannot be written by itself
 */
export function locate(file: OpenFile, spot: Spot, use: 'read' | 'write'): Located {
  const path = sayValuePath(spot.path);
  const documents = candidates(file, spot);
  const found = documents.map((document) => walk(file, document, spot.path, use));
  const there = found.filter((one): one is Located => 'node' in one);
  const full = there.filter(({ node }) => node !== undefined);
  const [first, second] = full.length > 0 ? full : there;
  if (second !== undefined)
    return refuse(file, `is in ${there.length} documents of the file: say which one with "resource"`, 0, path);
  if (first !== undefined) return first;
  const [missing] = found as Missing[];
  return refuse(file, missing?.missing ?? 'is not there: the file is empty', missing?.offset, path);
}

function candidates(file: OpenFile, { resource, path }: Spot): OpenDocument[] {
  if (resource === undefined) return file.documents;
  const named = file.documents.filter((document) => resourceName(document) === resource);
  if (named.length === 1) return named;
  const known = file.documents.map(resourceName).filter((name) => name !== undefined);
  const has = known.length === 0 ? 'no resources' : known.slice(0, 10).join(', ');
  const problem = named.length === 0 ? `has no ${resource}, it has ${has}` : `has ${resource} ${named.length} times`;
  return refuse(file, problem, 0, sayValuePath(path));
}

function walk(
  file: OpenFile,
  document: OpenDocument,
  steps: readonly PathStep[],
  use: 'read' | 'write',
): Located | Missing {
  let node: Node | undefined | null = document.contents;
  let located: Located | undefined;
  const keys: (string | number)[] = [];
  for (const [index, step] of steps.entries()) {
    const said = sayValuePath(steps.slice(0, index + 1));
    const parent = container(file, document, node, said, use);
    if (!isMap(parent) && !isSeq(parent))
      return { missing: sayMissing(said, steps[index - 1]), offset: offsetOf(node) };
    const place = isMap(parent) ? keyed(file, parent, step, said) : listed(file, document, parent, step, said);
    if (place === undefined || (place.node === undefined && index < steps.length - 1))
      return { missing: `there is no ${said}`, offset: offsetOf(parent) };
    keys.push(place.at);
    node = place.node;
    located = { document, parent, keys, ...place };
  }
  if (located === undefined) return { missing: 'the path is empty', offset: 0 };
  if (use === 'write') requireOwn(file, located.node, sayValuePath(steps));
  else if (isAlias(located.node)) return { ...located, node: located.node.resolve(document) };
  return located;
}

function sayMissing(said: string, before: PathStep | undefined): string {
  return before === undefined ? 'the document is neither a mapping nor a list' : `there is no ${said}`;
}

function container(
  file: OpenFile,
  document: OpenDocument,
  node: unknown,
  said: string,
  use: 'read' | 'write',
): unknown {
  if (use === 'write') requireOwn(file, node, said);
  return isAlias(node) ? node.resolve(document) : node;
}

function keyed(file: OpenFile, map: YAMLMap, step: PathStep, said: string): Pick<Located, 'node' | 'at'> | undefined {
  if (typeof step === 'object') return undefined;
  const pairs = map.items.filter((pair) => keyOf(pair) === String(step));
  const [pair, twice] = pairs;
  if (twice) return refuse(file, 'is there twice: keep one', offsetOf(twice.key), said);
  return { node: (pair?.value ?? undefined) as Node | undefined, at: String(step) };
}

function listed(
  file: OpenFile,
  document: OpenDocument,
  seq: YAMLSeq,
  step: PathStep,
  said: string,
): Pick<Located, 'node' | 'at'> | undefined {
  if (typeof step === 'number') {
    const item = seq.items[step];
    return item === undefined ? undefined : { node: item as Node, at: step };
  }
  if (typeof step === 'string') return undefined;
  const matching = seq.items.flatMap((item, at) => {
    const map = isAlias(item) ? item.resolve(document) : item;
    return isMap(map) && textOf(map.get(step.field, true)) === step.is ? [at] : [];
  });
  const [at, twice] = matching;
  if (twice !== undefined) return refuse(file, 'is there twice: keep one', offsetOf(seq.items[twice]), said);
  return at === undefined ? undefined : { node: seq.items[at] as Node, at };
}

/** What is shared would change elsewhere, too. */
function requireOwn(file: OpenFile, node: unknown, said: string): void {
  if (isAlias(node)) refuse(file, `is an alias (*${node.source}): write the value itself there`, offsetOf(node), said);
  const { anchor } = (node ?? {}) as { anchor?: string };
  if (anchor !== undefined)
    refuse(file, `has an anchor (&${anchor}), so it would change in other places, too`, offsetOf(node), said);
  if (isScalar(node) && node.tag !== undefined)
    refuse(file, `has a tag (${node.tag}): write the value without one`, offsetOf(node), said);
}

export function keyOf({ key }: Pair): string {
  return String(isScalar(key) ? key.value : key);
}

/** A scalar as people read it: `1.10` stays `1.10`. */
export function textOf(node: unknown): string | undefined {
  if (!isScalar(node)) return undefined;
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
}

export function offsetOf(node: unknown): number {
  return (node as { range?: readonly number[] | null } | null | undefined)?.range?.[0] ?? 0;
}
