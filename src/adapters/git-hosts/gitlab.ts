import Type, { type Static } from 'typebox';
import type { Finding } from '../../events/finding.ts';
import { type AdapterTools, defineAdapter, SecretRef } from '../adapter-kind.ts';
import { failed } from '../failed-connection.ts';
import { toClientOptions } from '../http-settings.ts';
import { onlyAdapterErrors } from './api-limits.ts';
import type { CallOptions, GitHost } from './git-host.ts';
import { createGitRemote } from './git-remote.ts';
import { createGitLabApi, projectOf, requireProject } from './gitlab-api.ts';
import { createGitLabDiscussion } from './gitlab-discussion.ts';
import { createGitLabMergeRequests } from './gitlab-merge-requests.ts';
import { createGitLabPeople, createWhoAmI } from './gitlab-people.ts';
import { createGitLabReading } from './gitlab-reading.ts';
import { repositoryMethods } from './repository-methods.ts';
import type { RestApi } from './rest-api.ts';
import { siteSettings } from './site-settings.ts';

const schema = Type.Object(
  { ...siteSettings, url: Type.Optional(siteSettings.url), token: SecretRef },
  { additionalProperties: false },
);

/** gitlab.com and GitLab on a server of one's own, through REST and Git. */
export const gitlab = defineAdapter<GitHost, typeof schema>({ kind: 'gitlab', schema, create: createGitLab });

function createGitLab(name: string, config: Static<typeof schema>, tools: AdapterTools): GitHost {
  const url = (config.url ?? 'https://gitlab.com').replace(/\/+$/, '');
  const site = new URL(url);
  const token = tools.secret(config.token);
  const client = toClientOptions(name, { ...config, url: `${url}/api/v4` }, tools);
  const api = createGitLabApi(client, token, config.writeIntervalMs ?? 0);
  const remote = createGitRemote({
    name,
    site,
    // GitLab looks at the password alone.
    login: { username: 'oauth2', password: token },
    addresses: tools.addresses,
    cacheDir: tools.cacheDir,
    tls: config,
  });
  const whoAmI = createWhoAmI(api);
  const reading = createGitLabReading(name, api, remote);
  const discussion = createGitLabDiscussion(api, whoAmI);
  const people = createGitLabPeople(api, discussion.listNotes);
  const merges = createGitLabMergeRequests({ name, api, remote, reading, discussion });

  return {
    kind: 'gitlab',
    name,
    // Whether a merge makes a merge commit, or squashes, is for the project's settings to say.
    capabilities: {
      reviews: 'host',
      comments: true,
      labels: true,
      reviewRequests: true,
      statuses: true,
      mergeWhenReady: true,
      people: true,
    },
    serves: (repository) => projectOf(site, repository) !== undefined,
    close: () => remote.close(),
    diagnose: (options = {}) => diagnose(api, options, new Date()),

    ...repositoryMethods(name, (repository) => requireProject(name, site, repository), {
      resolve: reading.resolve,
      readFile: reading.readFile,
      compare: reading.compare,
      contains: reading.contains,
      commitMessage: reading.commitMessage,
      listFiles: (place, ...rest) => remote.listFiles(place.cloneUrl, ...rest),
      createCommit: (place, ...rest) => remote.createCommit(place.cloneUrl, ...rest),
      commitFiles: (place, ...rest) => remote.commitFiles(place.cloneUrl, ...rest),
      openPullRequest: merges.open,
      findOpenPullRequests: merges.findOpen,
      readPullRequest: merges.read,
      updatePullRequest: merges.update,
      closePullRequest: merges.close,
      mergePullRequest: merges.merge,
      mergeWhenReady: merges.mergeWhenReady,
      mergeNotYet: merges.mergeNotYet,
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
    whoAmI: (options) => onlyAdapterErrors(name, () => whoAmI(options)),
  };
}

const SOON_MS = 14 * 86_400_000;
const RENEW = 'make a new token with the scope api, of docs/git-hosts.md';

async function diagnose(api: RestApi, options: CallOptions, now: Date): Promise<Finding[]> {
  try {
    const { username } = await api.get<{ username: string }>('/user', options);
    const self = await api.find<{ expires_at: string | null }>('/personal_access_tokens/self', options);
    const ends = Date.parse(self?.expires_at ?? '');
    const soon = !Number.isNaN(ends) && ends - now.getTime() < SOON_MS;
    const sentence = `the token expires on ${self?.expires_at}`;
    return [
      { level: 'ok', check: 'token', sentence: `GitLab takes the token of ${username}` },
      ...(soon ? [{ level: 'warning', check: 'token-expiry', sentence, remedy: RENEW } as const] : []),
    ];
  } catch (error) {
    return [failed('token', error, { unauthenticated: RENEW, forbidden: RENEW })];
  }
}
