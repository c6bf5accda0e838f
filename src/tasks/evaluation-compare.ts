import { AdapterError } from '../base/adapter-error.ts';
import type { EarlierEvaluation, Slo } from '../slo/evaluation.ts';
import type { EvaluationQuestion, EvaluationTools } from './evaluation-question.ts';
import type { PastEvaluation } from './task.ts';

/** Enough to find the last N that passed behind a row of failures. */
const HISTORY = 200;

/** The earlier evaluations that count, newest first, and the SLO as the comparison policy changes it. */
export interface Comparison {
  slo: Slo;
  earlier: EarlierEvaluation[];
}

/**
 * What an evaluation is compared with. Invalidated ones never are.
 *
 * @throws {AdapterError} `rejected`: the pinned baseline is not there, not of this project, or invalidated
 */
export async function comparisonFor(question: EvaluationQuestion, tools: EvaluationTools): Promise<Comparison> {
  const { compareWith, definitions, place, except } = question;
  const { slo } = definitions;
  const past = async (stage = place.stage) => {
    const found = await tools.history.evaluations({ ...place, stage }, HISTORY);
    return found.filter(({ id }) => id !== except);
  };
  if (compareWith === undefined || 'control' in compareWith) return { slo, earlier: await past() };
  if ('previous' in compareWith) return compared(slo, await past(), 'all', compareWith.previous);
  if ('lastPassed' in compareWith) return compared(slo, await past(), 'pass', compareWith.lastPassed);
  if ('stage' in compareWith) return compared(slo, await past(compareWith.stage), 'pass', 1);
  if ('deployed' in compareWith) return compared(slo, ranBefore(question, await past()), 'all', 1);
  return compared(slo, [await pinned(question, tools, compareWith.evaluation)], 'all', 1);
}

function compared(
  slo: Slo,
  earlier: EarlierEvaluation[],
  include: Slo['comparison']['include'],
  count: number,
): Comparison {
  return { slo: { ...slo, comparison: { ...slo.comparison, include, count } }, earlier };
}

/** Of the commit that this one replaces; where that is not known, of the newest other one. */
function ranBefore({ revision, previousRevision }: EvaluationQuestion, past: readonly PastEvaluation[]) {
  const found =
    previousRevision === undefined
      ? past.find((one) => one.revision !== undefined && one.revision !== revision)
      : past.find((one) => one.revision === previousRevision);
  return found ? [found] : [];
}

async function pinned({ place }: EvaluationQuestion, tools: EvaluationTools, id: string): Promise<PastEvaluation> {
  const found = await tools.history.evaluation(id);
  if (!found || found.place.project !== place.project)
    throw new AdapterError('rejected', `the baseline ${id} is not a finished evaluation of this project`);
  if (found.invalidated !== undefined)
    throw new AdapterError('rejected', `the baseline ${id} was invalidated (${found.invalidated}): name another one`);
  return found;
}
