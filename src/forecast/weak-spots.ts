import { stepKey } from './quant.ts';
import type { Run, RunStep } from './run.ts';
import { getOrAdd } from './step-model.ts';
import { sayRounded } from './words.ts';

/** A step at which changes end. */
export interface FailingStep {
  stage: string;
  step: string;
  failed: number;
  of: number;
  causes: { cause: string; count: number }[];
}

const MOST_CAUSES = 3;
const MOST_SPOTS = 3;
/** A step that takes less of the time is not where it goes. */
const NOTABLE_SHARE = 0.3;
/** Runs on either side of a moment since when a step takes longer. */
const LEAST_SIDE = 5;
/** So much longer is told, and only when chance hardly ever looks like that: many moments are tried. */
const NOTABLE_FACTOR = 1.5;
const NOTABLE_T = 4.5;

/** Where changes fail, most often first. */
export function failingSteps(runs: readonly Run[]): FailingStep[] {
  const found = new Map<string, FailingStep & { counts: Map<string, number> }>();
  for (const { stage, step } of judged(runs)) {
    const { step: name, outcome, cause } = step;
    const one = getOrAdd(found, stepKey(stage, name), () => ({
      ...{ stage, step: name, failed: 0, of: 0, causes: [] },
      counts: new Map<string, number>(),
    }));
    one.of += 1;
    if (outcome !== 'failed') continue;
    one.failed += 1;
    for (const each of cause?.split(', ') ?? []) one.counts.set(each, (one.counts.get(each) ?? 0) + 1);
  }
  return [...found.values()]
    .filter(({ failed }) => failed > 0)
    .sort((a, b) => b.failed - a.failed)
    .map(({ counts, ...one }) => ({ ...one, causes: most(counts) }));
}

function most(counts: ReadonlyMap<string, number>): FailingStep['causes'] {
  const all = [...counts].map(([cause, count]) => ({ cause, count }));
  return all.sort((a, b) => b.count - a.count).slice(0, MOST_CAUSES);
}

/** Where the time goes, and what has become slower: a sentence each. */
export function slowSpots(runs: readonly Run[]): string[] {
  const series = new Map<
    string,
    { stage: string; step: string; human: boolean; took: { at: string; seconds: number }[] }
  >();
  let total = 0;
  for (const { stage, step } of judged(runs)) {
    if (step.outcome === 'failed') continue;
    const seconds = Math.max(0, Date.parse(step.endedAt) - Date.parse(step.startedAt)) / 1000;
    total += seconds;
    const one = getOrAdd(series, stepKey(stage, step.step), () => ({ stage, step: step.step, human: false, took: [] }));
    one.human = step.human;
    one.took.push({ at: step.endedAt, seconds });
  }
  const shares = [...series.values()]
    .map((one) => ({ ...one, share: one.took.reduce((sum, { seconds }) => sum + seconds, 0) / total }))
    .filter(({ share }) => share >= NOTABLE_SHARE)
    .sort((a, b) => b.share - a.share)
    .map(
      ({ stage, step, human, share }) =>
        `${step} in ${stage} is ${Math.round(share * 100)} % of the time${human ? ', waiting for people' : ''}`,
    );
  const slower = [...series.values()].flatMap((one) => {
    const since = slowerSince(one.took);
    if (!since) return [];
    const { at, before, after } = since;
    const from = `${sayShort(before)} before, ${sayShort(after)} now`;
    return [
      `${one.step} in ${one.stage} takes ${sayFactor(after / before)} as long since ${at.slice(0, 10)} (${from})`,
    ];
  });
  return [...shares.slice(0, MOST_SPOTS), ...slower.slice(0, MOST_SPOTS)];
}

function sayFactor(factor: number): string {
  const rounded = Math.round(factor * 10) / 10;
  return rounded === 2 ? 'twice' : `${rounded} times`;
}

function sayShort(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : sayRounded(seconds);
}

/**
 * The moment that parts a series best into a faster part and a slower one after it: the greatest two-sample t over the
 * logarithms (binary segmentation's first step, A. Scott and M. Knott 1974).
 */
function slowerSince(took: readonly { at: string; seconds: number }[]) {
  const ordered = took.toSorted((a, b) => (a.at < b.at ? -1 : 1));
  const logs = ordered.map(({ seconds }) => Math.log(Math.max(1, seconds)));
  let best: { at: string; before: number; after: number; t: number } | undefined;
  for (let cut = LEAST_SIDE; cut <= logs.length - LEAST_SIDE; cut++) {
    const [before, after] = [momentsOf(logs.slice(0, cut)), momentsOf(logs.slice(cut))];
    const pooled = (before.squares + after.squares) / Math.max(1, logs.length - 2);
    const t = (after.mean - before.mean) / Math.sqrt(Math.max(1e-6, pooled) * (1 / cut + 1 / (logs.length - cut)));
    if (t <= (best?.t ?? NOTABLE_T)) continue;
    best = { at: ordered[cut]?.at ?? '', before: Math.exp(before.mean), after: Math.exp(after.mean), t };
  }
  return best && best.after / best.before >= NOTABLE_FACTOR ? best : undefined;
}

function momentsOf(values: readonly number[]): { mean: number; squares: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, squares: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) };
}

/** Steps of changes that came to a verdict. */
function* judged(runs: readonly Run[]): Generator<{ stage: string; step: RunStep }> {
  for (const { stage, steps, back } of runs) {
    if (back) continue;
    for (const step of steps) if (step.outcome !== 'superseded' && step.outcome !== 'aborted') yield { stage, step };
  }
}
