import Type, { type Static } from 'typebox';
import type { Finding } from '../../events/finding.ts';
import { type AdapterTools, defineAdapter, SecretRef } from '../adapter-kind.ts';
import { failed } from '../failed-connection.ts';
import { toClientOptions } from '../http-settings.ts';
import { createBitbucketApi, gitLogin, placeOf, requirePlace } from './bitbucket-api.ts';
import { createBitbucketDiscussion, MOST_TEXT } from './bitbucket-discussion.ts';
import { createBitbucketPullRequests } from './bitbucket-pull-requests.ts';
import { createBitbucketReading } from './bitbucket-reading.ts';
import type { CallOptions, GitHost } from './git-host.ts';
import { createGitRemote } from './git-remote.ts';
import { repositoryMethods } from './repository-methods.ts';
import { siteSettings } from './site-settings.ts';

const SITE = 'https://bitbucket.org';

const schema = Type.Object(
  {
    ...siteSettings,
    url: Type.Optional(
      Type.String({ pattern: '^https?://[^?#@]+$', default: SITE, description: 'where people open it' }),
    ),
    apiUrl: Type.Optional(
      Type.String({
        pattern: '^https?://[^?#@]+$',
        default: 'https://api.bitbucket.org/2.0',
        description: 'where its API answers',
      }),
    ),
    token: SecretRef,
    username: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'with an API token: the e-mail address of its account; not for access tokens',
      }),
    ),
  },
  { additionalProperties: false },
);

/** Bitbucket Cloud, through its REST API and Git. */
export const bitbucket = defineAdapter<GitHost, typeof schema>({ kind: 'bitbucket', schema, create });

function create(name: string, config: Static<typeof schema>, tools: AdapterTools): GitHost {
  const site = new URL(config.url ?? SITE);
  const login = { username: config.username, token: tools.secret(config.token) };
  const url = (config.apiUrl ?? 'https://api.bitbucket.org/2.0').replace(/\/+$/, '');
  const api = createBitbucketApi(toClientOptions(name, { ...config, url }, tools), login, config.writeIntervalMs ?? 0);
  const remote = createGitRemote({
    name,
    site,
    login: gitLogin(login),
    addresses: tools.addresses,
    cacheDir: tools.cacheDir,
    tls: config,
  });
  const reading = createBitbucketReading(name, api, remote);
  const discussion = createBitbucketDiscussion(api, login.username === undefined);
  const pulls = createBitbucketPullRequests({ name, api, remote, reading, discussion });

  return {
    kind: 'bitbucket',
    name,
    // No `people`: approvals name no commit, and groups cannot be asked for. Only merge commits: others Bitbucket would
    // not know as merged.
    capabilities: { reviews: 'host', comments: true, statuses: true, longestBody: MOST_TEXT },
    serves: (repository) => placeOf(site, repository) !== undefined,
    close: () => remote.close(),
    diagnose: (options = {}) => diagnose(discussion, options),

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
      setStatus: discussion.setStatus,
    }),
  };
}

const RENEW = 'make a new token with the scopes of docs/git-hosts.md';

async function diagnose(
  { whoAmI }: ReturnType<typeof createBitbucketDiscussion>,
  options: CallOptions,
): Promise<Finding[]> {
  try {
    const me = await whoAmI(options);
    if (me !== undefined)
      return [{ level: 'ok', check: 'token', sentence: `Bitbucket takes the token of ${me.login}` }];
    const sentence = 'Bitbucket does not say whose token this is: it is an access token, or none that counts';
    const remedy = 'if it is no access token, make a new one and name the account as username';
    return [{ level: 'warning', check: 'token', sentence, remedy }];
  } catch (error) {
    return [failed('token', error, { unauthenticated: RENEW, forbidden: RENEW })];
  }
}
