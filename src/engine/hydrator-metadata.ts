import { isJsonObject } from '../base/json.ts';

/** Argo CD's hydrator writes it to the root of the branch, beside the manifests. */
export const HYDRATOR_METADATA = 'hydrator.metadata';

const SHA = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

export function isSha(text: string | undefined): boolean {
  return SHA.test(text ?? '');
}

/** The commit that people wrote, as a hydrated one names it; empty where it names none. */
export function dryShaIn(metadata = ''): string {
  try {
    const written: unknown = JSON.parse(metadata);
    const sha = isJsonObject(written) ? written['drySha'] : undefined;
    return typeof sha === 'string' && isSha(sha) ? sha : '';
  } catch {
    return '';
  }
}
