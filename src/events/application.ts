/**
 * What a delivery system tells of an application, in our words: the same for an Argo CD Application
 * and (later) a Flux Kustomization or HelmRelease. Times are ISO 8601 in UTC, with the precision
 * that the system gives (Argo CD: seconds).
 */
export interface ApplicationRef {
  /** Name of the configured delivery system, e.g. `main`. */
  system: string;
  namespace: string;
  name: string;
  /** The Kubernetes uid: a deleted and re-created application is another one. */
  uid: string;
  /** Argo CD's AppProject; sent with every call, it turns an ambiguous 403 into a 404. */
  systemProject: string;
}

/** Where a change is headed: the labels that make an application ours. */
export interface Place {
  project: string;
  stage: string;
  service: string;
}

export type Health = 'Healthy' | 'Progressing' | 'Degraded' | 'Suspended' | 'Missing' | 'Unknown';

export interface Source {
  repoUrl: string;
  path: string;
  targetRevision: string;
}

/** The current or last operation (sync) of an application. */
export interface Operation {
  phase: 'Running' | 'Terminating' | 'Succeeded' | 'Failed' | 'Error';
  startedAt: string;
  finishedAt?: string;
  /** What was really synced (`syncResult.revision`); absent until the system resolved it. */
  revision?: string;
  /** Key/values that the one who asked for it sent along; ours carry context and task id. */
  infos: Record<string, string>;
  dryRun: boolean;
  /** Only some resources, or applied without hooks of the application: not a deployment. */
  partial: boolean;
  /** A phase `Running` with a finished attempt: waiting for its next retry. */
  retrying: boolean;
  automated: boolean;
  message: string;
}

export interface Deployment {
  revision: string;
  startedAt?: string;
  deployedAt: string;
}

export interface Application {
  ref: ApplicationRef;
  /** Absent when the labels are missing or not names. */
  place?: Place;
  /** Where the deployed service answers (annotation `lynceus.dev/url`), for tests. */
  url?: string;
  /** Where delivery.yaml is in its repository, when an annotation names it. */
  deliveryFile?: string;
  /** Where a person looks at it in the delivery system's own UI. */
  link?: string;
  annotations: Record<string, string>;
  /** All of them; absent where there are none. */
  labels?: Record<string, string>;
  /** The first source; `sources` of a multi-source application come in the order of its spec. */
  source: Source;
  sources: Source[];
  /** The system syncs by itself as soon as the target moves. */
  automated: boolean;
  /** The commit that Git asks for now, as the system last resolved it. */
  targetRevision?: string;
  syncStatus: 'Synced' | 'OutOfSync' | 'Unknown';
  health: { status: Health; since?: string; message?: string };
  /** A sync was asked for and not yet picked up. */
  operationRequested?: { infos: Record<string, string> };
  operation?: Operation;
  /** When sync status and health were last computed; older than an operation's end means stale. */
  reconciledAt?: string;
  history: Deployment[];
  images: string[];
  conditions: { type: string; message: string }[];
}

/** Identity of an application across renames: system, namespace, name. */
export function applicationKey(ref: Pick<ApplicationRef, 'system' | 'namespace' | 'name'>): string {
  return `${ref.system}/${ref.namespace}/${ref.name}`;
}
