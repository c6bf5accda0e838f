import { kindOf } from '../kind-of.ts';
import type { BlockerRule } from '../told.ts';
import { fixes } from '../ways.ts';
import { name, prose, sentence } from '../words.ts';

/** Checks of the pull request at its Git host. */
export const checks: BlockerRule = {
  kind: 'checks',
  tell(spot, facts) {
    if (kindOf(spot) !== 'checks') return undefined;
    const { reported, since } = spot;
    const pr = facts.pr?.text ?? 'the pull request';
    const isFailed = reported?.state === 'failed';
    const which = reported?.detail;
    const verb = isFailed ? 'failed' : 'running';
    const said =
      which === undefined
        ? sentence`${name(pr)}: checks ${verb}`
        : sentence`${name(pr)}: check ${prose(which)} ${verb}`;
    const ways = isFailed ? [withLink(fixes(facts), reported?.url ?? facts.pr?.url, 'Open the check')] : [];
    return { sentence: said, since: isFailed ? spot.heardAt : since, ways };
  },
};

/** With where a person looks at it. */
export function withLink<T extends object>(one: T, href: string | undefined, label: string): T {
  return href === undefined ? one : { ...one, action: { label, href } };
}
