import { kindOf } from '../kind-of.ts';
import type { Spot } from '../spot.ts';
import type { BlockerRule, Told } from '../told.ts';
import { fixes, person, way } from '../ways.ts';
import { name, prose, sentence } from '../words.ts';

/** A person holds the change, stopped the line, or ended it. */
export const stopped: BlockerRule = {
  kind: 'stopped',
  tell(spot, facts) {
    if (kindOf(spot) !== 'stopped') return undefined;
    const { failed, stage } = spot;
    const at = stage === undefined ? {} : { stage };
    if (failed) {
      const said = sentence`aborted by ${name(failed.actor ?? 'somebody')}: ${prose(failed.why ?? failed.message)}`;
      return { sentence: said, since: failed.at, ...at, ways: [fixes(facts, 'delivers anew')] };
    }
    return { ...(spot.stopped ? byPerson(spot.stopped) : inWords(spot)), ...at };
  },
};

function byPerson({ what, actor, reason, at, scope = 'the line' }: NonNullable<Spot['stopped']>): Told {
  if (what === 'held') {
    const action = { label: 'Resume', permission: 'operate' } as const;
    return {
      sentence: sentence`held by ${name(actor)}: ${prose(reason)}`,
      since: at,
      ways: [way([person(actor)], 'resumes', action)],
    };
  }
  return {
    sentence: sentence`${name(scope)} was stopped by ${name(actor)}: ${prose(reason)}`,
    since: at,
    ways: [way([person(actor)], 'lets the line go on')],
  };
}

function inWords({ wait, since }: Spot): Told {
  const text = wait?.sentence ?? 'somebody stopped it';
  return { sentence: sentence`${prose(text)}`, since: wait?.since ?? since, ways: [way([], '')] };
}
