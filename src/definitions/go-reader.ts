import { isAlias, isMap, isScalar, isSeq, type YAMLMap } from 'yaml';
import { type GoScalar, readScalar } from './go-scalar.ts';
import { Unreadable } from './go-unreadable.ts';

/** Aliases expanded: a small file cannot stand for a huge one. */
const MAX_NODES = 100_000;
const TRUE = ['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON'];
const FALSE = ['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF'];
const SMALLEST = -(2 ** 63);

/** Reads nodes as the Go types that a struct declares, as yaml.v3 does; what nobody asks for is not looked at. */
export class GoReader {
  readonly #aliases: ReadonlyMap<unknown, unknown>;
  #nodes = 0;

  /** `aliases` are the nodes that aliases stand for. */
  constructor(aliases: ReadonlyMap<unknown, unknown>) {
    this.#aliases = aliases;
  }

  /** `undefined` for null, as with all that follow. */
  mapping(node: unknown): GoMapping | undefined {
    const here = this.#resolve(node);
    if (here === undefined) return undefined;
    if (!isMap(here)) throw new Unreadable(here, 'must be a mapping');
    return new GoMapping(this, this.#entries(here));
  }

  list(node: unknown): unknown[] | undefined {
    const here = this.#resolve(node);
    if (here === undefined) return undefined;
    if (!isSeq(here)) throw new Unreadable(here, 'must be a list');
    return here.items;
  }

  text(node: unknown): string | undefined {
    const scalar = this.#scalar(node, 'must be text');
    return scalar.kind === 'null' ? undefined : scalar.text;
  }

  /** Cuts off a fraction; quoted numbers are text, and refused. What is too small is the smallest there is. */
  whole(node: unknown): number | undefined {
    const message = 'must be a number, without quotes';
    const scalar = this.#scalar(node, message);
    if (scalar.kind === 'null') return undefined;
    const number = scalar.kind === 'number' ? Number(scalar.number) : Number.NaN;
    const fits = scalar.kind === 'number' && scalar.number < 2n ** 63n;
    if (fits) return Math.trunc(Math.max(number, SMALLEST)) + 0;
    throw new Unreadable(node, message);
  }

  /** YAML 1.1's words count too, even in quotes. */
  flag(node: unknown): boolean | undefined {
    const scalar = this.#scalar(node, 'must be true or false');
    if (scalar.kind === 'null') return undefined;
    if (scalar.kind === 'flag') return scalar.flag;
    if (scalar.kind === 'text' && TRUE.includes(scalar.text)) return true;
    if (scalar.kind === 'text' && FALSE.includes(scalar.text)) return false;
    throw new Unreadable(node, 'must be true or false');
  }

  #entries(map: YAMLMap): Map<string, unknown> {
    const written = new Set<string>();
    const found = new Map<string, unknown>();
    let merged: unknown;
    for (const { key, value } of map.items) {
      const source = sourceOf(key);
      if (written.has(source)) throw new Unreadable(key, `"${source.slice(1, 61)}" is there twice: keep one`);
      written.add(source);
      if (isMerge(key)) merged = value;
      else {
        const name = this.text(key);
        if (name !== undefined) found.set(name, value);
      }
    }
    if (merged !== undefined) this.#merge(merged, found);
    return found;
  }

  #merge(node: unknown, into: Map<string, unknown>): void {
    for (const each of isSeq(node) ? node.items : [node]) {
      const map = isAlias(each) ? this.#aliases.get(each) : each;
      if (!isMap(map)) throw new Unreadable(each, 'must be a mapping to merge, or a list of them');
      for (const [key, value] of this.mapping(map)?.all ?? []) if (!into.has(key)) into.set(key, value);
    }
  }

  #scalar(node: unknown, message: string): Exclude<GoScalar, { kind: 'wrong' }> {
    const here = this.#resolve(node);
    if (here === undefined) return { kind: 'null' };
    if (!isScalar(here)) throw new Unreadable(here, message);
    const scalar = readScalar(here);
    if (scalar.kind === 'wrong') throw new Unreadable(here, scalar.message);
    return scalar;
  }

  #resolve(node: unknown): unknown {
    this.#nodes++;
    if (this.#nodes > MAX_NODES)
      throw new Unreadable(node, `the file holds more than ${MAX_NODES} values, aliases included`);
    const here = isAlias(node) ? this.#aliases.get(node) : node;
    if (here === null || here === undefined) return undefined;
    return isScalar(here) && readScalar(here).kind === 'null' ? undefined : here;
  }
}

/** A mapping by its keys; merged keys come after its own. */
export class GoMapping {
  readonly all: ReadonlyMap<string, unknown>;
  readonly #reader: GoReader;

  constructor(reader: GoReader, all: ReadonlyMap<string, unknown>) {
    this.#reader = reader;
    this.all = all;
  }

  text(key: string): string {
    return this.#reader.text(this.all.get(key)) ?? '';
  }

  whole(key: string): number {
    return this.#reader.whole(this.all.get(key)) ?? 0;
  }

  flag(key: string): boolean {
    return this.#reader.flag(this.all.get(key)) ?? false;
  }

  mapping(key: string): GoMapping | undefined {
    return this.#reader.mapping(this.all.get(key));
  }

  list<T>(key: string, read: (node: unknown, reader: GoReader) => T): T[] | null {
    return this.#reader.list(this.all.get(key))?.map((node) => read(node, this.#reader)) ?? null;
  }

  texts(): Record<string, string> {
    return Object.fromEntries([...this.all.keys()].map((key) => [key, this.text(key)]));
  }
}

/** Keys are the same when they are written the same; of lists and mappings Go knows no more than that. */
function sourceOf(key: unknown): string {
  if (isScalar(key)) return `.${key.value ?? ''}`;
  if (isAlias(key)) return `*${key.source}`;
  return isSeq(key) ? '[' : '{';
}

function isMerge(key: unknown): boolean {
  if (!isScalar(key) || key.value !== '<<') return false;
  return key.tag === 'tag:yaml.org,2002:merge' || ((key.tag ?? '!') === '!' && key.type === 'PLAIN');
}
