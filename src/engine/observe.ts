import type { Application } from '../events/application.ts';
import { isSame, revisionsOf } from './revisions.ts';

/** What Git asks for: by source only where there are several. */
interface Target {
  targetRevision: string;
  targetRevisions?: string[];
}

/** What is remembered of an application between two looks at it. */
export type Remembered = Target;

/** The newest sequence of the application's project, stage and service, whether finished or not. */
export interface Newest {
  sequence: string;
  revision: string;
  revisions?: string[];
}

export type Observation =
  /** Nothing that matters. */
  | { kind: 'same' }
  /** Remember the commit; nothing is to be delivered. */
  | ({ kind: 'remember'; why: 'known-before-us' | 'already-delivering' | 'untouched' } & Target)
  /** A new commit in any of the application's sources: deliver it. */
  | ({ kind: 'deliver'; previousRevision?: string } & Target);

/**
 * What a look at an application means. Judged by the commits that Git asks for, never by a payload's
 * words: drift, re-syncs, rollbacks in the delivery system, repeated notifications and health changes
 * start nothing.
 */
export function observe(
  application: Application,
  remembered: Remembered | undefined,
  newest: Newest | undefined,
): Observation {
  const target = targetOf(application);
  if (target === undefined || application.place === undefined) return { kind: 'same' };
  if (remembered && isUnmoved(remembered, target)) return { kind: 'same' };
  if (newest && isSame(newest, revisionsOf(target))) return { kind: 'remember', why: 'already-delivering', ...target };
  // An application that is labelled today has been running its commit for long: that is no new change.
  const known = remembered === undefined ? runs(application, target) : isRememberedByFirst(remembered, target);
  if (known) return { kind: 'remember', why: 'known-before-us', ...target };
  const previousRevision = remembered?.targetRevision ?? application.history.at(-1)?.revision;
  return { kind: 'deliver', ...target, ...(previousRevision === undefined ? {} : { previousRevision }) };
}

function targetOf({ targetRevision, targetRevisions }: Application): Target | undefined {
  if (targetRevision === undefined) return undefined;
  return { targetRevision, ...(targetRevisions === undefined ? {} : { targetRevisions }) };
}

/** A source that was added or taken away is a move, too. */
function isUnmoved(remembered: Remembered, target: Target): boolean {
  const [before, now] = [remembered, target].map(identityOf);
  return before === now;
}

/** Names what is to be deployed: old names stay as long as there is one source. */
export function identityOf({ targetRevision, targetRevisions }: Target): string {
  return targetRevisions?.join(',') ?? targetRevision;
}

/** Earlier versions kept one revision of several sources, that of the first: an update of ours is no change. */
function isRememberedByFirst(remembered: Remembered, { targetRevision, targetRevisions }: Target): boolean {
  if (remembered.targetRevisions !== undefined || targetRevisions === undefined) return false;
  return remembered.targetRevision === targetRevision || remembered.targetRevision === targetRevisions[0];
}

function runs(application: Application, target: Target): boolean {
  if (application.operationRequested || application.operation?.phase === 'Running') return false;
  return application.syncStatus === 'Synced' && isSame(application.history.at(-1), revisionsOf(target));
}

/** Changes when anything changes that a waiting task could be interested in. */
export function fingerprint(application: Application): string {
  const { operation, health, hydration, targetRevisions } = application;
  return [
    application.targetRevision,
    application.syncStatus,
    health.status,
    health.since,
    operation?.startedAt,
    operation?.phase,
    operation?.finishedAt,
    application.operationRequested ? 'requested' : '',
    application.automated ? 'automated' : 'manual',
    ...(targetRevisions ?? []),
    ...(hydration === undefined ? [] : [hydration.phase, hydration.drySha]),
  ].join('|');
}
