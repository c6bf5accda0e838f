import type { JsonObject } from '../base/json.ts';
import { promotionsOf } from './promotion.ts';
import { mergeOf } from './promotion-order.ts';
import type { SequenceState } from './sequence.ts';

/** Commits on a stage's branch that no promotion and no rollback of ours brought there. */
export interface Drift {
  /** Newest first, at most 10. */
  commits: { sha: string; subject: string; author: string }[];
  total: number;
}

/** What one promotion or rollback of ours left on a branch. */
export interface OurMerge {
  mergeSha: string;
  /** The commits that it brought end here. */
  head: string;
}

const MAX_SHOWN = 10;

/** Everything of ours that a sequence has merged so far. */
export function mergesOf(state: SequenceState): OurMerge[] {
  const revision = state.triggered?.source.revision ?? state.triggered?.revision ?? '';
  const promoted = promotionsOf(state).flatMap((promotion) => {
    const mergeSha = mergeOf(promotion);
    return mergeSha === undefined ? [] : [{ mergeSha, head: text(promotion.memo['head']) ?? revision }];
  });
  const reverted = state.tasks
    .filter(({ name }) => name === 'rollback')
    .flatMap(({ data, memo }) => {
      const mergeSha = text(data['mergeSha'] ?? memo['mergeSha']);
      return mergeSha === undefined ? [] : [{ mergeSha, head: text(memo['head']) ?? mergeSha }];
    });
  return [...promoted, ...reverted];
}

/** A drift that says something; none: `undefined`. */
export function driftOf(commits: readonly Drift['commits'][number][]): Drift | undefined {
  if (commits.length === 0) return undefined;
  const shown = commits.slice(0, MAX_SHOWN).map(({ sha, subject, author }) => ({ sha, subject, author }));
  return { commits: shown, total: commits.length };
}

/** As a task remembered it. */
export function driftIn({ drift }: JsonObject): Drift | undefined {
  return drift === undefined ? undefined : (drift as unknown as Drift);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
