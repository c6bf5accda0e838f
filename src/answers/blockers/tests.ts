import { kindOf } from '../kind-of.ts';
import type { BlockerRule } from '../told.ts';
import { afterFailure } from '../ways.ts';
import { name, prose, sentence } from '../words.ts';

/** Tests run against what is deployed. */
export const tests: BlockerRule = {
  kind: 'tests',
  tell(spot, facts) {
    if (kindOf(spot) !== 'tests') return undefined;
    const { failed, stage = '', since, wait } = spot;
    if (failed) {
      const ways = afterFailure(spot, facts);
      return {
        sentence: sentence`tests failed in ${name(stage)}: ${prose(failed.message)}`,
        since: failed.at,
        stage,
        ways,
      };
    }
    const said = wait
      ? sentence`tests in ${name(stage)}: ${prose(wait.sentence)}`
      : sentence`tests running in ${name(stage)}`;
    return { sentence: said, since, stage, ways: [] };
  },
};
