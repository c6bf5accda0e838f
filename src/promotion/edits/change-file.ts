import { isCollection, isMap, isNode, isScalar, type Node, Scalar, visit, type YAMLMap } from 'yaml';
import { isJsonObject } from '../../base/json.ts';
import { sayValuePath } from '../../definitions/value-path.ts';
import { keyOf, type Located, locate, offsetOf, type Spot } from './locate.ts';
import { type NewValue, written } from './new-value.ts';
import { columnOf, EditRefusal, type OpenFile, openFile, refuse, valuesOf, withoutSpaceBehind } from './open-file.ts';

/** A piece of a file that becomes another. */
interface Splice {
  start: number;
  end: number;
  text: string;
}

/**
 * Writes one value; the last key of the path may be new. Every other byte stays as it is.
 *
 * @throws {EditRefusal} it cannot be written without touching more
 */
export function putValue(file: OpenFile, spot: Spot, value: NewValue): OpenFile {
  const located = locate(file, spot, 'write');
  const path = sayValuePath(spot.path);
  const plain = 'text' in value ? value.text : value.value;
  if (located.node !== undefined && same(plainOf(located), plain)) return file;
  const splice =
    located.node === undefined
      ? insertion(file, located, value, path)
      : replacement(file, located.node, value, path, isInFlow(file, located));
  return apply(file, splice, located, (parent) => {
    parent[located.at] = plain;
  });
}

/** Takes a key out of a mapping; one that is not there is no mistake. */
export function removeKey(file: OpenFile, spot: Spot): OpenFile {
  const located = locate(file, spot, 'write');
  if (located.node === undefined || !isMap(located.parent)) return file;
  const path = sayValuePath(spot.path);
  return apply(file, removal(file, located.parent, String(located.at), path), located, (parent) => {
    delete parent[located.at];
  });
}

function replacement(file: OpenFile, node: Node, value: NewValue, path: string, inFlow: boolean): Splice {
  const [start = 0, end = 0] = node.range ?? [];
  const over = 'column' in value && value.column !== undefined;
  if (isScalar(node) && (node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED))
    return refuse(file, 'is a text over several lines: write it on one line', start, path);
  if (isCollection(node) && !('raw' in value && isCollectionValue(value.value)))
    return refuse(file, 'is a mapping or a list, which one value cannot take the place of', start, path);
  if (over && (inFlow || columnOf(file, start) !== value.column || isScalar(node)))
    return refuse(file, 'is indented otherwise in the other file: write both alike', start, path);
  const text = written(value, isScalar(node) ? (node.type as Scalar.Type) : undefined, file);
  const old = withoutSpaceBehind(file.text.slice(start, end));
  // Nothing stands behind the colon of an empty value, not even a space.
  const gap = old === '' && /[:-]$/.test(file.text.slice(0, start)) ? ' ' : '';
  const behind = old === '' && file.text[start] === '#' ? ' ' : '';
  return { start, end: start + old.length, text: gap + text + behind };
}

function insertion(file: OpenFile, { parent, at }: Located, value: NewValue, path: string): Splice {
  if (!isMap(parent)) return refuse(file, 'is behind the end of the list', offsetOf(parent), path);
  if ('column' in value && value.column !== undefined)
    return refuse(file, 'is not there, and is too large to be added: add it to the file', offsetOf(parent), path);
  const key = written({ text: String(at) }, file.json ? Scalar.QUOTE_DOUBLE : undefined, file);
  const line = `${key}: ${written(value, undefined, file)}`;
  const last = parent.items.at(-1);
  if (parent.flow === true) return inFlow(file, parent, line);
  if (!last) return refuse(file, 'belongs into an empty mapping: add it to the file', offsetOf(parent), path);
  const indent = ' '.repeat(columnOf(file, offsetOf(last.key)) - 1);
  const end = endOfLine(file.text, endOf(last.value, offsetOf(last.key)));
  return file.text[end - 1] === '\n'
    ? { start: end, end, text: `${indent}${line}${file.eol}` }
    : { start: end, end, text: `${file.eol}${indent}${line}` };
}

function inFlow(file: OpenFile, map: YAMLMap, line: string): Splice {
  const last = map.items.at(-1);
  if (!last) {
    const [start = 0, end = 0] = map.range ?? [];
    return { start: start + 1, end: end - 1, text: file.json ? line : ` ${line} ` };
  }
  const keyAt = offsetOf(last.key);
  const before = /(?:^|\n)([ \t]*)$/.exec(file.text.slice(0, keyAt));
  const end = endOf(last.value, keyAt);
  const gap = before ? file.eol + (before[1] ?? '') : ' ';
  return { start: end, end, text: `,${gap}${line}` };
}

function removal(file: OpenFile, map: YAMLMap, key: string, path: string): Splice {
  const index = map.items.findIndex((pair) => keyOf(pair) === key);
  const [pair, next, before] = [map.items[index], map.items[index + 1], map.items[index - 1]];
  if (!pair || (!next && !before)) return refuse(file, 'is the only key, and cannot be taken out', offsetOf(map), path);
  const start = offsetOf(pair.key);
  const end = endOf(pair.value, start);
  if (map.flow === true) {
    return next
      ? { start, end: offsetOf(next.key), text: '' }
      : { start: endOf(before?.value, offsetOf(before?.key)), end, text: '' };
  }
  const lineStart = file.text.lastIndexOf('\n', start - 1) + 1;
  if (file.text.slice(lineStart, start).trim() === '')
    return { start: lineStart, end: endOfLine(file.text, end), text: '' };
  // Behind the dash of a list, the next key moves up.
  return next ? { start, end: offsetOf(next.key), text: '' } : refuse(file, 'cannot be taken out', start, path);
}

function endOf(node: unknown, otherwise: number): number {
  return (node as { range?: readonly number[] | null } | null | undefined)?.range?.[1] ?? otherwise;
}

/** Behind the end of the line, comments included, unless this is the beginning of one already. */
function endOfLine(text: string, offset: number): number {
  if (text[offset - 1] === '\n') return offset;
  const end = text.indexOf('\n', offset);
  return end < 0 ? text.length : end + 1;
}

function isInFlow({ text }: OpenFile, { parent }: Located): boolean {
  return parent.flow === true || text[offsetOf(parent)] === '{' || text[offsetOf(parent)] === '[';
}

/** Does it. What the file has to read as afterwards is kept in mind, for `requireSound`. */
function apply(
  file: OpenFile,
  splice: Splice,
  located: Located,
  change: (parent: Record<string | number, unknown>) => void,
): OpenFile {
  const { document, keys } = located;
  const { start, end } = splice;
  const wanted = file.wanted ?? detached(valuesOf(file));
  let parent: unknown = wanted[file.documents.indexOf(document)];
  for (const key of keys.slice(0, -1)) parent = (parent as Record<string | number, unknown> | undefined)?.[key];
  change(parent as Record<string | number, unknown>);
  const text = file.text.slice(0, start) + splice.text + file.text.slice(end);
  const put = (parent as Record<string | number, unknown>)[located.at];
  if (isScalar(located.node) && start < end && !isCollectionValue(put) && put !== undefined) {
    moveBehind(file, splice);
    rewrite(located.node, splice, put);
    return { ...file, text, wanted };
  }
  const path = sayValuePath(keys);
  return { ...again(file, text, wanted, () => refuse(file, MORE, start, path)), wanted };
}

const MORE = 'cannot be changed without changing more: write it in another way';

/**
 * Looks whether a changed file reads as it has to: only what was asked for is different.
 *
 * @throws {EditRefusal} it does not, and must not be written
 */
export function requireSound(file: OpenFile): void {
  if (file.wanted !== undefined) again(file, file.text, file.wanted, () => refuse(file, MORE));
}

function again(file: OpenFile, text: string, wanted: unknown[], otherwise: () => never): OpenFile {
  try {
    const changed = openFile(file.name, text, file.effort);
    if (same(valuesOf(changed), wanted)) return changed;
  } catch (error) {
    if (!(error instanceof EditRefusal) || file.effort.left < 0) throw error;
  }
  return otherwise();
}

/** Parsing takes longer than anything else, so a value that became another only moves what stands behind it. */
function moveBehind({ documents }: OpenFile, { start, end, text }: Splice): void {
  const by = text.length - (end - start);
  for (const document of documents) {
    visit(document, (_, node) => {
      if (isNode(node) && node.range)
        node.range = node.range.map((at) => (at < end ? at : at + by)) as typeof node.range;
    });
  }
}

function rewrite(node: Scalar, { start, text }: Splice, value: unknown): void {
  const [quote] = text;
  node.value = value;
  node.type = quote === '"' ? Scalar.QUOTE_DOUBLE : quote === "'" ? Scalar.QUOTE_SINGLE : Scalar.PLAIN;
  node.source = text;
  node.range = [start, start + text.length, Math.max(start + text.length, node.range?.[2] ?? 0)];
}

function plainOf({ node, document }: Located): unknown {
  return isCollection(node) ? node.toJS(document) : isScalar(node) ? node.value : undefined;
}

/** An alias is the very same object as what it names. */
function detached<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function isCollectionValue(value: unknown): boolean {
  return Array.isArray(value) || isJsonObject(value);
}
