import { kindOf } from '../kind-of.ts';
import type { Failure, Indicator, Spot } from '../spot.ts';
import type { BlockerRule } from '../told.ts';
import { afterFailure, fixes, later, overrides, ownersOf, way } from '../ways.ts';
import { name, prose, sayNumber, sentence } from '../words.ts';

/** What was measured is held against the objectives. */
export const gate: BlockerRule = {
  kind: 'gate',
  tell(spot, facts) {
    if (kindOf(spot) !== 'gate') return undefined;
    const { failed, stage, since, wait, step } = spot;
    const at = stage === undefined ? {} : { stage };
    if (failed)
      return {
        sentence: saidOfFailure(failed),
        since: failed.at,
        ...at,
        ways: [...afterFailure(spot, facts), overrides(spot)],
      };
    if (wait?.kind === 'data') {
      const ways = [way(ownersOf(facts), 'sends the data')];
      return { sentence: sentence`SLO gate ${prose(wait.sentence)}`, since: wait.since, ...at, ways };
    }
    // Of an open promotion: an evaluation after the first one took the green mark back.
    if (step === 'promotion') {
      const ways = [fixes(facts), overrides(spot)];
      return {
        sentence: sentence`SLO gate withdrawn: ${prose(wait?.sentence ?? '')}`,
        since: wait?.since ?? since,
        ...at,
        ways,
      };
    }
    return { sentence: saidOfRun(spot), since, ...at, ...untilOf(spot), ways: later(wait?.until) };
  },
};

function saidOfRun({ stage = '', wait }: Spot): string {
  if (wait) return sentence`SLO gate in ${name(stage)}: ${prose(wait.sentence)}`;
  return sentence`SLO gate in ${name(stage)} is being judged`;
}

function untilOf({ wait }: Spot): { until?: string } {
  return wait?.until === undefined ? {} : { until: wait.until };
}

function saidOfFailure({ indicator, score, message, invalid }: Failure): string {
  if (invalid) return sentence`SLO verdict declared invalid by ${name(invalid.actor)}: ${prose(invalid.reason)}`;
  if (indicator) return sentence`SLO gate failed: ${name(indicator.name)} ${sayIndicator(indicator)}`;
  if (score) return sentence`SLO gate failed: ${Math.round(score.value)} of 100, needs ${Math.round(score.pass)}`;
  return sentence`SLO gate: ${prose(message)}`;
}

/** `612 ms > 500 ms` */
export function sayIndicator({ value, unit, operator, limit }: Indicator): string {
  const of = unit === undefined || unit === '' ? '' : ` ${unit.slice(0, 8)}`;
  const [is, was] = distinct(value, limit);
  return `${is}${of} ${operator} ${was}${of}`;
}

/** Rounded as far as they still differ: `500 > 500` would be no reason. */
function distinct(value: number, limit: number): [string, string] {
  const said: [string, string] = [sayNumber(value), sayNumber(limit)];
  return said[0] !== said[1] || value === limit
    ? said
    : ([String(value), String(limit)].map((one) => one.slice(0, 12)) as [string, string]);
}
