import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseAllDocuments,
} from 'yaml';
import type { Parsed, Problem } from './problem.ts';

/** A definition is written by people; the largest real one we know of has 8 KiB. */
const MAX_BYTES = 256 * 1024;
const MAX_DEPTH = 64;
/** Counted with aliases expanded, so that a small file cannot stand for a huge one. */
const MAX_NODES = 20_000;
const MAX_ALIASES = 10;
const MAX_DOCUMENTS = 100;
/** More mistakes than this help nobody and cost time on every check of a broken file. */
export const MAX_PROBLEMS = 50;

export type Path = readonly (string | number)[];
export type Place = Pick<Problem, 'line' | 'column'>;

/** A document as plain values, which still knows where each of them is written. */
export interface YamlDocument {
  file: string;
  value: unknown;
  /** Place of a value, or of a key when `key` names one in it; the nearest parent when it is not there. */
  place(path: Path, key?: string): Place;
}

type Parse = Document.Parsed<ParsedNode>;

/**
 * Reads a file that must hold exactly one YAML (or JSON) document. Core schema without custom tags,
 * each key once, bounded in size, depth and aliases. Never throws.
 */
export function readYaml(text: string, file: string): Parsed<YamlDocument> {
  const documents = readYamlDocuments(text, file);
  if (!documents.ok) return documents;
  const [first, second] = documents.value;
  if (first === undefined) return refuse(file, 'the file is empty');
  if (second !== undefined) {
    return refuse(file, 'the file holds several documents: keep one, without a second "---"', second.place([]));
  }
  return { ok: true, value: first };
}

/** Reads all documents of a file, with the limits of `readYaml`. Never throws. */
export function readYamlDocuments(text: string, file: string): Parsed<YamlDocument[]> {
  if (text.length > MAX_BYTES || new TextEncoder().encode(text).length > MAX_BYTES) {
    return refuse(file, `the file is larger than ${MAX_BYTES / 1024} KiB: split it`);
  }
  try {
    return parseAll(text, file);
  } catch (error) {
    // The parser's own brakes (aliases, recursion) arrive as exceptions.
    return refuse(file, `the file cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** How YAML of others is parsed: nothing in it makes objects or merges. Keys that come twice are not noticed by this. */
export const HARMLESS_YAML = {
  schema: 'core',
  version: '1.2',
  merge: false,
  resolveKnownTags: false,
  prettyErrors: false,
  stringKeys: true,
  // The parser compares every key with every other: whoever needs to know looks in one pass of its own.
  uniqueKeys: false,
} as const;

function parseAll(text: string, file: string): Parsed<YamlDocument[]> {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    ...HARMLESS_YAML,
    lineCounter: lines,
  });
  const parsed = Array.isArray(documents) ? (documents as Parse[]) : [];
  if (parsed.length > MAX_DOCUMENTS) return refuse(file, `the file holds more than ${MAX_DOCUMENTS} documents`);
  const problems: Problem[] = [];
  const values: YamlDocument[] = [];
  for (const document of parsed) {
    const found = inspect(document, lines, file);
    if (found.length > 0) problems.push(...found);
    else values.push(toDocument(document, lines, file));
  }
  return problems.length > 0 ? { ok: false, problems: problems.slice(0, MAX_PROBLEMS) } : { ok: true, value: values };
}

function toDocument(document: Parse, lines: LineCounter, file: string): YamlDocument {
  return {
    file,
    value: document.toJS({ maxAliasCount: MAX_ALIASES }),
    place: (path, key) => placeAt(lines, offsetOf(document, path, key)),
  };
}

function inspect(document: Parse, lines: LineCounter, file: string): Problem[] {
  const at = (offset: number, message: string): Problem => ({ file, ...placeAt(lines, offset), path: '', message });
  const syntax = [...document.errors, ...document.warnings].map((error) => at(error.pos[0], error.message));
  if (syntax.length > 0) return syntax.slice(0, MAX_PROBLEMS);
  return inspectNodes(document, at);
}

function inspectNodes(document: Parse, at: (offset: number, message: string) => Problem): Problem[] {
  const problems: Problem[] = [];
  let nodes = 0;
  const walk = (node: unknown, depth: number): void => {
    if (problems.length >= MAX_PROBLEMS || ++nodes > MAX_NODES) return;
    const offset = offsetOfNode(node);
    if (depth > MAX_DEPTH) {
      problems.push(at(offset, `nested deeper than ${MAX_DEPTH} levels (or an alias that contains itself)`));
    } else if (isAlias(node)) {
      walk((node as Alias).resolve(document), depth + 1);
    } else if (isSeq(node)) {
      for (const item of node.items) walk(item, depth + 1);
    } else if (isMap(node)) {
      problems.push(...keyProblems(node.items, at));
      for (const pair of node.items) walk(isPair(pair) ? pair.value : undefined, depth + 1);
    }
  };
  walk(document.contents, 0);
  if (nodes > MAX_NODES) problems.push(at(0, `the file holds more than ${MAX_NODES} values, aliases included`));
  return problems.slice(0, MAX_PROBLEMS);
}

function keyProblems(pairs: readonly unknown[], at: (offset: number, message: string) => Problem): Problem[] {
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (const pair of pairs) {
    if (!isPair(pair)) continue;
    const key = keyOf(pair.key);
    if (key === '__proto__') problems.push(at(offsetOfNode(pair.key), '"__proto__" cannot be used as a key'));
    if (seen.has(key)) problems.push(at(offsetOfNode(pair.key), `"${key.slice(0, 60)}" is there twice: keep one`));
    seen.add(key);
  }
  return problems;
}

function offsetOf(document: Parse, path: Path, key: string | undefined): number {
  let node: unknown = document.contents;
  let offset = offsetOfNode(node);
  for (const segment of path) {
    const target = isAlias(node) ? node.resolve(document) : node;
    node = isSeq(target) ? target.items[Number(segment)] : pairAt(target, String(segment))?.value;
    if (node === undefined || node === null) return offset;
    offset = offsetOfNode(node);
  }
  if (key === undefined) return offset;
  const found = pairAt(isAlias(node) ? node.resolve(document) : node, key);
  return found === undefined ? offset : offsetOfNode(found.key);
}

function pairAt(node: unknown, key: string): { key: unknown; value: unknown } | undefined {
  if (!isMap(node)) return undefined;
  return node.items.find((pair) => keyOf(pair.key) === key);
}

function keyOf(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

function offsetOfNode(node: unknown): number {
  const range = (node as { range?: readonly number[] | null } | null | undefined)?.range;
  return range?.[0] ?? 0;
}

function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function refuse(
  file: string,
  message: string,
  place: Place = { line: 1, column: 1 },
): { ok: false; problems: Problem[] } {
  return { ok: false, problems: [{ file, ...place, path: '', message }] };
}
