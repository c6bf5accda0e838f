import { isJsonObject, type JsonObject } from '../base/json.ts';
import type { Terminal } from './command.ts';

/** What the environment of a pipeline tells of the change that it works on. */
export interface CiFacts {
  /** How the report calls its source. */
  system: string;
  commit?: string;
  repository?: string;
  pullRequest?: string;
  author?: { name: string; login?: string };
  title?: string;
  run?: { id: string; url?: string; attempt?: number };
}

type Env = Terminal['env'];

/** By the variables that the system itself sets; `undefined` where there are none of those known here. */
export function readCi({ env, sources }: Pick<Terminal, 'env' | 'sources'>): CiFacts | undefined {
  if (env['GITHUB_ACTIONS'] === 'true') return github(env, eventOf(env, sources.readFile));
  if (env['GITLAB_CI'] === 'true') return gitlab(env);
  if (env['TF_BUILD'] === 'True') return azure(env);
  if (env['JENKINS_URL'] !== undefined || env['BUILD_TAG']?.startsWith('jenkins-')) return jenkins(env);
  return undefined;
}

/** On a pull request `GITHUB_SHA` is a merge that nobody else knows: the event names the commit at its head. */
function github(env: Env, event: JsonObject): CiFacts {
  const pull = objectAt(event, 'pull_request');
  const head = objectAt(event, 'head_commit');
  const author = objectAt(head, 'author');
  const site = env['GITHUB_SERVER_URL'] ?? 'https://github.com';
  const repository = `${site}/${env['GITHUB_REPOSITORY'] ?? ''}`;
  const run = env['GITHUB_RUN_ID'];
  const login = textAt(author, 'username') ?? env['GITHUB_ACTOR'];
  return facts({
    system: `github/${env['GITHUB_REPOSITORY'] ?? 'actions'}`,
    commit: textAt(objectAt(pull, 'head'), 'sha') ?? env['GITHUB_SHA'],
    repository: env['GITHUB_REPOSITORY'] ? repository : undefined,
    pullRequest: textAt(pull, 'html_url'),
    author: person(textAt(author, 'name') ?? login, login),
    title: firstLine(textAt(head, 'message') ?? textAt(pull, 'title')),
    run: runOf(run, `${repository}/actions/runs/${run}`, env['GITHUB_RUN_ATTEMPT']),
  });
}

/** Never `CI_REPOSITORY_URL`: there is a token in it. */
function gitlab(env: Env): CiFacts {
  const project = env['CI_MERGE_REQUEST_PROJECT_URL'] ?? env['CI_PROJECT_URL'];
  const request = env['CI_MERGE_REQUEST_IID'];
  return facts({
    system: `gitlab/${env['CI_PROJECT_PATH'] ?? 'ci'}`,
    commit: env['CI_MERGE_REQUEST_SOURCE_BRANCH_SHA'] || env['CI_COMMIT_SHA'],
    repository: env['CI_PROJECT_URL'],
    pullRequest: request && project ? `${project}/-/merge_requests/${request}` : undefined,
    author: person(env['CI_COMMIT_AUTHOR']?.replace(/\s*<[^>]*>$/, ''), env['GITLAB_USER_LOGIN']),
    title: env['CI_COMMIT_TITLE'],
    run: runOf(env['CI_PIPELINE_ID'], env['CI_PIPELINE_URL']),
  });
}

function azure(env: Env): CiFacts {
  const collection = env['SYSTEM_COLLECTIONURI'] ?? env['SYSTEM_TEAMFOUNDATIONCOLLECTIONURI'];
  const base = collection && `${collection.replace(/\/+$/, '')}/${encodeURIComponent(env['SYSTEM_TEAMPROJECT'] ?? '')}`;
  const repository = env['BUILD_REPOSITORY_URI']?.replace(/\/\/[^/@]*@/, '//');
  const number = env['SYSTEM_PULLREQUEST_PULLREQUESTNUMBER'] ?? env['SYSTEM_PULLREQUEST_PULLREQUESTID'];
  const isGitHub = repository?.startsWith('https://github.com/') === true;
  const pull =
    number && repository && `${repository.replace(/\.git$/, '')}/${isGitHub ? 'pull' : 'pullrequest'}/${number}`;
  return facts({
    system: `azure-pipelines/${env['BUILD_REPOSITORY_NAME'] ?? env['SYSTEM_TEAMPROJECT'] ?? 'build'}`,
    commit: env['SYSTEM_PULLREQUEST_SOURCECOMMITID'] ?? env['BUILD_SOURCEVERSION'],
    repository,
    pullRequest: pull || undefined,
    author: person(env['BUILD_SOURCEVERSIONAUTHOR'] ?? env['BUILD_REQUESTEDFOR']),
    title: firstLine(env['BUILD_SOURCEVERSIONMESSAGE']),
    run: runOf(
      env['BUILD_BUILDID'],
      base && `${base}/_build/results?buildId=${env['BUILD_BUILDID']}`,
      env['SYSTEM_JOBATTEMPT'],
    ),
  });
}

function jenkins(env: Env): CiFacts {
  return facts({
    system: `jenkins/${env['JOB_NAME'] ?? 'job'}`,
    commit: env['GIT_COMMIT'],
    repository: env['GIT_URL']?.replace(/\/\/[^/@]*@/, '//'),
    pullRequest: env['CHANGE_URL'],
    author: person(
      env['CHANGE_AUTHOR_DISPLAY_NAME'] ?? env['GIT_AUTHOR_NAME'] ?? env['CHANGE_AUTHOR'],
      env['CHANGE_AUTHOR'],
    ),
    title: env['CHANGE_TITLE'],
    run: runOf(env['BUILD_TAG'] ?? env['BUILD_NUMBER'], env['BUILD_URL']),
  });
}

function runOf(id: string | undefined, url: string | undefined, attempt?: string): CiFacts['run'] | undefined {
  if (!id) return undefined;
  const number = Number(attempt);
  return {
    id,
    ...(url && /^https?:\/\//i.test(url) ? { url } : {}),
    ...(Number.isSafeInteger(number) && number > 0 ? { attempt: number } : {}),
  };
}

function person(name: string | undefined, login?: string): CiFacts['author'] | undefined {
  if (!name) return undefined;
  return { name, ...(login ? { login } : {}) };
}

function facts(found: { [K in keyof CiFacts]: CiFacts[K] | undefined }): CiFacts {
  return Object.fromEntries(
    Object.entries(found).filter(([, value]) => value !== undefined && value !== ''),
  ) as unknown as CiFacts;
}

/** A file of GitHub's own; whatever is wrong with it only costs facts. */
function eventOf(env: Env, readFile: (path: string) => string): JsonObject {
  try {
    const event: unknown = JSON.parse(readFile(env['GITHUB_EVENT_PATH'] ?? ''));
    return isJsonObject(event) ? event : {};
  } catch {
    return {};
  }
}

function objectAt(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return isJsonObject(value) ? value : {};
}

function textAt(object: JsonObject, name: string): string | undefined {
  const value = object[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function firstLine(text: string | undefined): string | undefined {
  return text?.split('\n')[0]?.trim();
}
