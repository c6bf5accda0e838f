import type { Indicator } from '../slo/indicator.ts';
import { type EvaluationQuestion, queryVariables } from './evaluation-question.ts';
import type { Read, ReadAnswer } from './evaluation-read.ts';

/** The same query for both groups, each with its variables; or why there can be none. */
export function controlReads(question: EvaluationQuestion, { sources }: Indicator): Read[] | string {
  const { compareWith, definitions } = question;
  const [source, second] = sources;
  if (!compareWith || !('control' in compareWith)) return 'which its control group is, is not said';
  if (!source || second) return 'with a control group it must have exactly one source';
  const { variables, stepMs } = compareWith.control;
  const common = queryVariables(question, definitions.slo);
  return (['experiment', 'control'] as const).map((part) => ({
    part,
    query: source.query,
    variables: { ...variables[part], ...common },
    stepMs,
    ...(source.provider === undefined ? {} : { provider: source.provider }),
  }));
}

type Groups =
  | { ok: true; value: number; groups: { experiment: number[]; control: number[] } }
  | { ok: false; message: string };

/** The value is the experiment's median. A control group without points is judged as no data, not left out. */
export function valueOfGroups(answers: readonly ReadAnswer[]): Groups {
  const points = (part: Read['part']) => {
    const reading = answers.find(({ read }) => read.part === part)?.reading;
    return reading?.ok && 'points' in reading ? reading.points : [];
  };
  const experiment = points('experiment');
  const silent = answers.find(({ read, reading }) => read.part === 'experiment' && !reading.ok);
  if (silent && !silent.reading.ok) return { ok: false, message: `experiment: ${silent.reading.message}` };
  if (experiment.length === 0) return { ok: false, message: 'experiment: the query gives no data' };
  return { ok: true, value: median(experiment), groups: { experiment, control: points('control') } };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper;
}
