import { kindOf } from '../kind-of.ts';
import type { BlockerRule } from '../told.ts';
import { fixes, later, overrides } from '../ways.ts';
import { prose, sayMoment, sentence } from '../words.ts';

/** It is not the time: by our windows, or by those of the delivery system. */
export const window: BlockerRule = {
  kind: 'window',
  tell(spot, facts, { now }) {
    if (kindOf(spot) !== 'window') return undefined;
    const { wait, failed, since, stage, step } = spot;
    const at = stage === undefined ? {} : { stage };
    if (failed) {
      const said = sentence`window: ${prose(failed.message)}`;
      return { sentence: said, since: failed.at, ...at, ways: [fixes(facts, 'delivers anew'), overrides(spot)] };
    }
    const { until, sentence: words = 'the window is closed' } = wait ?? {};
    const isTheirs = step === 'sync';
    const what = isTheirs ? 'sync window' : 'window';
    const said =
      until === undefined
        ? sentence`${prose(words)}`
        : sentence`${what} closed until ${sayMoment(until, now)}: ${prose(reasonIn(words))}`;
    // Who may change the delivery system's windows, nobody tells us.
    const ways = [...later(until), ...(isTheirs ? [] : [overrides(spot)])];
    return { sentence: said, since: wait?.since ?? since, ...(until === undefined ? {} : { until }), ...at, ways };
  },
};

/** Of what the engine says only which window it is: when it opens, and that it is closed, is said already. */
function reasonIn(words: string): string {
  const inBrackets = /\(([^()]+)\)?…?$/.exec(words)?.[1];
  const parts = words.split(';').map((part) => part.trim());
  return inBrackets ?? parts[0]?.replace(/^closed:?\s*/, '') ?? words;
}
