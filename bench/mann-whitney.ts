import { mannWhitney as measured } from '../src/slo/mann-whitney.ts';
import { atLeast, type Benchmark, type Target } from './support/benchmark.ts';
import { median, table, twoDigits, whole } from './support/figures.ts';
import { medianOfDifferences, plainMannWhitney } from './support/plain-mann-whitney.ts';

const CONFIDENCE = 0.98;
const COMPARED = 180;
const SIZES = [30, 90, COMPARED, 625, 1_250, 2_500, 5_000, 10_000];
/** A doubling costs 2 * log(2n) / log(n), at most 2.25 here; quadratic growth would be 4. */
const MOST_PER_DOUBLING = 2.6;
const ROUNDS = 15;

export const mannWhitney: Benchmark = {
  name: 'mann-whitney',
  title: 'Mann-Whitney test with interval and estimate',
  method: `Two samples of n values each, skewed like latencies and without ties, the worst case for merging; confidence
0.98; every size from the same seed. *plain* ranks by sorting for every step of the search, as R and Kayenta do; *pairs*
is the estimate alone, as the median of all n * n differences. Interval and estimate must equal those of *plain* to
1e-9, or the benchmark fails. CPU time of the process, median of ${ROUNDS} rounds. Growth is the time from 625 to 10,000
values, the fourth root of their ratio: the factor per doubling.`,

  async run({ quick, say }) {
    const rounds = quick ? 3 : ROUNDS;
    const sizes = quick ? SIZES.filter((size) => size <= 1_250) : SIZES;
    const times = new Map<number, number>();
    const rows: string[][] = [];
    const targets: Target[] = [];
    for (const size of sizes) {
      const [first, second] = [sample(size, 1, 100), sample(size, 2, 104)];
      agree(first, second);
      const ours = timeOf(() => measured(first, second, { confidence: CONFIDENCE }), rounds);
      const plain = timeOf(() => plainMannWhitney(first, second), size > 1_000 ? 3 : rounds);
      const pairs = size > 2_500 ? undefined : timeOf(() => medianOfDifferences(first, second), 3);
      times.set(size, ours);
      say(`${size} against ${size}: ${whole(ours)} us`);
      const factor = plain / ours;
      if (size === COMPARED)
        targets.push(atLeast(`${size} against ${size}: times as fast as ranking anew`, 10, factor));
      rows.push([whole(size), whole(ours), whole(plain), twoDigits(factor), pairs === undefined ? '-' : whole(pairs)]);
    }
    const [small, large] = [625, quick ? 1_250 : 10_000];
    const factor =
      ((times.get(large) ?? Number.NaN) / (times.get(small) ?? Number.NaN)) ** (1 / Math.log2(large / small));
    targets.push({
      name: `growth per doubling, ${whole(small)} to ${whole(large)} values`,
      wanted: `at most ${MOST_PER_DOUBLING}`,
      measured: twoDigits(factor),
      met: factor <= MOST_PER_DOUBLING,
    });
    return { tables: [table(['n', 'us', 'plain us', 'times', 'pairs us'], rows)], targets };
  },
};

function agree(first: readonly number[], second: readonly number[]): void {
  const [ours, plain] = [measured(first, second, { confidence: CONFIDENCE }), plainMannWhitney(first, second)];
  for (const figure of ['estimate', 'lower', 'upper'] as const) {
    const difference = Math.abs((ours?.[figure] ?? Number.NaN) - plain[figure]);
    if (!(difference < 1e-9)) throw new Error(`the ${figure} of ${first.length} values differs by ${difference}`);
  }
}

/** Microseconds of processor time per call; enough calls per round for the clock's resolution. */
function timeOf(call: () => unknown, rounds: number): number {
  const once = cpuMicroseconds(call);
  const calls = Math.max(1, Math.ceil(20_000 / Math.max(once, 1)));
  repeat(call, calls);
  return median(Array.from({ length: rounds }, () => cpuMicroseconds(() => repeat(call, calls)) / calls));
}

function repeat(call: () => unknown, calls: number): void {
  for (let at = 0; at < calls; at++) call();
}

function cpuMicroseconds(call: () => unknown): number {
  const before = process.cpuUsage();
  call();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** Skewed like latencies, the same on every run. */
function sample(size: number, seed: number, typical: number): number[] {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Array.from({ length: size }, () => typical * (1 - Math.log(next()) / 4));
}
