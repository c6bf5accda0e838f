import type { Place } from './application.ts';

/** A Kubernetes label value that can stand in a URL and a branch name. */
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

/** Whether a label names a project, stage or service. */
export function isName(value: string): boolean {
  return NAME.test(value);
}

/** Where the labels say that a change is headed; half a place is none. */
export function placeFrom(project = '', stage = '', service = ''): Place | undefined {
  return [project, stage, service].every(isName) ? { project, stage, service } : undefined;
}

/** Only http(s) without credentials: `javascript:` links and passwords in annotations stay out. */
export function webUrl(value: unknown): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  return url.username === '' && url.password === '' ? value : undefined;
}
