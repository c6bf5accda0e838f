import { kindOf } from '../kind-of.ts';
import type { BlockerRule } from '../told.ts';
import { fixes, later, overrides } from '../ways.ts';
import { prose, sayPercent, sentence } from '../words.ts';

/** The service has failed its users too often lately. */
export const budget: BlockerRule = {
  kind: 'budget',
  tell(spot, facts) {
    if (kindOf(spot) !== 'budget') return undefined;
    const { check, wait, failed, since, stage } = spot;
    const { value, limit } = check ?? {};
    const words = failed?.message ?? wait?.sentence ?? 'checking the error budget';
    const said =
      value === undefined || limit === undefined
        ? sentence`${prose(words)}`
        : sentence`error budget ${sayPercent(value)} left, needs ${sayPercent(limit)}`;
    const ways = failed
      ? [fixes(facts, 'delivers anew'), overrides(spot)]
      : wait
        ? [...later(wait.until), overrides(spot)]
        : [];
    return {
      sentence: said,
      since: failed?.at ?? wait?.since ?? since,
      ...(stage === undefined ? {} : { stage }),
      ways,
    };
  },
};
