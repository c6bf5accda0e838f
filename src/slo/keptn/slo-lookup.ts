import type { Slo } from '../evaluation.ts';

/** What came of looking for slo.yaml. */
export type SloLookup =
  | { kind: 'none' }
  /** The place itself is not there. */
  | { kind: 'missing'; what: 'project' | 'stage' | 'service' }
  | { kind: 'error'; message: string }
  /** Without `slo` the file could not be read. */
  | { kind: 'file'; content: string; slo?: Slo };

/**
 * What Keptn makes of the errors of its two look-ups. A file that is not there is an error only when
 * the service is not there either; every other error is passed on as it is.
 */
export function classifyLookup(resourceError: string, serviceError: string | undefined): SloLookup {
  // The service is asked for only when the file was "not found", but Keptn words some of these differently.
  if (serviceError === undefined) {
    return resourceError.includes('not found') ? { kind: 'none' } : { kind: 'error', message: resourceError };
  }
  const service = serviceError.toLowerCase();
  const missing = (['project', 'stage', 'service'] as const).find((what) => service.includes(`${what} not found`));
  if (missing !== undefined) return { kind: 'missing', what: missing };
  const resource = resourceError.toLowerCase();
  if (service.includes('resource not found') || resource.includes('resource not found')) return { kind: 'none' };
  return {
    kind: 'error',
    message: resource.includes('could not check out ') ? 'could not checkout the SLO' : resourceError,
  };
}

/** A file without content is no file. */
export function fileFound(content: string, slo: Slo | undefined): SloLookup {
  if (content === '') return { kind: 'none' };
  return { kind: 'file', content, ...(slo === undefined ? {} : { slo }) };
}

/** The error as the evaluation says it when the values have arrived. */
export function sayLookup(lookup: Exclude<SloLookup, { kind: 'file' }>): string {
  if (lookup.kind === 'none') return 'no slo file available';
  return lookup.kind === 'missing' ? `${lookup.what} not found` : lookup.message;
}
