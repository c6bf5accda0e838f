import type { Guard } from '../../base/guard.ts';
import type { Application, ApplicationRef } from '../../events/application.ts';

export interface SyncRequest {
  /** The commit to deploy: exactly what was gated. */
  revision: string;
  prune: boolean;
  /** Sent along and read back (`operation.infos`): how a sync is recognised as ours. */
  infos: Record<string, string>;
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

  /** Hints as they come, until aborted or the connection breaks. */
  watch(options: { signal: AbortSignal }): AsyncIterable<ApplicationHint>;
}
