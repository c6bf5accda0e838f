/**
 * What a delivery system tells of an application, in our words: the same for an Argo CD Application
 * and a Flux Kustomization or HelmRelease. Times are ISO 8601 in UTC, with the precision
 * that the system gives (Argo CD: seconds).
 */
export interface ApplicationRef {
  /** Name of the configured delivery system, e.g. `main`. */
  system: string;
  namespace: string;
  /** Flux has several kinds, and the kind belongs to the name, as kubectl writes it: `kustomization/podtato`. */
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
  /** What its revisions are: commits (when absent), chart versions, digests. */
  kind?: 'git' | 'helm' | 'oci';
  chart?: string;
  /** Only lends files to the other sources, under this name. */
  ref?: string;
}

/** What a source hydrator does with the commit that people wrote (dry) to get the one that is synced (hydrated). */
export interface Hydration {
  phase: 'Hydrating' | 'Hydrated' | 'Failed';
  /** Absent while it is rendered, and often where that failed: then nobody says which commit it is. */
  drySha?: string;
  hydratedSha?: string;
  /** What succeeded last, whatever goes on now. */
  last?: { drySha: string; hydratedSha: string };
  message?: string;
  /** The branch that is synced. */
  branch: string;
  /** The branch that is written instead: its pull request into `branch` is the promotion. */
  hydrateTo?: string;
  /** What people write. */
  dry?: Source;
}

/** The current or last operation (sync) of an application. */
export interface Operation {
  phase: 'Running' | 'Terminating' | 'Succeeded' | 'Failed' | 'Error';
  startedAt: string;
  finishedAt?: string;
  /** What was really synced (`syncResult.revision`); absent until the system resolved it. */
  revision?: string;
  /** By source, in the order of the spec; only where there are several. */
  revisions?: string[];
  /** Key/values that the one who asked for it sent along; ours carry context and task id. */
  infos: Record<string, string>;
  dryRun: boolean;
  /** Only some resources, or applied without hooks of the application: not a deployment. */
  partial: boolean;
  /** A phase `Running` with a finished attempt: waiting for its next retry. */
  retrying: boolean;
  automated: boolean;
  /** Who asked for it, as the system names its users. */
  by?: string;
  /** How often it was tried again. */
  retries?: number;
  /** How often it may be. */
  retryLimit?: number;
  message: string;
  /** Names of the hooks before the sync that failed; absent: none did. */
  failedHooks?: string[];
}

export interface Deployment {
  /** The system's own number for it. */
  id?: number;
  revision: string;
  /** By source, in the order of the spec; only where there are several. */
  revisions?: string[];
  startedAt?: string;
  deployedAt: string;
  /** Who asked for it; absent where the system did by itself. */
  by?: string;
}

export interface Application {
  ref: ApplicationRef;
  /** Absent when the labels are missing or not names. */
  place?: Place;
  /** Who it belongs to, and who looks after it: logins, and groups as `group:name`. */
  team?: string;
  owners?: string[];
  /** Where it deploys to, as the system names it; absent: to the cluster that the system runs in. */
  cluster?: string;
  /** Where the deployed service answers (annotation `lynceus.dev/url`), for tests. */
  url?: string;
  /** Where delivery.yaml is in its repository, when an annotation names it. */
  deliveryFile?: string;
  /** Where a person looks at it in the delivery system's own UI. */
  link?: string;
  annotations: Record<string, string>;
  /** All of them; absent where there are none. */
  labels?: Record<string, string>;
  /**
   * The leading one: whose revision names a change. The first that is Git and more than values for
   * others, else the first; `sources` come in the order of the spec.
   */
  source: Source;
  sources: Source[];
  /** The system syncs by itself as soon as the target moves. */
  automated: boolean;
  /** It also repairs drift by itself. */
  selfHeal?: boolean;
  /** Generated or owned by another object, which puts back whatever is changed in its spec. */
  owner?: { kind: string; name: string };
  /** It is being deleted; nothing can be synced any more. */
  deleting?: boolean;
  /** Why it does not follow its source at the moment: `suspended`, `pinned to 1a2b3c4d`. */
  held?: string;
  hydration?: Hydration;
  /** The commit that Git asks for now, as the system last resolved it. */
  targetRevision?: string;
  /** By source, in the order of the spec; only where there are several. */
  targetRevisions?: string[];
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
