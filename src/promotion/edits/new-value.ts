import { isScalar, parse, Scalar } from 'yaml';
import { sayValuePath } from '../../definitions/value-path.ts';
import { locate, offsetOf, type Spot, textOf } from './locate.ts';
import { columnOf, MAX_ALIASES, type OpenFile, refuse, withoutSpaceBehind } from './open-file.ts';

/** What is to be written: a text, which is quoted where it has to be, or something as it is written elsewhere. */
export type NewValue =
  | { text: string }
  /** `column`: of a value over several lines, which fits only where it begins in the same one. */
  | { raw: string; value: unknown; column?: number };

/** Text that is no other type for any reader of YAML 1.1 or 1.2 (`yes`, `1.10`, `0123`, `1:30` are). */
const PLAIN = /^[A-Za-z0-9_./][A-Za-z0-9_./@+:-]*$/;

/** A number, true, false or null by itself, or a text. */
export function newValue(value: string | number | boolean | null): NewValue {
  return typeof value === 'string' ? { text: value } : { raw: JSON.stringify(value), value };
}

/** Reads a scalar with its type: what is text stays text. */
export function readScalar(file: OpenFile, spot: Spot): NewValue {
  const { node } = locate(file, spot, 'read');
  const path = sayValuePath(spot.path);
  if (node === undefined) return refuse(file, `there is no ${path}`, 0, path);
  if (!isScalar(node))
    return refuse(
      file,
      'is a mapping or a list: name the values in it one by one, or copy the file',
      offsetOf(node),
      path,
    );
  const { value } = node;
  if (typeof value === 'string') return { text: value };
  return { raw: file.json ? JSON.stringify(value) : node.source || 'null', value };
}

/** Reads a scalar for what is always a text, such as a tag or a version. */
export function readText(file: OpenFile, spot: Spot): string | undefined {
  return textOf(locate(file, spot, 'read').node);
}

/** A value with everything below it, as it is written; `undefined`: it is not there. */
export function readWhole(file: OpenFile, spot: Spot): NewValue | undefined {
  const { node, document } = locate(file, spot, 'read');
  if (node === undefined) return undefined;
  if (isScalar(node)) return readScalar(file, spot);
  const [start = 0, end = 0] = node.range ?? [];
  const raw = withoutSpaceBehind(file.text.slice(start, end));
  const value: unknown = node.toJS(document, { maxAliasCount: MAX_ALIASES });
  return raw.includes('\n') ? { raw, value, column: columnOf(file, start) } : { raw, value };
}

/** How a value is written where `old` was. */
export function written(value: NewValue, old: Scalar.Type | undefined, file: Pick<OpenFile, 'json' | 'eol'>): string {
  if ('raw' in value) {
    if (file.json) return JSON.stringify(value.value);
    return value.raw.replace(/\r?\n/g, file.eol);
  }
  const { text } = value;
  const quoted = JSON.stringify(text);
  if (file.json || old === Scalar.QUOTE_DOUBLE) return quoted;
  if (old === Scalar.QUOTE_SINGLE && !/\p{Cc}/u.test(text)) return `'${text.replaceAll("'", "''")}'`;
  return isPlain(text) ? text : quoted;
}

function isPlain(text: string): boolean {
  if (!PLAIN.test(text) || text.endsWith(':')) return false;
  return (['1.1', '1.2'] as const).every((version) => parse(text, { version }) === text);
}
