import type { HydratorSpec, HydratorStatus } from './hydrator.ts';
import type { RetryStrategy } from './retries.ts';

/** The parts of an Argo CD Application object that the sandbox fills, as they stand in its JSON. */
export interface ApplicationObject {
  apiVersion: 'argoproj.io/v1alpha1';
  kind: 'Application';
  metadata: {
    name: string;
    namespace: string;
    uid: string;
    resourceVersion: string;
    generation: number;
    creationTimestamp: string;
    labels: Record<string, string>;
    annotations: Record<string, string>;
    ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller: boolean }[];
  };
  spec: {
    project: string;
    source?: SourceSpec;
    sources?: SourceSpec[];
    sourceHydrator?: HydratorSpec;
    destination: { server: string; namespace: string };
    syncPolicy?: { automated?: { enabled?: boolean; prune?: boolean; selfHeal?: boolean }; retry?: RetryStrategy };
  };
  operation?: OperationSpec;
  status: {
    sync: { status: 'Synced' | 'OutOfSync' | 'Unknown'; revision?: string; revisions?: string[]; comparedTo: object };
    health: { status: HealthStatus; lastTransitionTime?: string; message?: string };
    sourceHydrator?: HydratorStatus;
    operationState?: OperationState;
    history: HistoryEntry[];
    reconciledAt?: string;
    sourceType: string;
    summary: { images?: string[]; externalURLs?: string[] };
    conditions?: { type: string; message: string; lastTransitionTime: string }[];
    resourceHealthSource: 'appTree';
    controllerNamespace: string;
  };
}

export type HealthStatus = 'Healthy' | 'Progressing' | 'Degraded' | 'Suspended' | 'Missing' | 'Unknown';

export interface SourceSpec {
  repoURL: string;
  path: string;
  targetRevision: string;
}

export interface OperationSpec {
  sync: {
    revision?: string;
    revisions?: string[];
    source?: SourceSpec;
    sources?: SourceSpec[];
    prune?: boolean;
    dryRun?: boolean;
    resources?: object[];
    syncStrategy?: object;
    syncOptions?: string[];
  };
  initiatedBy: { username?: string; automated?: boolean };
  info?: { name: string; value: string }[];
  retry: RetryStrategy;
}

export interface OperationState {
  operation: OperationSpec;
  phase: 'Running' | 'Terminating' | 'Succeeded' | 'Failed' | 'Error';
  message: string;
  startedAt: string;
  finishedAt?: string;
  retryCount?: number;
  syncResult?: {
    revision: string;
    revisions?: string[];
    source?: SourceSpec;
    sources?: SourceSpec[];
    resources?: object[];
  };
}

export interface HistoryEntry {
  id: number;
  revision?: string;
  revisions?: string[];
  source?: SourceSpec;
  sources?: SourceSpec[];
  deployStartedAt: string;
  deployedAt: string;
  initiatedBy: { username?: string; automated?: boolean };
}

/** Kubernetes writes whole seconds. */
export function timestamp(date: Date = new Date()): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
