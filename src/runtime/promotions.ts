import type { GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { isJsonObject } from '../base/json.ts';
import { plannedStep } from '../engine/decide.ts';
import { inGit } from '../engine/in-git.ts';
import { type PromotionState, promotionsOf } from '../engine/promotion.ts';
import { mergeOf } from '../engine/promotion-order.ts';
import type { SequenceState } from '../engine/sequence.ts';
import type { Place } from '../events/application.ts';
import type { SequenceTriggered } from '../events/types.ts';
import type { Store } from '../store/store.ts';
import { sequenceFromRow } from '../views/sequence-document.ts';

export interface Promoted {
  context: string;
  sequence: string;
  task: string;
  pullRequest: number;
}

/** What a stage asks for now. */
export interface CommitOfStage {
  /** As people wrote it. */
  repoUrl: string;
  revision: string;
  /** As it was hydrated, where it was. */
  synced?: { repoUrl: string; revision: string };
}

/** The promotion that brought a commit of a repository to a stage, if one did. */
export type FindPromotion = (place: Place, commit: CommitOfStage, signal: AbortSignal) => Promise<Promoted | undefined>;

/** How many of the newest sequences of the service are looked through. */
const LOOK_BACK = 50;

/**
 * Joins a commit on a stage's branch to the change that was promoted there: by the merge commit that the
 * promotion recorded, else by asking the Git host whether the commit contains a promoted one that has not arrived yet:
 * on a shared branch others push on top before anybody looks. Trailers in commit messages are not asked: anybody can
 * write them.
 */
export function createPromotionFinder(
  store: Store,
  gitHost: (repository: Repository) => GitHost | undefined,
): FindPromotion {
  return async (place, commit, signal) => {
    const rows = await store.documents({
      kind: 'sequence',
      project: place.project,
      service: place.service,
      limit: LOOK_BACK,
    });
    const states = rows.map((row) => sequenceFromRow(row.data));
    const candidates = states.flatMap((state) => promotionsTo(state, place.stage));
    const arrived = new Set(
      states
        .filter(({ triggered }) => triggered?.place.stage === place.stage)
        .map(({ triggered }) => triggered?.context),
    );
    const here = [commit.revision, ...(commit.synced ? [commit.synced.revision] : [])];
    const recorded = candidates.find(({ outcome }) => here.some((revision) => outcome?.data['mergeSha'] === revision));
    if (recorded) return promoted(recorded);
    for (const candidate of candidates) {
      // What came before it has either arrived with it, or never will.
      if (arrived.has(candidate.triggered.context)) return undefined;
      // Its pull request is between hydrated branches, or between those that people write.
      const { repoUrl, revision } = (candidate.memo['hydrated'] !== undefined && commit.synced) || commit;
      const repository = { url: repoUrl };
      const host = gitHost(repository);
      if (host && (await brings(host, repository, candidate, revision, signal))) return promoted(candidate);
    }
    return undefined;
  };
}

/** `isEdits`: it brings edits of files, so the verified commit itself says nothing about where it is. */
type Candidate = PromotionState & { triggered: SequenceTriggered; isEdits: boolean };

function promotionsTo(state: SequenceState, stage: string): Candidate[] {
  const { triggered } = state;
  if (!triggered) return [];
  const isEdits = plannedStep(state, 'promotion')?.changes !== undefined;
  return promotionsOf(state)
    .filter(({ target }) => target.to === stage)
    .map((promotion) => ({ ...promotion, triggered, isEdits }));
}

/**
 * A merge that we have not yet noticed: the pull request is asked first (a squash keeps no ancestry),
 * then whether the stage's new commit contains the promoted one (merged by hand). Newest first, so a
 * change that contains an older one is not mistaken for it.
 */
async function brings(
  host: GitHost,
  repository: Repository,
  candidate: Candidate,
  revision: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { memo, outcome } = candidate;
  const merge = mergeOf(candidate);
  if (outcome !== undefined && merge === undefined) return false;
  try {
    const number = merge === undefined ? Number(memo['pullRequest'] ?? 0) : 0;
    const pullRequest = number > 0 ? await host.readPullRequest(repository, number, { signal }) : undefined;
    const ancestor = merge ?? pullRequest?.mergeSha ?? chosenIn(candidate);
    if (ancestor === undefined) return false;
    return ancestor === revision || (await host.contains(repository, revision, ancestor, { signal }));
  } catch (error) {
    if (error instanceof AdapterError && error.reason === 'not-found') return false;
    throw error;
  }
}

/** The commit that a merge by hand brings. */
function chosenIn({ memo, triggered, isEdits }: Candidate): string | undefined {
  const { hydrated, head } = memo;
  if (isEdits) return typeof head === 'string' ? head : undefined;
  return isJsonObject(hydrated) ? String(hydrated['revision']) : inGit(triggered).revision;
}

function promoted({ task, memo, outcome, triggered }: Candidate): Promoted {
  const pullRequest = Number(outcome?.data['pullRequest'] ?? memo['pullRequest'] ?? 0);
  return { context: triggered.context, sequence: triggered.sequence, task: task.id, pullRequest };
}
