import { kindOf } from '../kind-of.ts';
import type { BlockerRule } from '../told.ts';
import { later } from '../ways.ts';
import { between, name, sayFor, sentence } from '../words.ts';

/** It runs for a while before it goes on. */
export const soak: BlockerRule = {
  kind: 'soak',
  tell(spot, _facts, { now }) {
    if (kindOf(spot) !== 'soak') return undefined;
    const { stage = '', since, wait } = spot;
    const until = wait?.until;
    const left = until === undefined ? 0 : between(now, until);
    const said =
      left > 0
        ? sentence`soaking in ${name(stage)}, ${sayFor(left)} left`
        : sentence`soaking in ${name(stage)}, about to end`;
    return { sentence: said, since, stage, ...(until === undefined ? {} : { until }), ways: later(until) };
  },
};
