import type { ChangeFacts } from '../fact-types.ts';
import type { Told } from '../told.ts';
import { name, prose, sayMoment, sentence } from '../words.ts';

/** Nobody has to do anything: it arrived, or another change took its place. */
export function noneOf({ over, movedAt, createdAt }: ChangeFacts, now: string): Told {
  if (!over) return { sentence: 'Nothing was heard of it yet', since: movedAt || createdAt, ways: [] };
  const { how, stage, at, by, message } = over;
  const common = { since: at, stage, ways: [] };
  if (how === 'superseded') {
    const said =
      by === undefined
        ? sentence`replaced by a newer change in ${name(stage)}`
        : sentence`replaced by ${name(by.text)} in ${name(stage)}`;
    return { ...common, sentence: said };
  }
  if (message !== undefined)
    return { ...common, sentence: sentence`in ${name(stage)} since ${sayMoment(at, now)}: ${prose(message)}` };
  return { ...common, sentence: sentence`in ${name(stage)} since ${sayMoment(at, now)}` };
}
