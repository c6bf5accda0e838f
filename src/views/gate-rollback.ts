import { short } from '../engine/revisions.ts';
import { currentTask, type SequenceState } from '../engine/sequence.ts';
import type { GateUntil } from './gate.ts';

/** What a gate asks about: a commit of a place, or the newest there. */
export interface GateSubject {
  revision?: string;
  until: GateUntil;
}

/**
 * The sequence that answers a gate, of those of a place, newest first. A revert is no change: who asks for the verdict
 * on the newest change must not be told that what took it back is fine.
 */
export function subjectOf(newestFirst: readonly SequenceState[], { revision, until }: GateSubject) {
  return newestFirst.find(({ triggered }) => {
    if (revision !== undefined) return triggered?.revision.toLowerCase().startsWith(revision);
    return until === 'deploy' || triggered?.rollsBack === undefined;
  });
}

/**
 * Why a commit may be synced whatever became of it as a change: a rollback of ours is bringing it back. Its gate inside
 * the sync (a PreSync job) asks like for any other sync.
 */
export function sayGoingBack(newestFirst: readonly SequenceState[], { revision, until }: GateSubject) {
  if (revision === undefined || until !== 'deploy') return undefined;
  const back = newestFirst.map(currentTask).find((task) => {
    const { by, good } = task?.memo ?? {};
    return task?.name === 'rollback' && by === 'sync' && typeof good === 'string' && good.startsWith(revision);
  });
  return back && `a rollback to ${short(String(back.memo['good']))} is under way`;
}
