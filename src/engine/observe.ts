import type { Application } from '../events/application.ts';

/** What is remembered of an application between two looks at it. */
export interface Remembered {
  /** The commit that Git asked for when we last looked. */
  targetRevision: string;
}

/** The newest sequence of the application's project, stage and service, whether finished or not. */
export interface Newest {
  sequence: string;
  revision: string;
}

export type Observation =
  /** Nothing that matters. */
  | { kind: 'same' }
  /** Remember the commit; nothing is to be delivered. */
  | { kind: 'remember'; targetRevision: string; why: 'known-before-us' | 'already-delivering' }
  /** A new commit for this application: deliver it. */
  | { kind: 'deliver'; targetRevision: string; previousRevision?: string };

/**
 * What a look at an application means. Judged by the commit that Git asks for, never by a payload's
 * words: drift, re-syncs, repeated notifications and health changes start nothing.
 */
export function observe(
  application: Application,
  remembered: Remembered | undefined,
  newest: Newest | undefined,
): Observation {
  const { targetRevision } = application;
  if (targetRevision === undefined || application.place === undefined) return { kind: 'same' };
  if (remembered?.targetRevision === targetRevision) return { kind: 'same' };
  if (newest?.revision === targetRevision) return { kind: 'remember', targetRevision, why: 'already-delivering' };
  // An application that is labelled today has been running its commit for long: that is no new change.
  if (remembered === undefined && runs(application, targetRevision)) {
    return { kind: 'remember', targetRevision, why: 'known-before-us' };
  }
  const previousRevision = remembered?.targetRevision ?? application.history.at(-1)?.revision;
  return { kind: 'deliver', targetRevision, ...(previousRevision === undefined ? {} : { previousRevision }) };
}

function runs(application: Application, revision: string): boolean {
  if (application.operationRequested || application.operation?.phase === 'Running') return false;
  return application.syncStatus === 'Synced' && application.history.at(-1)?.revision === revision;
}

/** Changes when anything changes that a waiting task could be interested in. */
export function fingerprint(application: Application): string {
  const { operation, health } = application;
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
  ].join('|');
}
