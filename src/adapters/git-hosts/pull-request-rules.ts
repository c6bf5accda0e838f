import { AdapterError } from '../../base/adapter-error.ts';
import type { PullRequest } from './git-host.ts';

/** Of the open pull requests into one base; who has more than this has another problem. */
export const MOST_OPEN = 1_000;

/** @throws {AdapterError} `rejected`: one that is not listed could be ours */
export function requireAllOpen(more: boolean, what: 'pull requests' | 'merge requests'): void {
  if (more) throw new AdapterError('rejected', `there are more than ${MOST_OPEN} open ${what}`);
}

/**
 * One that is merged, or may be as far as its state goes.
 *
 * @throws {AdapterError} `conflict` when it is closed, or its head is another one
 */
export function requireMergeable(
  now: PullRequest,
  headSha: string,
  what: 'pull request' | 'merge request' = 'pull request',
): PullRequest {
  if (now.state === 'merged') return now;
  if (now.state === 'closed') throw new AdapterError('conflict', `${what} ${now.number} is closed`);
  if (now.headSha === headSha) return now;
  throw new AdapterError('conflict', `the head of ${what} ${now.number} is ${now.headSha.slice(0, 7)} by now`);
}
