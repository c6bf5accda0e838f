import { evaluate as judge } from '../src/slo/evaluate.ts';
import type { EarlierEvaluation, IndicatorValue, Objective, Slo } from '../src/slo/evaluation.ts';
import { atLeast, type Benchmark } from './support/benchmark.ts';
import { median, spread, table, twoDigits, whole } from './support/figures.ts';
import { plainEvaluation } from './support/plain-evaluation.ts';

const OBJECTIVES = 50;
const EARLIER = 3;
const ROUNDS = 15;
const ROUND_US = 200_000;

export const evaluate: Benchmark = {
  name: 'evaluate',
  title: 'Judging an evaluation',
  method: `${OBJECTIVES} objectives with two sets of criteria and a warning each, half of the criteria relative to the median of
${EARLIER} earlier evaluations; no input or output. *strict* is the default, *keptn* is \`compatibility: keptn\`. *plain* is the
same arithmetic written down straightforwardly: it parses every criterion and looks for every value each time, and keeps
no reasoning (targets, units, changes, messages), which the others do. Result and score of the three must be equal, or
the benchmark fails. Rounds take turns; CPU time of the process, median (least..most) of ${ROUNDS} rounds.`,

  async run({ quick, say }) {
    const question = ask();
    const keptn = { ...question, slo: { ...question.slo, compatibility: 'keptn' as const } };
    const { slo, values, earlier } = question;
    const subjects = {
      strict: () => judge(question),
      keptn: () => judge(keptn),
      plain: () => plainEvaluation(slo, values, earlier),
    };
    agree(Object.values(subjects).map((call) => call()));
    const rates: Record<string, number[]> = { strict: [], keptn: [], plain: [] };
    for (let round = 0; round < (quick ? 3 : ROUNDS); round++) {
      for (const [name, call] of Object.entries(subjects)) rates[name]?.push(perSecond(call));
      say(`round ${round + 1}: ${whole(rates['strict']?.at(-1) ?? Number.NaN)} strict evaluations a second`);
    }
    const plain = median(rates['plain'] ?? []);
    const rows = Object.entries(rates).map(([name, all]) => [name, spread(all), twoDigits(median(all) / plain)]);
    const strict = median(rates['strict'] ?? []);
    return {
      tables: [table(['', 'evaluations a second', 'of plain'], rows)],
      targets: [
        atLeast('strict: evaluations a second', 1_000, strict),
        atLeast('strict: times as fast as plain', 1, strict / plain),
      ],
    };
  },
};

function ask(): { slo: Slo; values: IndicatorValue[]; earlier: EarlierEvaluation[] } {
  const objectives = Array.from({ length: OBJECTIVES }, (_, at): Objective => {
    const pass = [['<=+10%', `<${600 + at}`], [`<${100 + at}`]];
    return {
      sli: `indicator_${at}`,
      pass,
      warning: [['<=800', '>=-50%']],
      weight: 1 + (at % 3),
      keySli: at % 10 === 0,
    };
  });
  const indicators = (by: number) => objectives.map(({ sli }, at) => ({ sli, value: 150 + at + by }));
  return {
    slo: {
      comparison: { count: EARLIER, include: 'all', aggregate: 'p50' },
      objectives,
      totalScore: { pass: 90, warning: 75 },
      filter: {},
    },
    // Every fifth one is worse than before by more than it may be.
    values: objectives.map(({ sli }, at) => ({ metric: sli, ok: true, value: at % 5 === 1 ? 700 : 150 + at })),
    earlier: Array.from({ length: EARLIER }, (_, at) => ({ id: `e${at}`, result: 'pass', indicators: indicators(at) })),
  };
}

function agree(judged: readonly { result: string; score: number }[]): void {
  const [first, ...others] = judged.map(({ result, score }) => `${result} ${score}`);
  const other = others.find((each) => each !== first);
  if (other !== undefined) throw new Error(`the same question is ${first} and ${other}`);
}

function perSecond(call: () => unknown): number {
  const before = process.cpuUsage();
  for (let calls = 0; ; ) {
    for (let at = 0; at < 50; at++) call();
    calls += 50;
    const { user, system } = process.cpuUsage(before);
    if (user + system >= ROUND_US) return (calls / (user + system)) * 1e6;
  }
}
