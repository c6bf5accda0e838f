import type { BareRepository } from '../../examples/sandbox/git.ts';
import { type Answer, type Call, type Handlers, notFound, ok, paged } from './github-answers.ts';
import { createAppHandlers, type FakeApp } from './github-app.ts';
import { createGitHandlers } from './github-git.ts';
import { createHooks } from './github-hooks.ts';
import { type Accounts, userBody } from './github-people.ts';
import { createPulls } from './github-pulls.ts';
import { createQuickGit } from './quick-git.ts';

interface Status {
  context: string;
  state: string;
  description: string | null;
  target_url: string | null;
}

/** Everything that a GitHub with one repository, `acme/deploy`, knows. */
export function createState(origin: BareRepository, accounts: Accounts, app: FakeApp) {
  const quick = createQuickGit(origin);
  const pulls = createPulls(origin, quick, accounts);
  const git = createGitHandlers(origin, quick, accounts, pulls.branchGone);
  const hooks = createHooks();
  /** By commit, newest last. */
  const statuses = new Map<string, Status[]>();

  const handlers: Handlers = {
    ...git.handlers,
    ...pulls.handlers,
    ...hooks.handlers,
    ...createAppHandlers(app),
    'get /rate_limit': () => {
      const rate = { limit: 5000, used: 1, remaining: 4999, reset: 1_800_000_000 };
      return ok({ resources: { core: rate, search: rate }, rate });
    },
    'get /repos/{owner}/{repo}': () => ok({ id: hooks.repositoryId, name: 'deploy', full_name: 'acme/deploy' }),
    'get /user': ({ by }) => ok(userBody(by)),
    'get /user/{account_id}': ({ params }) => accountAnswer(accounts.byId(Number(params['account_id']))),
    'get /users/{username}': ({ params }) => accountAnswer(accounts.find(params['username'] ?? '')),
    'get /repos/{owner}/{repo}/collaborators/{username}/permission': ({ params }) => {
      const found = accounts.find(params['username'] ?? '');
      // The repository is private: who is nobody there is not a collaborator.
      return found === undefined ? notFound() : ok({ permission: found.permission, user: userBody(found) });
    },
    'get /orgs/{org}/teams/{team_slug}/members': ({ params, query }) => {
      const members = params['org'] === 'acme' ? accounts.teams.get(params['team_slug'] ?? '') : undefined;
      if (members === undefined) return notFound();
      return paged(accounts.all.filter(({ id }) => members.has(id)).map(userBody), query);
    },
    'get /repos/{owner}/{repo}/commits/{ref}/status': ({ params, query }) => {
      const sha = origin.sha(params['ref'] ?? '');
      if (sha === undefined) return notFound();
      const { body, ...rest } = paged(newestOf(statuses.get(sha) ?? []), query);
      return {
        ...rest,
        body: { sha, state: 'pending', total_count: newestOf(statuses.get(sha) ?? []).length, statuses: body },
      };
    },
    'post /repos/{owner}/{repo}/statuses/{sha}': ({ params, body }) => {
      const sha = params['sha'] ?? '';
      if (origin.sha(sha) === undefined) return { status: 422, body: { message: `No commit found for SHA: ${sha}` } };
      const made: Status = {
        context: String(body['context'] ?? 'default'),
        state: String(body['state']),
        description: body['description'] === undefined ? null : String(body['description']),
        target_url: body['target_url'] === undefined ? null : String(body['target_url']),
      };
      statuses.set(sha, [...(statuses.get(sha) ?? []), made]);
      return { status: 201, body: made };
    },
  };

  return {
    pulls,
    git,
    hooks,
    statusesOf: (sha: string) => newestOf(statuses.get(sha) ?? []),
    answer: (call: Call): Answer => handlers[call.operation.id]?.(call) ?? notFound(),
  };
}

function newestOf(all: readonly Status[]): Status[] {
  return [...new Map(all.map((status) => [status.context, status])).values()];
}

function accountAnswer(account: Parameters<typeof userBody>[0] | undefined): Answer {
  return account === undefined ? notFound() : ok(userBody(account));
}
