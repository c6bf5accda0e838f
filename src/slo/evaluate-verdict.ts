import type { Evaluation, IndicatorResult, Slo } from './evaluation.ts';

type Verdict = Required<Pick<Evaluation, 'result' | 'judged' | 'message' | 'score'>>;

/** From the judged objectives to the score and the verdict. */
export function sumUp(slo: Slo, indicators: readonly IndicatorResult[]): Verdict {
  const counted = indicators.filter(({ status }) => status !== 'info');
  const score = scoreOf(counted);
  if (counted.length === 0) {
    const message = `Nothing was judged: ${sayNothingJudged(indicators)}.`;
    return { result: 'fail', judged: false, score, message };
  }
  const result = resultOf(slo, counted, score);
  if (result === 'fail' && couldHavePassed(slo, counted)) {
    const missing = counted.filter(isMissing).map((one) => `"${one.displayName}" (${one.message ?? 'no value'})`);
    return { result, judged: false, score, message: `Could not be judged, for want of data: ${listed(missing)}.` };
  }
  return { result, judged: true, score, message: say(slo, counted, score, result) };
}

/** 100 * reached / possible. */
function scoreOf(counted: readonly IndicatorResult[]): number {
  let [reached, possible] = [0, 0];
  for (const { score, weight } of counted) {
    reached += score;
    possible += weight;
  }
  return possible > 0 ? 100 * (reached / possible) : 0;
}

function resultOf(
  { totalScore }: Slo,
  counted: readonly IndicatorResult[],
  score: number,
): 'pass' | 'warning' | 'fail' {
  if (counted.some(decidesAlone)) return 'fail';
  if (score >= totalScore.pass) return 'pass';
  return totalScore.warning !== undefined && score >= totalScore.warning ? 'warning' : 'fail';
}

function decidesAlone({ status, keySli, control }: IndicatorResult): boolean {
  return status === 'fail' && (keySli || control?.critical === true);
}

/** There was nothing to judge it by, so that its failure says nothing of the service. */
function isMissing({ status, value, control }: IndicatorResult): boolean {
  return status === 'fail' && (value === undefined || control?.classification === 'Nodata');
}

/** The verdict that the measured objectives leave possible: as if each missing one had been met. */
function couldHavePassed(slo: Slo, counted: readonly IndicatorResult[]): boolean {
  if (!counted.some(isMissing)) return false;
  const best = counted.map(
    (one): IndicatorResult => (isMissing(one) ? { ...one, status: 'pass', score: one.weight } : one),
  );
  return resultOf(slo, best, scoreOf(best)) !== 'fail';
}

function sayNothingJudged(indicators: readonly IndicatorResult[]): string {
  const leftOut = indicators.filter(({ control }) => control !== undefined);
  if (leftOut.length === 0) return 'no objective has pass criteria';
  return `${listed(leftOut.map((one) => `"${one.displayName}" (${one.message ?? 'left out'})`))}`;
}

function say(
  { totalScore }: Slo,
  counted: readonly IndicatorResult[],
  score: number,
  result: 'pass' | 'warning' | 'fail',
): string {
  const alone = counted.filter(decidesAlone);
  if (alone.length > 0) return sayFailedKeys(alone);
  const { pass, warning } = totalScore;
  const reached = `The score of ${round(score)}`;
  if (result === 'pass') return `${reached} reaches the ${round(pass)} that pass.`;
  const below = `${reached} is below the ${round(pass)} that pass`;
  const why = sayUnmet(counted);
  if (warning === undefined) return `${below}${why}.`;
  return result === 'warning'
    ? `${below}, but reaches the ${round(warning)} for a warning${why}.`
    : `${below} and the ${round(warning)} for a warning${why}.`;
}

/** People mend the worst first; the table has them all. */
const NAMED = 3;

function sayUnmet(counted: readonly IndicatorResult[]): string {
  const unmet = counted
    .filter(({ status }) => status === 'fail' || status === 'warning')
    .sort((a, b) => a.score - a.weight - (b.score - b.weight));
  return unmet.length === 0 ? '' : `: ${listed(unmet.map(sayIndicator))}`;
}

function sayIndicator({ displayName, value, message, passTargets, control }: IndicatorResult): string {
  if (value === undefined) return `${displayName} has no value (${message ?? 'unknown why'})`;
  const criteria = passTargets.filter(({ violated }) => violated).map((target) => target.criteria);
  if (criteria.length === 0) return `${displayName}: ${control?.reason ?? 'not met'}`;
  return `${displayName} is ${Number(value.toPrecision(4))}, must be ${criteria.join(' and ')}`;
}

function sayFailedKeys(failed: readonly IndicatorResult[]): string {
  const each = failed.map(
    (key) =>
      `"${key.displayName}" (${key.message ?? (key.passTargets.length === 0 ? key.control?.reason : undefined) ?? `value ${key.value}`})`,
  );
  return `A key objective failed, which decides alone: ${each.join(', ')}.`;
}

function listed(all: readonly string[]): string {
  const more = all.length > NAMED ? ` and ${all.length - NAMED} more` : '';
  return `${all.slice(0, NAMED).join(', ')}${more}`;
}

/** For people only: the verdict compares the exact numbers. Rounded down, so 89.999 never reads as 90. */
function round(score: number): number {
  return Math.floor(score * 100) / 100;
}
