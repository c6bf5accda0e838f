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
import { requireBranch, requireNewCommit, requireNewFiles, requirePath, requireSha } from './names.ts';
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
  const sound = <T>(work: () => Promise<T>): Promise<T> => onlyAdapterErrors(name, work);
  const at = (repository: Repository): Coordinates => requireCoordinates(name, site, repository);
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

    resolve: (repository, revision, options) => sound(() => reading.resolve(at(repository), revision, options)),
    readFile: (repository, sha, path, options) => sound(() => reading.readFile(at(repository), sha, path, options)),
    compare: (repository, base, head, options) => sound(() => reading.compare(at(repository), base, head, options)),
    contains: (repository, descendant, ancestor, options) =>
      sound(() => reading.contains(at(repository), descendant, ancestor, options)),
    commitMessage: (repository, sha, options) => sound(() => reading.commitMessage(at(repository), sha, options)),

    createCommit: (repository, wanted, options) =>
      sound(async () => {
        requireNewCommit(wanted);
        const coordinates = at(repository);
        const sha = await createCommitAt(api, coordinates, wanted, options);
        await pullRequests.pointHeadAt(coordinates, wanted.branch, sha, options);
        return sha;
      }),
    listFiles: (repository, sha, folder, options) =>
      sound(async () => {
        requireSha(sha);
        if (folder !== '') requirePath(folder);
        return files.list(at(repository), sha, folder, options);
      }),
    commitFiles: (repository, wanted, options) =>
      sound(async () => {
        requireNewFiles(wanted);
        const coordinates = at(repository);
        const made = (tree: string) =>
          commitTree(api, coordinates, { ...wanted, tree, parents: [wanted.parent] }, options);
        const sha = await files.commit(coordinates, wanted, made, options);
        if (sha !== wanted.parent) await pullRequests.pointHeadAt(coordinates, wanted.branch, sha, options);
        return sha;
      }),
    openPullRequest: (repository, wanted, options) =>
      sound(() => {
        requireBranch(wanted.headBranch);
        requireBranch(wanted.baseBranch);
        requireSha(wanted.headSha);
        return pullRequests.open(at(repository), wanted, options);
      }),
    findOpenPullRequests: (repository, filter, options) =>
      sound(() => pullRequests.findOpen(at(repository), filter, options)),
    readPullRequest: (repository, number, options) => sound(() => pullRequests.read(at(repository), number, options)),
    updatePullRequest: (repository, number, change, options) =>
      sound(() => pullRequests.update(at(repository), number, change, options)),
    closePullRequest: (repository, number, comment, options) =>
      sound(() => pullRequests.close(at(repository), number, comment, options)),
    mergePullRequest: (repository, number, merge, options) =>
      sound(() => {
        requireSha(merge.expectedHeadSha);
        return pullRequests.merge(at(repository), number, merge, options);
      }),
    mergeWhenReady: (repository, number, merge, options) =>
      sound(async () => {
        requireSha(merge.expectedHeadSha);
        return mergeWhenReady(at(repository), number, merge, options);
      }),
    mergeNotYet: (repository, number, options) => sound(() => mergeNotYet(at(repository), number, options)),

    putComment: (repository, number, comment, options) =>
      sound(() => discussion.putComment(at(repository), number, comment, options)),
    readComments: (repository, number, options) =>
      sound(() => discussion.readComments(at(repository), number, options)),
    changeLabels: (repository, number, change, options) =>
      sound(() => discussion.changeLabels(at(repository), number, change, options)),
    requestReviewers: (repository, number, wanted, options) =>
      sound(() => discussion.requestReviewers(at(repository), number, wanted, options)),
    setStatus: (repository, sha, status, options) =>
      sound(async () => {
        requireSha(sha);
        return discussion.setStatus(at(repository), sha, status, options);
      }),

    readReviews: (repository, number, options) => sound(() => people.readReviews(at(repository), number, options)),
    permission: (repository, user, options) => sound(() => people.permission(at(repository), user, options)),
    isMember: (repository, group, user, options) => sound(() => people.isMember(at(repository), group, user, options)),
    whoAmI: (options) => sound(() => people.me({}, options)),
    approvePullRequest: (repository, number, approval, options) =>
      sound(async () => {
        requireSha(approval.headSha);
        return people.approve(at(repository), number, approval, options);
      }),
    ...(redelivers
      ? { redeliver: (repository, since, options) => sound(() => redeliver(at(repository), since, options)) }
      : {}),
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
