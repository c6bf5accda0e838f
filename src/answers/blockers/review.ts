import type { ChangeFacts } from '../fact-types.ts';
import { kindOf } from '../kind-of.ts';
import type { Spot } from '../spot.ts';
import type { BlockerRule, Told, Way } from '../told.ts';
import { fixes, group, ownersOf, retries, way } from '../ways.ts';
import { name, prose, sentence } from '../words.ts';
import { withLink } from './checks.ts';

/** A pull request waits for people at its Git host. */
export const review: BlockerRule = {
  kind: 'review',
  tell(spot, facts) {
    if (kindOf(spot) !== 'review') return undefined;
    const { failed, stage, wait, since } = spot;
    const at = stage === undefined ? {} : { stage };
    if (failed) {
      const again = failed.canRetry ? [retries(spot)] : [];
      return { sentence: saidOfEnd(spot, facts), since: failed.at, ...at, ways: [fixes(facts), ...again] };
    }
    if (spot.reported) return { ...reportedReview(spot, facts), ...at };
    return { sentence: saidOf(spot), since: wait?.since ?? since, ...at, ways: waysOf(spot, facts) };
  },
};

function saidOf({ review: asked, wait, step }: Spot): string {
  if (!asked)
    return sentence`${prose(wait?.sentence ?? (step === 'promotion' ? 'opening the pull request' : 'in review'))}`;
  const { number, to, quorum, approved, groups, merge } = asked;
  const missing = Math.max(0, quorum - approved.length);
  const where = to === undefined ? '' : ` to ${to}`;
  // The host's own rules, a closed pull request, a merge under way: the engine says it best.
  if (missing === 0 || (wait && !/approv|needs/.test(wait.sentence))) {
    if (merge === 'person' && missing === 0)
      return sentence`PR ${number}${name(where)} is approved: a person merges it`;
    return sentence`${prose(wait?.sentence ?? `pull request ${number}${where} is approved`)}`;
  }
  const from = groups.length === 0 ? '' : ` of ${groups.length === 1 ? groups[0] : `${groups[0]} and others`}`;
  return sentence`PR ${number}${name(where)} needs ${missing}${approved.length > 0 ? ' more' : ''}${name(from)}${from === '' ? (missing === 1 ? ' approval' : ' approvals') : ''}`;
}

function waysOf({ review: asked }: Spot, facts: ChangeFacts): Way[] {
  const named = [...(asked?.reviewers ?? []), ...(asked?.groups ?? []).map(group), ...(asked?.asked ?? []).map(group)];
  const does = asked?.merge === 'person' && asked.approved.length >= asked.quorum ? 'merges' : 'approves';
  const label = `Open PR ${asked?.number ?? ''}`.trim();
  if (asked === undefined) return [];
  return [withLink(way(named.length > 0 ? named : ownersOf(facts), does), asked.url, label)];
}

function saidOfEnd({ failed, review: asked, approval }: Spot, { pr }: ChangeFacts): string {
  const { actor, why, message = '' } = failed ?? {};
  if (actor === undefined) return sentence`not promoted: ${prose(message)}`;
  const where = asked?.to ?? approval?.to;
  const number = asked === undefined ? (pr?.text ?? 'the promotion') : `PR ${asked.number}`;
  return sentence`${name(number)}${name(where === undefined ? '' : ` to ${where}`)} was rejected by ${name(actor)}: ${prose(why ?? '')}`;
}

function reportedReview({ reported, since }: Spot, facts: ChangeFacts): Omit<Told, 'stage'> {
  const pr = facts.pr?.text ?? 'the pull request';
  const isRejected = reported?.state === 'failed';
  const said =
    reported?.detail === undefined
      ? sentence`${name(pr)} needs a review`
      : sentence`${name(pr)} ${prose(reported.detail)}`;
  const who = isRejected ? fixes(facts) : way(ownersOf(facts), 'reviews');
  return { sentence: said, since, ways: [withLink(who, facts.pr?.url ?? reported?.url, `Open ${pr}`)] };
}
