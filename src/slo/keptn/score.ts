import type { Slo } from '../evaluation.ts';
import type { KeptnIndicatorResult, KeptnKeySli } from './model.ts';
import { sayGoFloat } from './numbers.ts';

export type Score =
  | { ok: true; result: 'pass' | 'warning' | 'fail'; score: number; message?: string }
  | { ok: false; error: string };

/** From the judged objectives to score and verdict; where nothing can be reached it is a pass with 100. */
export function calculateScore(
  maximum: number,
  results: readonly KeptnIndicatorResult[],
  { pass, warning, mistake }: Slo['totalScore'],
  keySli: KeptnKeySli,
): Score {
  if (mistake !== undefined) return { ok: false, error: mistake };
  if (maximum === 0) return { ok: true, result: 'pass', score: 100 };
  let reached = 0;
  for (const result of results) reached += result.passTargets?.length ? result.score : 0;
  const score = 100 * (reached / maximum);
  if (keySli.failed) {
    const message = `Evaluation failed due to key_sli objective '${keySli.name}': ${keySli.message}`;
    return { ok: true, result: 'fail', score, message };
  }
  if (score >= pass) return { ok: true, result: 'pass', score };
  const failed = `Evaluation failed since the calculated score of ${sayGoFloat(score)} is below the`;
  if (warning === undefined) {
    return { ok: true, result: 'fail', score, message: `${failed} target value of ${sayGoFloat(pass)}` };
  }
  if (score < warning) {
    return { ok: true, result: 'fail', score, message: `${failed} warning value of ${sayGoFloat(warning)}` };
  }
  const message = `Evaluation returned a warning: the calculated score of ${sayGoFloat(score)} is close to the warning target value of ${sayGoFloat(warning)}`;
  return { ok: true, result: 'warning', score, message };
}
