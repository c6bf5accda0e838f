import { kindOf } from '../kind-of.ts';
import type { BlockerRule } from '../told.ts';
import { name, prose, sentence } from '../words.ts';

/** Another change is there, and has to make room. */
export const queue: BlockerRule = {
  kind: 'queue',
  tell(spot) {
    if (kindOf(spot) !== 'queue') return undefined;
    const { ahead, stage = '', wait, since } = spot;
    const at = { since: wait?.since ?? since, stage, ways: [] };
    // Whoever gets the other one out of the way gets this one going.
    if (ahead) return { ...at, sentence: sentence`behind ${name(ahead.text)} in ${name(stage)}`, ahead: ahead.change };
    if (wait) return { ...at, sentence: sentence`${prose(wait.sentence)}` };
    return { ...at, sentence: sentence`waiting for its turn in ${name(stage)}` };
  },
};
