import { kindOf } from '../kind-of.ts';
import type { BlockerRule } from '../told.ts';
import { fixes, later, overrides } from '../ways.ts';
import { prose, sayNumber, sentence } from '../words.ts';

/** What is known of the change and of the moment makes a failure likely. */
export const risk: BlockerRule = {
  kind: 'risk',
  tell(spot, facts) {
    if (kindOf(spot) !== 'risk') return undefined;
    const { check, wait, failed, since, stage } = spot;
    const { value, limit, why } = check ?? {};
    const words = failed?.message ?? wait?.sentence ?? 'checking budget, risk and windows';
    const numbers = value !== undefined && limit !== undefined;
    const said = !numbers
      ? sentence`${prose(words)}`
      : why === undefined
        ? sentence`risk ${sayNumber(value)}, limit ${sayNumber(limit)}`
        : sentence`risk ${sayNumber(value)}, limit ${sayNumber(limit)}: ${prose(why)}`;
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
