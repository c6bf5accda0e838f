import { findRoot } from '../../src/slo/root-search.ts';

/** The quantile of the confidence that the benchmark uses, 0.98. */
const QUANTILE = 2.3263478740408408;
const TOLERANCE = 1e-4;

/**
 * The test as R's source and Kayenta write it down: every shift ranks both samples anew, by sorting them together.
 * Same search, same figures; only the ranking differs.
 */
export function plainMannWhitney(first: readonly number[], second: readonly number[]) {
  const from = Math.min(...first) - Math.max(...second);
  const to = Math.max(...first) - Math.min(...second);
  const search = (quantile: number, corrected: boolean) => {
    const at = (shift: number) => standardised(first, second, shift, corrected) - quantile;
    const [atFrom, atTo] = [at(from), at(to)];
    if (atFrom <= 0) return from;
    if (atTo >= 0) return to;
    return findRoot(at, { from, to, atFrom, atTo }, TOLERANCE);
  };
  return { estimate: search(0, false), lower: search(QUANTILE, true), upper: search(-QUANTILE, true) };
}

function standardised(first: readonly number[], second: readonly number[], shift: number, corrected: boolean): number {
  const [n, m] = [first.length, second.length];
  const ranks = rank([...first.map((value) => value - shift), ...second]);
  let sum = 0;
  for (let at = 0; at < n; at++) sum += ranks[at] as number;
  const distance = sum - (n * (n + 1)) / 2 - (n * m) / 2;
  const times = new Map<number, number>();
  for (const one of ranks) times.set(one, (times.get(one) ?? 0) + 1);
  let ties = 0;
  for (const count of times.values()) ties += count ** 3 - count;
  const deviation = Math.sqrt(((n * m) / 12) * (n + m + 1 - ties / ((n + m) * (n + m - 1))));
  return (distance - (corrected ? Math.sign(distance) * 0.5 : 0)) / deviation;
}

function rank(values: readonly number[]): number[] {
  const order = values.map((_, at) => at).sort((one, other) => (values[one] as number) - (values[other] as number));
  const ranks = new Array<number>(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to] as number] === values[order[from] as number]) to++;
    for (let at = from; at < to; at++) ranks[order[at] as number] = (from + 1 + to) / 2;
    from = to;
  }
  return ranks;
}

/** The estimate by its definition: the median of all differences. Needs n * m numbers. */
export function medianOfDifferences(first: readonly number[], second: readonly number[]): number {
  const differences = new Float64Array(first.length * second.length);
  let at = 0;
  for (const one of first) for (const other of second) differences[at++] = one - other;
  differences.sort();
  const middle = (differences.length - 1) / 2;
  return ((differences[Math.floor(middle)] as number) + (differences[Math.ceil(middle)] as number)) / 2;
}
