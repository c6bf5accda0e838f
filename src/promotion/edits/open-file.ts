import { type Document, isMap, isScalar, type ParsedNode, parseAllDocuments } from 'yaml';
import { type Problem, sayProblem } from '../../definitions/problem.ts';
import { HARMLESS_YAML } from '../../definitions/read-yaml.ts';

/** With aliases expanded, so that a small file cannot stand for a huge one. */
export const MAX_ALIASES = 100;
const MAX_DOCUMENTS = 500;
/** Parsing takes seconds for a few MiB, during which nothing else is done. */
const MAX_PARSED = 4 * 1024 * 1024;

export type OpenDocument = Document.Parsed<ParsedNode>;

/** A YAML or JSON file whose values still know where they are written. */
export interface OpenFile {
  name: string;
  text: string;
  json: boolean;
  /** Empty ones left out. */
  documents: OpenDocument[];
  /** Ends of lines as the file has them. */
  eol: string;
  /** What it has to read as in the end, document by document; absent: it is as it was. */
  wanted?: unknown[];
  effort: Effort;
}

/** How many characters may still be parsed for one promotion. */
export interface Effort {
  left: number;
}

export function newEffort(): Effort {
  return { left: MAX_PARSED };
}

/** Something that was asked for cannot be done; nothing has been changed. */
export class EditRefusal extends Error {
  override name = 'EditRefusal';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(sayProblem(problem));
    this.problem = problem;
  }
}

/** @throws {EditRefusal} always: what is wrong, and where */
export function refuse(file: Pick<OpenFile, 'name' | 'text'> | string, message: string, offset = 0, path = ''): never {
  if (typeof file === 'string') throw new EditRefusal({ file, line: 1, column: 1, path, message });
  const line = file.text.slice(0, offset).split('\n').length;
  throw new EditRefusal({ file: file.name, line, column: columnOf(file, offset), path, message });
}

/** From 1. A byte order mark takes no room. */
export function columnOf({ text }: Pick<OpenFile, 'text'>, offset: number): number {
  const before = offset === 0 ? -1 : text.lastIndexOf('\n', offset - 1);
  return offset - before - (before < 0 && offset > 0 && text.startsWith('\uFEFF') ? 1 : 0);
}

/** Without the space behind a value. Only what is space in YAML: a text may end with any other of Unicode's. */
export function withoutSpaceBehind(text: string): string {
  let end = text.length;
  while (end > 0 && ' \t\r\n'.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/**
 * Reads a file that values are taken from or written to.
 *
 * @throws {EditRefusal} it is no YAML (or, by its name, no JSON)
 */
export function openFile(name: string, text: string, effort: Effort): OpenFile {
  effort.left -= text.length;
  if (effort.left < 0) return refuse(name, 'is one large file too many: change fewer values, or smaller files');
  const json = name.endsWith('.json');
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const file: OpenFile = { name, text, json, documents: [], eol, effort };
  if (json) requireJson(name, text);
  let parsed: OpenDocument[] | { empty: true };
  try {
    // Keys that come twice are looked for on the way to a value.
    parsed = parseAllDocuments(text, HARMLESS_YAML) as OpenDocument[];
  } catch {
    return refuse(name, 'is nested too deeply to be read');
  }
  const documents = Array.isArray(parsed) ? parsed : [];
  if (documents.length > MAX_DOCUMENTS) return refuse(name, `holds more than ${MAX_DOCUMENTS} documents`);
  for (const document of documents) {
    const [error] = document.errors;
    if (error) return refuse(file, `is no YAML that can be edited: ${error.message}`, error.pos[0]);
  }
  file.documents = documents.filter(({ contents }) => contents !== null && !isEmpty(contents));
  return file;
}

function requireJson(name: string, text: string): void {
  try {
    JSON.parse(text);
  } catch {
    refuse(name, 'is not JSON');
  }
}

function isEmpty(node: ParsedNode): boolean {
  return isScalar(node) && node.value === null && node.source === '';
}

/** `HelmRelease/shop` of a Kubernetes resource. */
export function resourceName({ contents }: OpenDocument): string | undefined {
  if (!isMap(contents)) return undefined;
  const kind = contents.get('kind');
  const name = contents.getIn(['metadata', 'name']);
  return typeof kind === 'string' && typeof name === 'string' ? `${kind}/${name}` : undefined;
}

/** Every document as plain values. Throws what the parser throws at too many aliases. */
export function valuesOf({ documents }: Pick<OpenFile, 'documents'>): unknown[] {
  return documents.map((document) => document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown);
}
