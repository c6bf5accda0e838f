import type { Revisions } from '../engine/revisions.ts';
import type { Application } from '../events/application.ts';
import type { SequenceTriggered } from '../events/types.ts';

/**
 * What a sync of an application is pinned to, in every source. An application with other sources than
 * the one that started the change (another cluster's) is pinned to the gated commit and, for the rest,
 * to what its sources point at now. `undefined` while that is not known: nothing is synced unpinned.
 */
export function pinsFor(
  { source, sources, targetRevisions }: Application,
  { revision, revisions }: Pick<SequenceTriggered, 'revision' | 'revisions'>,
): Revisions | undefined {
  if (sources.length < 2) return { revision };
  if (revisions?.length === sources.length) return { revision, revisions };
  if (targetRevisions?.length !== sources.length) return undefined;
  return { revision, revisions: targetRevisions.with(sources.indexOf(source), revision) };
}

/**
 * The only pins that Argo CD takes where auto-sync is on: the very texts of the spec. What they mean
 * by then is checked afterwards.
 */
export function pinsByTarget({ source, sources }: Application): Revisions {
  if (sources.length < 2) return { revision: source.targetRevision };
  return { revision: source.targetRevision, revisions: sources.map(({ targetRevision }) => targetRevision) };
}
