import { kindOf } from '../kind-of.ts';
import type { Approval, Spot } from '../spot.ts';
import type { BlockerRule, Way } from '../told.ts';
import { fixes, group, later, overrides, person, way } from '../ways.ts';
import { name, prose, sentence } from '../words.ts';

/** People decide with us. */
export const approval: BlockerRule = {
  kind: 'approval',
  tell(spot, facts) {
    if (kindOf(spot) !== 'approval') return undefined;
    const { failed, wait, since, stage, approval: asked } = spot;
    if (failed) {
      const said =
        failed.actor === undefined
          ? sentence`${prose(failed.message)}`
          : sentence`rejected by ${name(failed.actor)}: ${prose(failed.why ?? '')}`;
      const ways = [fixes(facts, 'delivers anew'), overrides(spot)];
      return { sentence: said, since: failed.at, ...(stage === undefined ? {} : { stage }), ways };
    }
    const to = asked?.to ?? stage;
    return {
      sentence: saidOf(spot),
      since: wait?.since ?? since,
      ...(to === undefined ? {} : { stage: to }),
      ways: [wayOf(asked, to), ...later(wait?.until)],
    };
  },
};

function saidOf({ approval: asked, wait }: Spot): string {
  if (!asked) return sentence`${prose(wait?.sentence ?? 'an approval is needed')}`;
  const { quorum, approved, why, to } = asked;
  const count = quorum > 1 ? ` ${approved.length} of ${quorum}` : '';
  if (why !== undefined) return sentence`approval${count}: ${prose(why)}`;
  return quorum > 1
    ? sentence`approval of ${name(to)}: ${approved.length} of ${quorum} given`
    : sentence`approval of ${name(to)} needed`;
}

/** The groups and people that may, and have not yet; where none is named, whoever approves in the stage. */
function wayOf(asked: Approval | undefined, to: string | undefined): Way {
  const { groups = [], people = [], approved = [] } = asked ?? {};
  const missing = people.filter((one) => !approved.includes(one));
  const named = [...groups.map(group), ...missing.map(person)];
  const who = named.length > 0 ? named : [group('approvers')];
  return way(who, 'approves', {
    label: 'Approve or reject',
    permission: 'decide',
    ...(to === undefined ? {} : { stage: to }),
    ...(groups.length > 0 ? { groups } : {}),
    ...(people.length > 0 ? { people } : {}),
  });
}
