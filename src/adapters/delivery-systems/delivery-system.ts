import type { Guard } from '../../base/guard.ts';
import type { Application, ApplicationRef, Health } from '../../events/application.ts';
import type { Finding, LabelledApplication } from '../../events/finding.ts';
import type { SyncWindows } from '../../events/sync-windows.ts';

export type { Finding, LabelledApplication } from '../../events/finding.ts';

export interface SyncRequest {
  /** The commit to deploy: exactly what was gated. */
  revision: string;
  /** By source, in the order of the spec; only where there are several. */
  revisions?: string[];
  prune: boolean;
  /** Absent: what the application says. */
  policy?: SyncPolicy;
  /** Sent along and read back (`operation.infos`): how a sync is recognised as ours. */
  infos: Record<string, string>;
}

/** How a sync is carried out where the stage says so; what is absent is inherited from the application. */
export interface SyncPolicy {
  /** `CreateNamespace=true`; all of them, because they replace those of the application. */
  options?: string[];
  retry?: { limit: number; backoffMs?: number; factor?: number; maxBackoffMs?: number };
}

/** One object that an application consists of. */
export interface ApplicationResource {
  group: string;
  version: string;
  kind: string;
  namespace: string;
  name: string;
  health?: { status: Health; message?: string };
}

export interface RevisionMetadata {
  author: string;
  /** ISO 8601. */
  date: string;
  message: string;
  tags: string[];
}

export interface CallOptions {
  signal?: AbortSignal;
  /** Asked immediately before anything is changed; throws when we may no longer act. */
  guard?: Guard;
}

/** An application moved; look at it. Streams lose events, so this is a hint like any other. */
export interface ApplicationHint {
  namespace: string;
  name: string;
  /** As the stream tells it: good enough to see that nothing moved, and for nothing else. */
  application?: Application;
}

/**
 * A system that makes a cluster match Git. Every method throws only AdapterError.
 * Contract: test/contracts/delivery-system.ts.
 */
export interface DeliverySystem {
  readonly kind: string;
  /** The configured name of this instance. */
  readonly name: string;

  /** All applications that carry our labels, as one list call. */
  list(options?: CallOptions): Promise<Application[]>;

  /**
   * The application as it is now, read through to the cluster. `refresh` also makes the system look
   * at Git again first (slow, rate-limit it).
   */
  read(
    ref: Pick<ApplicationRef, 'namespace' | 'name'> & { systemProject?: string },
    options?: CallOptions & { refresh?: boolean },
  ): Promise<Application>;

  /**
   * Starts a sync. `timeout` and `unavailable` mean the outcome is unknown: read the application and
   * look for the infos before asking again. `conflict`: another operation is in progress.
   * `forbidden` with a message about a window: a sync window is closed.
   */
  sync(ref: ApplicationRef, request: SyncRequest, options?: CallOptions): Promise<void>;

  /** Ends the running operation; nothing running is not an error. */
  terminate(ref: ApplicationRef, options?: CallOptions): Promise<void>;

  revisionMetadata(ref: ApplicationRef, revision: string, options?: CallOptions): Promise<RevisionMetadata>;

  /** Its own windows; absent where the system has none. */
  windows?(ref: ApplicationRef, options?: CallOptions): Promise<SyncWindows>;

  /** The objects that it consists of, with their health; absent where the system does not tell. */
  resources?(ref: ApplicationRef, options?: CallOptions): Promise<ApplicationResource[]>;

  /** The images that its workloads ask for now; absent where `read` tells them. Costs some requests. */
  images?(ref: ApplicationRef, options?: CallOptions): Promise<string[]>;

  /** Runs an action of one of its objects (`resume`, `promote-full`, `abort`); absent where there are none. */
  act?(ref: ApplicationRef, resource: ApplicationResource, action: string, options?: CallOptions): Promise<void>;

  /** Checks address, version, token and rights without changing anything; a failure is a finding, not an error. */
  diagnose?(options?: CallOptions): Promise<Finding[]>;

  /** All that carry any label of ours, also those that `list` leaves out because something is missing. */
  labelled?(options?: CallOptions): Promise<LabelledApplication[]>;

  /** Hints as they come, until aborted or the connection breaks. */
  watch(options: { signal: AbortSignal }): AsyncIterable<ApplicationHint>;
}
