import { kindOf } from '../kind-of.ts';
import type { BlockerRule } from '../told.ts';
import { fixes } from '../ways.ts';
import { prose, sentence } from '../words.ts';
import { withLink } from './checks.ts';

/** The branch has moved on: somebody has to say what is right. */
export const conflict: BlockerRule = {
  kind: 'conflict',
  tell(spot, facts) {
    if (kindOf(spot) !== 'conflict') return undefined;
    const { review, wait, stage, since } = spot;
    const number = review?.number;
    const words = wait?.sentence ?? 'it cannot be merged';
    const said =
      number === undefined || words.includes(String(number))
        ? sentence`${prose(words)}`
        : sentence`PR ${number}: ${prose(words)}`;
    const ways = [withLink(fixes(facts, 'resolves'), review?.url, `Open PR ${number ?? ''}`.trim())];
    return { sentence: said, since: wait?.since ?? since, ...(stage === undefined ? {} : { stage }), ways };
  },
};
