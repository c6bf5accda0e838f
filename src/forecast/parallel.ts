import type { Journeys } from './journeys.ts';
import type { StepPlace } from './quant.ts';
import type { ForecastQuestion } from './question.ts';
import type { Whose } from './step-model.ts';

/** Puts stages that changes are in at the same time into groups; the one that is under way belongs to none. */
export function inGroups(
  journeys: Journeys,
  whose: Whose,
  remaining: readonly StepPlace[],
  under: string | undefined,
): ForecastQuestion['remaining'] {
  const stages = [...new Set(remaining.map(({ stage }) => stage))].filter((stage) => stage !== under);
  const groups = new Map<string, string>();
  for (const [at, stage] of stages.entries()) {
    const before = stages[at - 1];
    if (before === undefined || !journeys.areParallel(whose, [before, stage])) continue;
    const group = groups.get(before) ?? before;
    groups.set(before, group).set(stage, group);
  }
  return remaining.map((one) => {
    const parallel = groups.get(one.stage);
    return parallel === undefined ? one : { ...one, parallel };
  });
}
