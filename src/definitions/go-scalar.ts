import type { Scalar } from 'yaml';
import { parseGoFloat } from '../slo/keptn/numbers.ts';

/** What Go's yaml.v3 takes a scalar for, before it knows what is asked for. A whole number is a bigint. */
export type GoScalar =
  | { kind: 'null' }
  | { kind: 'flag'; text: string; flag: boolean }
  | { kind: 'number'; text: string; number: number | bigint }
  | { kind: 'text'; text: string }
  | { kind: 'wrong'; message: string };

const FLAGS = new Map([
  ...['true', 'True', 'TRUE'].map((word): [string, boolean] => [word, true]),
  ...['false', 'False', 'FALSE'].map((word): [string, boolean] => [word, false]),
]);
const NULL = /^(?:|~|null|Null|NULL)$/;
const BASE64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/;

/** A tag says what it must be; without one quotes make it text, and else what it looks like decides. */
export function readScalar(scalar: Scalar): GoScalar {
  const text = String(scalar.value ?? '');
  const plain = scalar.type === 'PLAIN' || scalar.type === undefined;
  const tag = (scalar.tag ?? '!').replace('tag:yaml.org,2002:', '!!');
  const wrong: GoScalar = { kind: 'wrong', message: `is not what ${tag.slice(0, 60)} says` };
  if (tag === '!') return plain ? look(text) : { kind: 'text', text };
  const seen = look(text);
  switch (tag) {
    case '!!null':
      return seen.kind === 'null' ? seen : wrong;
    case '!!bool':
      return seen.kind === 'flag' ? seen : wrong;
    case '!!int':
      return seen.kind === 'number' && typeof seen.number === 'bigint' ? seen : wrong;
    case '!!float':
      return seen.kind === 'number' ? { ...seen, number: Number(seen.number) } : wrong;
    case '!!timestamp':
      return /^\d{4}-\d/.test(text) ? { kind: 'text', text } : wrong;
    case '!!binary': {
      const encoded = text.replace(/[\r\n]/g, '');
      return BASE64.test(encoded) ? { kind: 'text', text: Buffer.from(encoded, 'base64').toString() } : wrong;
    }
    default:
      return { kind: 'text', text };
  }
}

function look(text: string): GoScalar {
  if (NULL.test(text)) return { kind: 'null' };
  const flag = FLAGS.get(text);
  if (flag !== undefined) return { kind: 'flag', text, flag };
  const number = goNumber(text);
  return number === undefined ? { kind: 'text', text } : { kind: 'number', text, number };
}

/** Go's prefixes and underscores count; an integer that 64 bits cannot hold is a fraction. */
function goNumber(text: string): number | bigint | undefined {
  if (/^[+-]?\.(?:inf|Inf|INF)$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^\.(?:nan|NaN|NAN)$/.test(text)) return Number.NaN;
  if (text.startsWith('.')) return parseGoFloat(text);
  if (!/^[+\-\d]/.test(text)) return undefined;
  const bare = text.replaceAll('_', '');
  const whole = goInteger(bare);
  if (whole !== undefined && whole >= -(2n ** 63n) && whole < 2n ** (bare.startsWith('+') ? 63n : 64n)) return whole;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(bare)) return undefined;
  return Number.isFinite(Number(bare)) ? Number(bare) : undefined;
}

function goInteger(text: string): bigint | undefined {
  const [, sign = '', digits = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  const known = /^(?:0x[\da-f]+|0o?[0-7]+|0b[01]+|0|[1-9]\d*)$/i.test(digits);
  if (!known) return undefined;
  const whole = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits}` : digits);
  return sign === '-' ? -whole : whole;
}
