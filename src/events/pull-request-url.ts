import type { ReportedPullRequest } from './report.ts';

/** How Git hosts write the address of a pull request: what stands before it is the repository. */
const MARKERS = /^(.+?)\/(?:-\/merge_requests|pull|pulls|pull-requests|pullrequest|merge_requests)\/(\d{1,12})(?:\/|$)/;

/** A pull request by its address on GitHub, GitLab, Gitea, Forgejo, Azure DevOps or Bitbucket; `undefined` for others. */
export function readPullRequestUrl(url: string): ReportedPullRequest | undefined {
  if (url.length > 1_000 || !/^https?:\/\//i.test(url) || !URL.canParse(url)) return undefined;
  const { host, pathname, origin } = new URL(url);
  const found = MARKERS.exec(pathname);
  if (!found) return undefined;
  const path = (found[1] ?? '').replace(/\/_git\//, '/').toLowerCase();
  const number = Number(found[2]);
  return { url: origin + pathname, key: pullRequestKey(`${host}${path}`, number), number };
}

/** `github.com/acme/deploy/412`, of a repository's host and path. */
export function pullRequestKey(repository: string, number: number): string {
  return `${repository.toLowerCase()}/${number}`;
}
