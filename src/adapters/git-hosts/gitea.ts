import Type, { type Static } from 'typebox';
import type { Finding } from '../../events/finding.ts';
import { type AdapterTools, defineAdapter, SecretRef } from '../adapter-kind.ts';
import { failed } from '../failed-connection.ts';
import { toClientOptions } from '../http-settings.ts';
import { onlyAdapterErrors } from './api-limits.ts';
import type { CallOptions, GitHost } from './git-host.ts';
import { createGitRemote } from './git-remote.ts';
import { createGiteaApi, placeOf, requirePlace } from './gitea-api.ts';
import { createGiteaDiscussion } from './gitea-discussion.ts';
import { createGiteaPeople } from './gitea-people.ts';
import { createGiteaPullRequests } from './gitea-pull-requests.ts';
import { createGiteaReading } from './gitea-reading.ts';
import { repositoryMethods } from './repository-methods.ts';
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

    ...repositoryMethods(name, (repository) => requirePlace(name, site, repository), {
      resolve: reading.resolve,
      readFile: reading.readFile,
      compare: reading.compare,
      contains: reading.contains,
      commitMessage: reading.commitMessage,
      listFiles: (place, ...rest) => remote.listFiles(place.cloneUrl, ...rest),
      createCommit: (place, ...rest) => remote.createCommit(place.cloneUrl, ...rest),
      commitFiles: (place, ...rest) => remote.commitFiles(place.cloneUrl, ...rest),
      openPullRequest: pulls.open,
      findOpenPullRequests: pulls.findOpen,
      readPullRequest: pulls.read,
      updatePullRequest: pulls.update,
      closePullRequest: pulls.close,
      mergePullRequest: pulls.merge,
      putComment: discussion.putComment,
      readComments: discussion.readComments,
      changeLabels: discussion.changeLabels,
      requestReviewers: discussion.requestReviewers,
      setStatus: discussion.setStatus,
      readReviews: people.readReviews,
      permission: people.permission,
      isMember: (_place, ...rest) => people.isMember(...rest),
      approvePullRequest: people.approve,
    }),
    whoAmI: (options) => onlyAdapterErrors(name, () => people.whoAmI(options)),
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
