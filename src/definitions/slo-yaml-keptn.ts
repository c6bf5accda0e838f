import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type Scalar } from 'yaml';
import type { KeptnObjective, KeptnSlo } from '../slo/keptn/model.ts';
import type { Parsed, Problem } from './problem.ts';

/** The definition's limit of read-yaml.ts; Keptn had none. */
const MAX_BYTES = 256 * 1024;
/** Aliases expanded: a small file cannot stand for a huge one. */
const MAX_NODES = 100_000;

/**
 * Reads an slo.yaml as Keptn 1.4.5 did with Go's yaml.v3: unknown keys are ignored, scalars become
 * text, fractions of a weight are cut off, only the first document counts, and what is absent gets
 * Keptn's defaults. What it refused is refused, with its place. Never throws.
 */
export function parseKeptnSlo(text: string, file: string): Parsed<KeptnSlo> {
  const lines = new LineCounter();
  const refuse = (offset: number, message: string): { ok: false; problems: Problem[] } => {
    const { line, col } = lines.linePos(offset);
    return { ok: false, problems: [{ file, line: Math.max(1, line), column: Math.max(1, col), path: '', message }] };
  };
  if (text.length > MAX_BYTES) return refuse(0, `the file is larger than ${MAX_BYTES / 1024} KiB: split it`);
  try {
    // Without a schema every scalar stays the text that was written; its meaning follows from where it stands.
    const documents = parseAllDocuments(text, {
      schema: 'failsafe',
      resolveKnownTags: false,
      prettyErrors: false,
      uniqueKeys: false,
      lineCounter: lines,
    });
    const [first] = Array.isArray(documents) ? documents : [];
    if (first === undefined) return { ok: true, value: toSlo(new Reader(() => undefined).mapping(null)) };
    const [error] = first.errors;
    if (error !== undefined) return refuse(error.pos[0], error.message);
    const reader = new Reader((node) => (isAlias(node) ? node.resolve(first) : undefined));
    return { ok: true, value: toSlo(reader.mapping(first.contents)) };
  } catch (error) {
    if (error instanceof Unreadable) return refuse(error.offset, error.message);
    return refuse(0, `the file cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

class Unreadable extends Error {
  readonly offset: number;

  constructor(node: unknown, message: string) {
    super(message);
    this.offset = (node as { range?: readonly number[] | null } | null)?.range?.[0] ?? 0;
  }
}

type Mapping = ReadonlyMap<string, unknown>;

/** Reads nodes as the Go types that Keptn declares; `undefined` for null and for what is absent. */
class Reader {
  readonly #target: (node: unknown) => unknown;
  #nodes = 0;

  constructor(target: (node: unknown) => unknown) {
    this.#target = target;
  }

  mapping(node: unknown): Entries | undefined {
    const here = this.#resolve(node);
    if (here === undefined) return undefined;
    if (!isMap(here)) throw new Unreadable(here, 'must be a mapping');
    const found = new Map<string, unknown>();
    const merged: unknown[] = [];
    for (const { key, value } of here.items) {
      const name = isScalar(key) ? String(key.value ?? '') : '';
      if (name === '<<') {
        merged.push(value);
        continue;
      }
      if (found.has(name)) throw new Unreadable(key, `"${name.slice(0, 60)}" is there twice: keep one`);
      found.set(name, value);
    }
    for (const each of merged) this.#merge(each, found);
    return new Entries(this, found);
  }

  list(node: unknown): unknown[] | undefined {
    const here = this.#resolve(node);
    if (here === undefined) return undefined;
    if (!isSeq(here)) throw new Unreadable(here, 'must be a list');
    return here.items;
  }

  text(node: unknown): string {
    const here = this.#resolve(node);
    if (here === undefined) return '';
    if (!isScalar(here)) throw new Unreadable(here, 'must be text');
    return String(here.value ?? '');
  }

  /** Cuts off a fraction; quoted numbers are text, and refused. */
  whole(node: unknown): number {
    const here = this.#resolve(node);
    if (here === undefined) return 0;
    const value = isScalar(here) && isPlain(here) ? goNumber(String(here.value)) : undefined;
    if (value === undefined) throw new Unreadable(here, 'must be a number, without quotes');
    return Math.trunc(value) + 0;
  }

  /** YAML 1.1's words count too. */
  flag(node: unknown): boolean {
    const here = this.#resolve(node);
    if (here === undefined) return false;
    const word = isScalar(here) ? String(here.value) : '';
    if (isScalar(here) && isPlain(here) && /^(?:true|True|TRUE)$/.test(word)) return true;
    if (isScalar(here) && isPlain(here) && /^(?:false|False|FALSE)$/.test(word)) return false;
    if (/^(?:y|Y|yes|on)$/.test(word)) return true;
    if (/^(?:n|N|no|off)$/.test(word)) return false;
    throw new Unreadable(here, 'must be true or false');
  }

  #merge(node: unknown, into: Map<string, unknown>): void {
    const here = this.#resolve(node);
    for (const each of isSeq(here) ? here.items : [here]) {
      for (const [key, value] of this.mapping(each)?.all ?? []) if (!into.has(key)) into.set(key, value);
    }
  }

  #resolve(node: unknown): unknown {
    this.#nodes++;
    if (this.#nodes > MAX_NODES)
      throw new Unreadable(node, `the file holds more than ${MAX_NODES} values, aliases included`);
    const here = isAlias(node) ? this.#target(node) : node;
    if (here === null || here === undefined) return undefined;
    return isScalar(here) && isPlain(here) && /^(?:|~|null|Null|NULL)$/.test(String(here.value ?? ''))
      ? undefined
      : here;
  }
}

class Entries {
  readonly all: Mapping;
  readonly #reader: Reader;

  constructor(reader: Reader, all: Mapping) {
    this.#reader = reader;
    this.all = all;
  }

  text(key: string): string {
    return this.#reader.text(this.all.get(key));
  }

  whole(key: string): number {
    return this.#reader.whole(this.all.get(key));
  }

  flag(key: string): boolean {
    return this.#reader.flag(this.all.get(key));
  }

  mapping(key: string): Entries | undefined {
    return this.#reader.mapping(this.all.get(key));
  }

  list<T>(key: string, read: (node: unknown, reader: Reader) => T): T[] | null {
    return this.#reader.list(this.all.get(key))?.map((node) => read(node, this.#reader)) ?? null;
  }

  texts(): Record<string, string> {
    return Object.fromEntries([...this.all].map(([key, value]) => [key, this.#reader.text(value)]));
  }
}

function toSlo(file: Entries | undefined): KeptnSlo {
  const comparison = file?.mapping('comparison');
  const score = file?.mapping('total_score');
  return {
    spec_version: file?.text('spec_version') ?? '',
    filter: file?.mapping('filter')?.texts() ?? null,
    comparison: {
      compare_with: comparison === undefined ? 'single_result' : comparison.text('compare_with'),
      include_result_with_score: comparison?.text('include_result_with_score') || 'all',
      number_of_comparison_results:
        comparison === undefined ? 1 : comparison.whole('number_of_comparison_results') || 3,
      aggregate_function: comparison?.text('aggregate_function') || 'avg',
    },
    objectives: (file?.list('objectives', toObjective) ?? []).filter((objective) => objective !== undefined),
    total_score: score === undefined ? null : { pass: score.text('pass'), warning: score.text('warning') },
  };
}

function toObjective(node: unknown, reader: Reader): KeptnObjective | undefined {
  const objective = reader.mapping(node);
  if (objective === undefined) return undefined;
  return {
    sli: objective.text('sli'),
    displayName: objective.text('displayName'),
    pass: objective.list('pass', toCriteria),
    warning: objective.list('warning', toCriteria),
    weight: objective.whole('weight') || 1,
    key_sli: objective.flag('key_sli'),
  };
}

function toCriteria(node: unknown, reader: Reader): { criteria: string[] } {
  const set = reader.mapping(node);
  // Keptn reads it, and comes to grief when it evaluates.
  if (set === undefined) throw new Unreadable(node, 'must be a mapping with "criteria"');
  return { criteria: set.list('criteria', (each) => reader.text(each)) ?? [] };
}

function isPlain(scalar: Scalar): boolean {
  return scalar.type === 'PLAIN' || scalar.type === undefined;
}

/** Numbers as yaml.v3 resolves them where a whole number is asked for; Go's prefixes and underscores count. */
function goNumber(text: string): number | undefined {
  const [, sign = '', digits = ''] = /^([+-]?)(.*)$/.exec(text.replaceAll('_', '')) ?? [];
  const whole = /^0[0-7]+$/.test(digits) ? Number(`0o${digits.slice(1)}`) : prefixedOrDecimal(digits);
  if (whole === undefined || !Number.isFinite(whole)) return undefined;
  return sign === '-' ? -whole : whole;
}

function prefixedOrDecimal(digits: string): number | undefined {
  if (/^0(?:x[0-9a-f]+|o[0-7]+|b[01]+)$/i.test(digits)) return Number(digits);
  return /^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(digits) ? Number(digits) : undefined;
}
