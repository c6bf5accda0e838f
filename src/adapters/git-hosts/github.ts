import Type, { type Static } from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import { type AdapterTools, defineAdapter, SecretRef } from '../adapter-kind.ts';
import { type ApiTime, onlyAdapterErrors } from './api-limits.ts';
import type { GitHost, Repository } from './git-host.ts';
import { type Coordinates, createGitHubApi, type GitHubApiOptions } from './github-api.ts';
import { commitTree, createCommitAt } from './github-commits.ts';
import { diagnoseGitHub } from './github-diagnosis.ts';
import { createGitHubDiscussion } from './github-discussion.ts';
import { createGitHubFiles } from './github-files.ts';
import { createGitHubMergeWhenReady } from './github-merge-when-ready.ts';
import { createGitHubPeople } from './github-people.ts';
import { createGitHubPullRequests } from './github-pull-requests.ts';
import { createGitHubReading } from './github-reading.ts';
import { createGitHubRedelivery } from './github-redelivery.ts';
import { repositoryMethods } from './repository-methods.ts';
import { parseRepositoryUrl, sayUrl, withoutGit } from './repository-url.ts';

const schema = Type.Object(
  {
    url: Type.Optional(
      Type.String({
        pattern: '^https?://[^/?#@]+/?$',
        description: 'default https://github.com; your own server for GitHub Enterprise',
      }),
    ),
    token: Type.Optional(SecretRef),
    app: Type.Optional(
      Type.Object(
        {
          id: Type.Union([Type.Integer({ minimum: 1 }), Type.String({ pattern: '^[\\w.-]+$' })], {
            description: 'number or client id of the GitHub App',
          }),
          privateKey: SecretRef,
        },
        { additionalProperties: false, description: 'instead of a token: a GitHub App' },
      ),
    ),
    hookUrl: Type.Optional(
      Type.String({
        pattern: '^https?://',
        description: 'where the webhook of a repository goes: what did not arrive there is asked for again',
      }),
    ),
    writeIntervalMs: Type.Optional(
      Type.Integer({ minimum: 0, description: 'pause between changes; default 1000, as GitHub asks' }),
    ),
  },
  { additionalProperties: false },
);
type GitHubConfig = Static<typeof schema>;

/** github.com and GitHub Enterprise, through their REST API. */
export const github = defineAdapter<GitHost, typeof schema>({ kind: 'github', schema, create: createGitHub });

/** @throws {AdapterError} `rejected` unless there is one way to log in: a token or an App with its key */
export function createGitHub(name: string, config: GitHubConfig, tools: AdapterTools, time?: ApiTime): GitHost {
  const site = new URL(config.url ?? 'https://github.com');
  const connection = createGitHubApi({
    name,
    baseUrl: apiUrlOf(site),
    graphqlUrl: graphqlUrlOf(site),
    login: loginOf(name, config, tools),
    addresses: tools.addresses,
    writeIntervalMs: config.writeIntervalMs ?? 1_000,
    ...(time === undefined ? {} : { time }),
  });
  const { rest: api } = connection;
  const reading = createGitHubReading(api);
  const people = createGitHubPeople(connection);
  const pullRequests = createGitHubPullRequests(api, reading.contains, (where, call) => people.me({ in: where }, call));
  const discussion = createGitHubDiscussion(api, (where, call) => people.me({ in: where }, call));
  const files = createGitHubFiles(api);
  const { mergeWhenReady, mergeNotYet } = createGitHubMergeWhenReady(connection, pullRequests.merge);
  const redelivers = connection.credentials === 'app' || config.hookUrl !== undefined;
  const redeliver = createGitHubRedelivery(connection, config.hookUrl);

  return {
    kind: 'github',
    name,
    capabilities: {
      reviews: 'host',
      comments: true,
      labels: true,
      reviewRequests: true,
      statuses: true,
      mergeWhenReady: true,
      people: true,
      redelivery: redelivers,
      mergeMethods: ['merge', 'squash', 'rebase'],
    },
    serves: (repository) => coordinatesOf(site, repository) !== undefined,
    diagnose: (options = {}) => diagnoseGitHub(connection, options, new Date()),

    ...repositoryMethods(name, (repository) => requireCoordinates(name, site, repository), {
      resolve: reading.resolve,
      readFile: reading.readFile,
      compare: reading.compare,
      contains: reading.contains,
      commitMessage: reading.commitMessage,
      listFiles: files.list,
      async createCommit(at, wanted, options) {
        const sha = await createCommitAt(api, at, wanted, options);
        await pullRequests.pointHeadAt(at, wanted.branch, sha, options);
        return sha;
      },
      async commitFiles(at, wanted, options) {
        const made = (tree: string) => commitTree(api, at, { ...wanted, tree, parents: [wanted.parent] }, options);
        const sha = await files.commit(at, wanted, made, options);
        if (sha !== wanted.parent) await pullRequests.pointHeadAt(at, wanted.branch, sha, options);
        return sha;
      },
      openPullRequest: pullRequests.open,
      findOpenPullRequests: pullRequests.findOpen,
      readPullRequest: pullRequests.read,
      updatePullRequest: pullRequests.update,
      closePullRequest: pullRequests.close,
      mergePullRequest: pullRequests.merge,
      mergeWhenReady,
      mergeNotYet,
      putComment: discussion.putComment,
      readComments: discussion.readComments,
      changeLabels: discussion.changeLabels,
      requestReviewers: discussion.requestReviewers,
      setStatus: discussion.setStatus,
      readReviews: people.readReviews,
      permission: people.permission,
      isMember: people.isMember,
      approvePullRequest: people.approve,
      ...(redelivers ? { redeliver } : {}),
    }),
    whoAmI: (options) => onlyAdapterErrors(name, () => people.me({}, options)),
  };
}

function loginOf(name: string, { token, app }: GitHubConfig, tools: AdapterTools): GitHubApiOptions['login'] {
  if (token !== undefined && app === undefined) return { token: tools.secret(token) };
  if (app !== undefined && token === undefined) {
    return { app: { id: String(app.id), privateKey: tools.secret(app.privateKey) } };
  }
  throw new AdapterError('rejected', `${name}: take either token or app`);
}

function apiUrlOf(site: URL): string {
  if (site.host === 'github.com') return 'https://api.github.com';
  // GitHub Enterprise Cloud with data residency.
  if (site.host.endsWith('.ghe.com')) return `https://api.${site.host}`;
  return `${site.origin}/api/v3`;
}

/** GitHub Enterprise has it beside the REST API, not below it. */
function graphqlUrlOf(site: URL): string {
  const api = apiUrlOf(site);
  return api.endsWith('/v3') ? api.slice(0, -'/v3'.length) : api;
}

function coordinatesOf(site: URL, repository: Repository): Coordinates | undefined {
  const address = parseRepositoryUrl(repository.url);
  if (address === undefined || !isOn(site, address.protocol, address.host)) return undefined;
  const [, owner = '', repo = '', ...more] = withoutGit(address.path).split('/');
  const named = [owner, repo].every((part) => /^[\w.-]+$/.test(part));
  return named && more.length === 0 ? { owner, repo } : undefined;
}

/** SSH and HTTPS have different ports; GitHub also answers SSH on ssh.github.com:443. */
function isOn(site: URL, protocol: string, host: string): boolean {
  if (protocol === 'http' || protocol === 'https') return host === site.host;
  const name = host.replace(/:\d+$/, '');
  return protocol === 'ssh' && (name === site.hostname || name === `ssh.${site.hostname}`);
}

function requireCoordinates(name: string, site: URL, repository: Repository): Coordinates {
  const coordinates = coordinatesOf(site, repository);
  if (coordinates !== undefined) return coordinates;
  throw new AdapterError('rejected', `${name} does not serve ${sayUrl(repository.url)}`);
}
