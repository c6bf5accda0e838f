import type { ChangeFacts } from '../fact-types.ts';
import { kindOf } from '../kind-of.ts';
import type { Spot } from '../spot.ts';
import type { BlockerRule, Told, Way } from '../told.ts';
import { afterFailure, authorOf, looks, ownersOf, way } from '../ways.ts';
import { between, name, prose, sentence } from '../words.ts';

/** Nine of ten syncs are over by then, in seconds, where nothing was measured yet. */
const USUAL_P90 = 300;

/** The delivery system makes the cluster match Git. */
export const sync: BlockerRule = {
  kind: 'sync',
  turnsAt: (spot) => (kindOf(spot) !== 'sync' || spot.failed ? undefined : Date.parse(spot.since)),
  tell(spot, facts, moment) {
    if (kindOf(spot) !== 'sync') return undefined;
    const { failed, stage, since, wait } = spot;
    if (stage === undefined) return beforeFirst(spot);
    if (spot.merged) return notSeen(spot, stage);
    if (failed) {
      const ways = afterFailure(spot, facts);
      return { sentence: saidOfFailure(spot, stage), since: failed.at, stage, ways };
    }
    const words = wait?.sentence ?? (spot.step === 'rollback' ? 'going back to the last good commit' : 'sync began');
    const said = sentence`sync to ${name(stage)}: ${prose(words)}`;
    const isSlow = between(since, moment.now) > (moment.stepP90 ?? USUAL_P90) * 1000;
    // It is left to people where the system does not sync by itself.
    const ways = wait?.byHand ? [syncsByHand(facts, stage)] : isSlow ? [looks(facts, 'looks')] : [];
    return { sentence: said, since, stage, ways };
  },
};

function syncsByHand(facts: ChangeFacts, stage: string): Way {
  const owners = ownersOf(facts);
  return way(owners.length > 0 ? owners : authorOf(facts), 'syncs', {
    ...{ label: 'Sync now', permission: 'operate', stage },
  });
}

/** A rollback that a person asked for ends the change, too: that is no sync that failed. */
function saidOfFailure({ failed, step }: Spot, stage: string): string {
  const message = prose(failed?.message ?? '');
  if (step !== 'rollback') return sentence`not synced: ${message}`;
  return failed?.rollback === 'done' ? sentence`rolled back in ${name(stage)}: ${message}` : sentence`${message}`;
}

function notSeen({ merged, since }: Spot, stage: string): Told {
  const said = sentence`PR ${merged?.number ?? 0} is merged; ${name(stage)} has not seen the commit yet`;
  return { sentence: said, since, stage, ways: [] };
}

function beforeFirst({ since }: Spot): Told {
  return { sentence: 'Reported by CI; Argo CD or Flux has not seen the commit yet', since, ways: [] };
}
