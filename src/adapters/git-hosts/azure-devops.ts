import Type, { type Static } from 'typebox';
import type { Finding } from '../../events/finding.ts';
import { type AdapterTools, defineAdapter, SecretRef } from '../adapter-kind.ts';
import { failed } from '../failed-connection.ts';
import { toClientOptions } from '../http-settings.ts';
import { createAzureApi, type Place, placeOf, requirePlace } from './azure-devops-api.ts';
import { createAzureDiscussion } from './azure-devops-discussion.ts';
import { type AzureIdentities, accountsSite, createAzureIdentities } from './azure-devops-identities.ts';
import { createAzurePullRequests, MOST_BODY } from './azure-devops-pull-requests.ts';
import { createAzureReading } from './azure-devops-reading.ts';
import type { CallOptions, GitHost, PullRequest } from './git-host.ts';
import { createGitRemote } from './git-remote.ts';
import { repositoryMethods } from './repository-methods.ts';
import { siteSettings } from './site-settings.ts';

const schema = Type.Object(
  {
    ...siteSettings,
    url: Type.String({
      pattern: '^https?://[^?#@]+$',
      description: 'the organisation or collection, such as https://dev.azure.com/acme',
    }),
    token: SecretRef,
    apiVersion: Type.Optional(
      Type.String({ pattern: '^[5-9]\\.\\d$', default: '7.1', description: 'for older servers, such as 6.0' }),
    ),
  },
  { additionalProperties: false },
);

/** Heads of pull requests that are remembered, for marks. */
const MOST_HEADS = 1_000;

/** Azure DevOps Services, and Server from 2020, through their REST API and Git. */
export const azureDevOps = defineAdapter<GitHost, typeof schema>({ kind: 'azure-devops', schema, create });

function create(name: string, config: Static<typeof schema>, tools: AdapterTools): GitHost {
  const url = config.url.replace(/\/+$/, '');
  const site = new URL(url);
  const token = tools.secret(config.token);
  const version = config.apiVersion ?? '7.1';
  const apiAt = (base: string) => {
    const client = toClientOptions(name, { ...config, url: base }, tools);
    return createAzureApi(client, token, config.writeIntervalMs ?? 0, version);
  };
  const api = apiAt(url);
  const remote = createGitRemote({
    name,
    site,
    // Azure DevOps looks at the password alone.
    login: { username: 'lynceus', password: token },
    addresses: tools.addresses,
    cacheDir: tools.cacheDir,
    tls: config,
  });
  const heads = rememberHeads();
  const reading = createAzureReading(name, api, remote);
  const identities = createAzureIdentities(api, apiAt(accountsSite(site)), version);
  const discussion = createAzureDiscussion({ api, identities, whoAmI: identities.whoAmI, pullOf: heads.pullOf });
  const pulls = createAzurePullRequests({ name, api, identities, reading, discussion, saw: heads.saw });

  return {
    kind: 'azure-devops',
    name,
    // No `people`: who may do what only those may ask who may also change it.
    capabilities: {
      reviews: 'host',
      comments: true,
      labels: true,
      reviewRequests: true,
      statuses: true,
      mergeWhenReady: true,
      mergeMethods: ['merge', 'squash', 'rebase'],
      longestBody: MOST_BODY,
    },
    serves: (repository) => placeOf(site, repository) !== undefined,
    close: () => remote.close(),
    diagnose: (options = {}) => diagnose(identities, options),

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
      mergeWhenReady: pulls.mergeWhenReady,
      mergeNotYet: pulls.mergeNotYet,
      putComment: discussion.putComment,
      readComments: discussion.readComments,
      changeLabels: discussion.changeLabels,
      requestReviewers: discussion.requestReviewers,
      setStatus: discussion.setStatus,
    }),
  };
}

/** Which pull request has which head, as far as it was seen: a commit does not say. */
function rememberHeads() {
  const heads = new Map<string, number>();
  const keyOf = (at: Place, sha: string) => `${at.path} ${sha}`;
  return {
    pullOf: (at: Place, sha: string) => heads.get(keyOf(at, sha)),
    saw(at: Place, { number, state, headSha }: PullRequest): void {
      const key = keyOf(at, headSha);
      heads.delete(key);
      if (state !== 'open') return;
      heads.set(key, number);
      for (const oldest of heads.keys()) {
        if (heads.size <= MOST_HEADS) break;
        heads.delete(oldest);
      }
    },
  };
}

const RENEW = 'make a new token with the scopes of docs/git-hosts.md';

async function diagnose(identities: AzureIdentities, options: CallOptions): Promise<Finding[]> {
  try {
    const { login } = await identities.whoAmI(options);
    return [{ level: 'ok', check: 'token', sentence: `Azure DevOps takes the token of ${login}` }];
  } catch (error) {
    return [failed('token', error, { unauthenticated: RENEW, forbidden: RENEW })];
  }
}
