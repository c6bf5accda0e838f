/** One comparison of a measured value: with a fixed number, or with earlier values. */
export interface Criterion {
  operator: '<' | '<=' | '=' | '>=' | '>';
  value: number;
  /** Compared with earlier values instead of a fixed number. */
  relative: boolean;
  /** Only when relative: `value` is a percentage of the earlier value, else an amount. */
  percentage: boolean;
  /** Only when relative: earlier value plus (else minus) `value`. */
  increase: boolean;
}

export type ParsedCriterion = { ok: true; criterion: Criterion } | { ok: false; mistake: 'operator' | 'number' };

/** Longer ones first, so that `<=` is not read as `<` and a number that starts with `=`. */
const OPERATORS = ['<=', '<', '=', '>=', '>'] as const;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** Criteria are few and asked again and again; a file of nothing but different ones is not remembered. */
const MAX_REMEMBERED = 10_000;
const remembered = new Map<string, ParsedCriterion>();

/** As `parseCriterion`, from memory where it was read before. */
export function readCriterion(text: string): ParsedCriterion {
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const parsed = parseCriterion(text);
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(text, parsed);
  return parsed;
}

/**
 * Reads a criterion in Keptn's grammar: operator, optional sign, number, optional `%`; blanks do not
 * matter. A sign or a `%` makes it relative to earlier values, and a `%` without sign means plus:
 * there is no negative fixed number.
 */
export function parseCriterion(text: string, toNumber = parseNumber): ParsedCriterion {
  const bare = text.replaceAll(' ', '');
  const operator = OPERATORS.find((each) => bare.startsWith(each));
  if (operator === undefined) return { ok: false, mistake: 'operator' };
  const percentage = bare.endsWith('%');
  const rest = bare.slice(operator.length, percentage ? -1 : undefined);
  const signed = rest.startsWith('+') || rest.startsWith('-');
  const digits = signed ? rest.slice(1) : rest;
  const value = toNumber(digits);
  if (value === undefined) return { ok: false, mistake: 'number' };
  return {
    ok: true,
    criterion: {
      operator,
      value,
      relative: signed || percentage,
      percentage,
      increase: (signed || percentage) && !rest.startsWith('-'),
    },
  };
}

function parseNumber(text: string): number | undefined {
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

/** Plain floating point: no rounding, no tolerance. */
export function holds(measured: number, operator: Criterion['operator'], target: number): boolean {
  switch (operator) {
    case '<':
      return measured < target;
    case '<=':
      return measured <= target;
    case '=':
      return measured === target;
    case '>=':
      return measured >= target;
    case '>':
      return measured > target;
  }
}

/**
 * The number that a value is compared with; `undefined` when it is relative and there is nothing
 * earlier. Multiplies before it divides, because the other order rounds differently.
 */
export function targetOf(criterion: Criterion, earlier: number | undefined): number | undefined {
  if (!criterion.relative) return criterion.value;
  if (earlier === undefined) return undefined;
  const { value, percentage, increase } = criterion;
  if (percentage) return (earlier * (increase ? 100 + value : 100 - value)) / 100;
  return increase ? earlier + value : earlier - value;
}
