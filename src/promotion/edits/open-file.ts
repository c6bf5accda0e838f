import { type Document, isMap, isScalar, LineCounter, type ParsedNode, parseAllDocuments } from 'yaml';
import { type Problem, sayProblem } from '../../definitions/problem.ts';

/** With aliases expanded, so that a small file cannot stand for a huge one. */
export const MAX_ALIASES = 100;
const MAX_DOCUMENTS = 500;

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
  lines: LineCounter;
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
export function refuse(file: Pick<OpenFile, 'name' | 'lines'> | string, message: string, offset = 0, path = ''): never {
  if (typeof file === 'string') throw new EditRefusal({ file, line: 1, column: 1, path, message });
  const { line, col } = file.lines.linePos(offset);
  throw new EditRefusal({ file: file.name, line: Math.max(1, line), column: Math.max(1, col), path, message });
}

/**
 * Reads a file that values are taken from or written to.
 *
 * @throws {EditRefusal} it is no YAML (or, by its name, no JSON)
 */
export function openFile(name: string, text: string): OpenFile {
  const lines = new LineCounter();
  const json = name.endsWith('.json');
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const file: OpenFile = { name, text, json, documents: [], eol, lines };
  if (json) requireJson(name, text);
  let parsed: OpenDocument[] | { empty: true };
  try {
    parsed = parseAllDocuments(text, {
      schema: 'core',
      version: '1.2',
      merge: false,
      resolveKnownTags: false,
      prettyErrors: false,
      stringKeys: true,
      // The parser compares every key with every other; those on the way to a value are looked at there.
      uniqueKeys: false,
      lineCounter: lines,
    }) as OpenDocument[];
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
