import Type, { type Static } from 'typebox';
import type { Finding } from '../../events/finding.ts';
import { type AdapterTools, defineAdapter, SecretRef } from '../adapter-kind.ts';
import { failed } from '../failed-connection.ts';
import { toClientOptions } from '../http-settings.ts';
import { onlyAdapterErrors } from './api-limits.ts';
import type { CallOptions, GitHost, Repository } from './git-host.ts';
import { createGitRemote } from './git-remote.ts';
import { createGiteaApi, placeOf, requirePlace } from './gitea-api.ts';
import { createGiteaDiscussion } from './gitea-discussion.ts';
import { createGiteaPeople } from './gitea-people.ts';
import { createGiteaPullRequests } from './gitea-pull-requests.ts';
import { createGiteaReading } from './gitea-reading.ts';
import { requireBranch, requireSha } from './names.ts';
import type { RestApi } from './rest-api.ts';
import { siteSettings } from './site-settings.ts';

const schema = Type.Object({ ...siteSettings, token: SecretRef }, { additionalProperties: false });

/** Gitea from 1.20 and Forgejo, through their REST API and Git. */
export const gitea = defineAdapter<GitHost, typeof schema>({ kind: 'gitea', schema, create: createGitea });

function createGitea(name: string, config: Static<typeof schema>, tools: AdapterTools): GitHost {
  const site = new URL(config.url);
  const token = tools.secret(config.token);
  const client = toClientOptions(name, { ...config, url: `${config.url.replace(/\/+$/, '')}/api/v1` }, tools);
  const api = createGiteaApi(client, token, config.writeIntervalMs ?? 0);
  const remote = createGitRemote({
    name,
    site,
    // Gitea looks at the password alone.
    login: { username: 'lynceus', password: token },
    addresses: tools.addresses,
    cacheDir: tools.cacheDir,
    tls: config,
  });
  const reading = createGiteaReading(name, api, remote);
  const people = createGiteaPeople(name, api);
  const discussion = createGiteaDiscussion(api, people.whoAmI);
  const pulls = createGiteaPullRequests({ name, api, remote, reading, discussion });
  const sound = <T>(work: () => Promise<T>): Promise<T> => onlyAdapterErrors(name, work);
  const at = (repository: Repository) => requirePlace(name, site, repository);

  return {
    kind: 'gitea',
    name,
    // No `mergeWhenReady`: Gitea would also merge what is pushed after we asked.
    capabilities: {
      reviews: 'host',
      comments: true,
      labels: true,
      reviewRequests: true,
      statuses: true,
      people: true,
      mergeMethods: ['merge', 'squash', 'rebase'],
    },
    serves: (repository) => placeOf(site, repository) !== undefined,
    close: () => remote.close(),
    diagnose: (options = {}) => diagnose(api, options),

    resolve: (repository, revision, options) => sound(() => reading.resolve(at(repository), revision, options)),
    readFile: (repository, sha, path, options) => sound(() => reading.readFile(at(repository), sha, path, options)),
    compare: (repository, base, head, options) => sound(() => reading.compare(at(repository), base, head, options)),
    contains: (repository, descendant, ancestor, options) =>
      sound(() => reading.contains(at(repository), descendant, ancestor, options)),
    commitMessage: (repository, sha, options) => sound(() => reading.commitMessage(at(repository), sha, options)),
    listFiles: (repository, sha, folder, options) =>
      sound(() => remote.listFiles(at(repository).cloneUrl, sha, folder, options)),
    createCommit: (repository, wanted, options) =>
      sound(() => remote.createCommit(at(repository).cloneUrl, wanted, options)),
    commitFiles: (repository, wanted, options) =>
      sound(() => remote.commitFiles(at(repository).cloneUrl, wanted, options)),

    openPullRequest: (repository, wanted, options) =>
      sound(() => {
        requireBranch(wanted.headBranch);
        requireBranch(wanted.baseBranch);
        requireSha(wanted.headSha);
        return pulls.open(at(repository), wanted, options);
      }),
    findOpenPullRequests: (repository, filter, options) => sound(() => pulls.findOpen(at(repository), filter, options)),
    readPullRequest: (repository, number, options) => sound(() => pulls.read(at(repository), number, options)),
    updatePullRequest: (repository, number, change, options) =>
      sound(() => pulls.update(at(repository), number, change, options)),
    closePullRequest: (repository, number, comment, options) =>
      sound(() => pulls.close(at(repository), number, comment, options)),
    mergePullRequest: (repository, number, merge, options) =>
      sound(() => {
        requireSha(merge.expectedHeadSha);
        return pulls.merge(at(repository), number, merge, options);
      }),

    putComment: (repository, number, comment, options) =>
      sound(() => discussion.putComment(at(repository), number, comment, options)),
    readComments: (repository, number, options) =>
      sound(() => discussion.readComments(at(repository), number, options)),
    changeLabels: (repository, number, change, options) =>
      sound(() => discussion.changeLabels(at(repository), number, change, options)),
    requestReviewers: (repository, number, wanted, options) =>
      sound(() => discussion.requestReviewers(at(repository), number, wanted, options)),
    setStatus: (repository, sha, status, options) =>
      sound(() => discussion.setStatus(at(repository), sha, status, options)),

    readReviews: (repository, number, options) => sound(() => people.readReviews(at(repository), number, options)),
    permission: (repository, user, options) => sound(() => people.permission(at(repository), user, options)),
    isMember: (_repository, group, user, options) => sound(() => people.isMember(group, user, options)),
    whoAmI: (options) => sound(() => people.whoAmI(options)),
    approvePullRequest: (repository, number, approval, options) =>
      sound(() => people.approve(at(repository), number, approval, options)),
  };
}

const RENEW = 'make a new token with the scopes of docs/git-hosts.md';

async function diagnose(api: RestApi, options: CallOptions): Promise<Finding[]> {
  try {
    const { login } = await api.get<{ login: string }>('/user', options);
    const { version } = await api.get<{ version: string }>('/version', options);
    return [{ level: 'ok', check: 'token', sentence: `Gitea ${version} takes the token of ${login}` }];
  } catch (error) {
    return [failed('token', error, { unauthenticated: RENEW, forbidden: RENEW })];
  }
}
