import { isJsonObject } from '../base/json.ts';
import { inGit } from '../engine/in-git.ts';
import { promotionsOf } from '../engine/promotion.ts';
import type { SequenceState } from '../engine/sequence.ts';
import { webUrl } from '../events/written.ts';

/** A pull request that waits for people at its Git host: with us nothing can be decided about it. */
export interface ReviewAtHost {
  number: number;
  /** Its page there. */
  url: string;
  to: string;
  /** The commit that it has to point at: what a review has to look at. */
  head: string;
  /** URL, where it holds no credentials. */
  repository?: string;
  /** `github`, `gitlab` and so on; not in older logs. */
  host?: string;
}

/** Open promotions of a sequence that are reviewed at a Git host. */
export function reviewsAtHost(state: SequenceState): ReviewAtHost[] {
  const { triggered } = state;
  if (!triggered || state.phase === 'finished') return [];
  return promotionsOf(state).flatMap(({ memo, outcome, target }) => {
    const { pullRequest: number, url, reviews, hostKind, hydrated } = memo;
    if (outcome !== undefined || reviews !== 'host' || typeof number !== 'number') return [];
    const git = inGit(triggered);
    const [repoUrl, revision] = isJsonObject(hydrated)
      ? [String(hydrated['repoUrl']), String(hydrated['revision'])]
      : [git.repository.url, git.revision];
    const repository = /^https?:/.test(repoUrl) ? webUrl(repoUrl) : repoUrl;
    return [
      {
        number,
        url: String(url ?? ''),
        to: target.to,
        head: String(memo['head'] ?? revision),
        ...(repository === undefined ? {} : { repository }),
        ...(typeof hostKind === 'string' ? { host: hostKind } : {}),
      },
    ];
  });
}
