import { evaluate } from '../slo/evaluate.ts';
import type { Evaluation } from '../slo/evaluation.ts';
import { collectIndicators } from './evaluation-collect.ts';
import { comparisonFor } from './evaluation-compare.ts';
import type { EvaluationQuestion, EvaluationTools } from './evaluation-question.ts';

/**
 * Collects what an evaluation needs and lets the pure core judge it.
 *
 * @throws {AdapterError} a source could not be asked, or the baseline cannot be compared with
 */
export async function judge(question: EvaluationQuestion, tools: EvaluationTools): Promise<Evaluation> {
  const { slo, earlier } = await comparisonFor(question, tools);
  const values = await collectIndicators(question, tools);
  return evaluate({ slo, values, earlier });
}
