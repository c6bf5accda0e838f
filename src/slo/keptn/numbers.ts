const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const HEXADECIMAL = /^([+-]?)0x([0-9a-f]*)\.?([0-9a-f]*)p([+-]?\d+)$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
/** Between two digits, or between `0x` and the first digit. */
const UNDERSCORE = /(?<=[\da-f]|0x)_(?=[\da-f])/gi;

/** A number as Go writes and reads them (strconv.ParseFloat); `undefined` where Go reports an error. */
export function parseGoFloat(text: string): number | undefined {
  if (/^nan$/i.test(text)) return Number.NaN;
  const infinite = INFINITE.exec(text);
  if (infinite) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const digits = text.replace(UNDERSCORE, '');
  const value = DECIMAL.test(digits) ? Number(digits) : hexadecimal(digits);
  return Number.isFinite(value) ? value : undefined;
}

function hexadecimal(text: string): number | undefined {
  const [, sign, whole = '', fraction = '', exponent] = HEXADECIMAL.exec(text) ?? [];
  if (whole + fraction === '') return undefined;
  const magnitude = Number(`0x${whole}${fraction}`) * 2 ** (Number(exponent) - 4 * fraction.length);
  return sign === '-' ? -magnitude : magnitude;
}

/** Go's `%v`: the shortest digits that read back the same, with an exponent below 1e-4 and from 1e21. */
export function sayGoFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa, exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 21) return String(value);
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}
