import type { Finding } from '../../events/finding.ts';

/** A place that images, charts and other OCI artifacts come from. Every method throws only AdapterError. */
export interface Registry {
  readonly kind: string;
  /** The configured name. */
  readonly name: string;

  /** Checks address and login without changing anything; a failure is a finding, not an error. */
  diagnose?(options?: { signal?: AbortSignal }): Promise<Finding[]>;

  /** Whether an image, named as in manifests (`ghcr.io/acme/shop`, `nginx`), comes from here. */
  serves(image: string): boolean;

  /** What a tag points at now, such as `sha256:9f86...`: of an image for several platforms, of all of them. */
  digest(image: string, tag: string, options?: { signal?: AbortSignal }): Promise<string | undefined>;
}
