import Type, { type Static } from 'typebox';
import type { Finding } from '../../events/finding.ts';
import { type AdapterTools, defineAdapter, SecretRef } from '../adapter-kind.ts';
import { failed } from '../failed-connection.ts';
import { toClientOptions } from '../http-settings.ts';
import { onlyAdapterErrors } from './api-limits.ts';
import type { CallOptions, GitHost, Repository } from './git-host.ts';
import { createGitRemote } from './git-remote.ts';
import { createGitLabApi, projectOf, requireProject } from './gitlab-api.ts';
import { createGitLabDiscussion } from './gitlab-discussion.ts';
import { createGitLabMergeRequests } from './gitlab-merge-requests.ts';
import { createGitLabPeople, createWhoAmI } from './gitlab-people.ts';
import { createGitLabReading } from './gitlab-reading.ts';
import { requireBranch, requireSha } from './names.ts';
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
  const sound = <T>(work: () => Promise<T>): Promise<T> => onlyAdapterErrors(name, work);
  const at = (repository: Repository) => requireProject(name, site, repository);

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
        return merges.open(at(repository), wanted, options);
      }),
    findOpenPullRequests: (repository, filter, options) =>
      sound(() => merges.findOpen(at(repository), filter, options)),
    readPullRequest: (repository, number, options) => sound(() => merges.read(at(repository), number, options)),
    updatePullRequest: (repository, number, change, options) =>
      sound(() => merges.update(at(repository), number, change, options)),
    closePullRequest: (repository, number, comment, options) =>
      sound(() => merges.close(at(repository), number, comment, options)),
    mergePullRequest: (repository, number, merge, options) =>
      sound(() => {
        requireSha(merge.expectedHeadSha);
        return merges.merge(at(repository), number, merge, options);
      }),
    mergeWhenReady: (repository, number, merge, options) =>
      sound(() => {
        requireSha(merge.expectedHeadSha);
        return merges.mergeWhenReady(at(repository), number, merge, options);
      }),
    mergeNotYet: (repository, number, options) => sound(() => merges.mergeNotYet(at(repository), number, options)),

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
    whoAmI: (options) => sound(() => whoAmI(options)),
    approvePullRequest: (repository, number, approval, options) =>
      sound(() => people.approve(at(repository), number, approval, options)),
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
