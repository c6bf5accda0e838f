import type { BareRepository } from '../../examples/sandbox/git.ts';
import type { MergeMethod } from '../../src/adapters/git-hosts/git-host.ts';
import {
  type Account,
  type Accounts,
  type Answer,
  type Call,
  createAccounts,
  type FakeHost,
  paged,
  type Routes,
  startFakeHost,
} from './fake-host.ts';
import { createFakePulls, type FakePull, type FakePulls } from './fake-pulls.ts';

export interface FakeGitea extends FakeHost {
  accounts: Accounts;
  pulls: FakePulls;
  /** As seen: asked twice at the very same moment, it opens two pull requests for the same branches. */
  racing: boolean;
}

const REPO = '/repos/acme/deploy';

/**
 * Gitea's REST API for one repository, `acme/deploy`, with a real Git repository behind it. Its words and oddities are
 * those that a real Gitea 1.26 was seen to have under the same contract.
 */
export async function startFakeGitea(origin: BareRepository, token: string): Promise<FakeGitea> {
  const accounts = createAccounts();
  accounts.add('robot', 'admin').token = token;
  const pulls = createFakePulls(origin);
  const state: { fake?: FakeGitea } = {};
  const routes: Routes = {
    ...gitRoutes(origin),
    ...pullRoutes(origin, pulls, () => state.fake?.racing === true),
    ...discussionRoutes(origin, accounts, pulls),
    ...peopleRoutes(accounts, pulls),
  };
  const host = await startFakeHost({
    origin,
    prefix: '/api/v1',
    routes,
    who: ({ authorization }) => accounts.byToken(authorization?.replace(/^token /, '') ?? ''),
    byToken: accounts.byToken,
    gitPath: '/acme/deploy.git',
    elsewhere: /^\/repos\/(?!acme\/deploy(?:\/|$))/,
  });
  state.fake = Object.assign(host, { accounts, pulls, racing: false });
  return state.fake;
}

const ok = (body: unknown, status = 200): Answer => ({ status, body });
const failed = (status: number, message: string): Answer => ({ status, body: { message, url: '/api/swagger' } });
const notFound = (message = 'not found') => failed(404, message);

function gitRoutes(origin: BareRepository): Routes {
  const find = (name: string) =>
    origin.sha(`refs/heads/${name}`) ?? origin.sha(`refs/tags/${name}`) ?? origin.sha(name);
  return {
    [`GET ${REPO}`]: () => ok({ id: 1, name: 'deploy', full_name: 'acme/deploy' }),
    'GET /version': () => ok({ version: '1.26.0' }),
    [`GET ${REPO}/git/commits/{ref}`]: ({ params }) => {
      const ref = params['ref'] ?? '';
      const sha = /^[\w./-]+$/.test(ref) ? find(ref) : undefined;
      if (sha === undefined) return notFound(`commit doesn't exist: ${ref}`);
      return ok({ sha, commit: { message: `${origin.git('log', '-1', '--format=%B', sha)}\n` } });
    },
    [`GET ${REPO}/branches/{+branch}`]: ({ params }) => {
      const sha = origin.sha(`refs/heads/${params['branch']}`);
      return sha === undefined ? notFound() : ok({ name: params['branch'], commit: { id: sha } });
    },
    [`POST ${REPO}/branches`]: ({ body }) => {
      const ref = `refs/heads/${body['new_branch_name']}`;
      const sha = find(String(body['old_ref_name']));
      if (sha === undefined) return notFound('The old branch does not exist');
      if (origin.sha(ref) !== undefined) return failed(409, 'The branch already exists.');
      origin.git('update-ref', ref, sha, '');
      return ok({ name: body['new_branch_name'], commit: { id: sha } }, 201);
    },
    [`GET ${REPO}/contents/{+path}`]: ({ params, query }) => {
      const [sha, path] = [find(query.get('ref') ?? 'HEAD'), params['path'] ?? ''];
      if (sha === undefined || !origin.tries('cat-file', '-e', `${sha}:${path}`)) return notFound('GetContentsOrList');
      if (origin.git('cat-file', '-t', `${sha}:${path}`) === 'tree') return ok([]);
      const content = origin.bytes('cat-file', 'blob', `${sha}:${path}`);
      const body = { type: 'file', encoding: 'base64', size: content.length, content: content.toString('base64') };
      return ok({ name: path.split('/').at(-1), path, ...body });
    },
    [`GET ${REPO}/compare/{range}`]: ({ params }) => {
      const [from = '', to = ''] = (params['range'] ?? '').split('...');
      const [base, head] = [find(from), find(to)];
      if (base === undefined || head === undefined) return notFound();
      // As seen: it breaks on two lines that share nothing.
      if (!origin.tries('merge-base', base, head)) return failed(500, '');
      const shas = origin.git('rev-list', `${base}..${head}`).split('\n').filter(Boolean);
      return ok({ total_commits: shas.length, commits: shas.map((sha) => ({ sha })) });
    },
  };
}

function pullRoutes(origin: BareRepository, pulls: FakePulls, racing: () => boolean): Routes {
  const withPull = (act: (pull: FakePull, call: Call) => Answer) => (call: Call) => {
    const pull = pulls.find(Number(call.params['index']));
    return pull === undefined ? notFound('GetPullRequestByIndex') : act(pull, call);
  };
  const full = (pull: FakePull) => pullBody(origin, pulls, pull, true);
  return {
    [`GET ${REPO}/pulls`]: ({ query }) => {
      const [state, base] = [query.get('state') ?? 'open', query.get('base_branch')];
      const found = pulls.all
        .filter((pull) => state === 'all' || (pull.state === 'open') === (state === 'open'))
        .filter((pull) => base === null || pull.base === base);
      return paged(
        found.toReversed().map((pull) => pullBody(origin, pulls, pull, false)),
        query,
        'limit',
      );
    },
    [`POST ${REPO}/pulls`]: ({ body, by }) => {
      const [head, base] = [String(body['head']), String(body['base'])];
      if (![head, base].every((branch) => origin.sha(`refs/heads/${branch}`))) return notFound();
      const same = pulls.all.some(
        (pull) => pull.state === 'open' && !pull.fork && pull.head === head && pull.base === base,
      );
      if (same && !racing()) return failed(409, `pull request already exists for these targets [head_branch: ${head}]`);
      return ok(full(pulls.add({ head, base, title: String(body['title']), body: String(body['body']), by })), 201);
    },
    [`GET ${REPO}/pulls/{index}`]: withPull((pull) => ok(full(pull))),
    [`PATCH ${REPO}/pulls/{index}`]: withPull((pull, { body, by }) => {
      if (typeof body['title'] === 'string') pull.title = body['title'];
      if (typeof body['body'] === 'string') pull.body = body['body'];
      if (body['state'] === 'closed' && pull.state === 'open') pulls.end(pull, 'closed', by);
      return ok(full(pull), 201);
    }),
    [`POST ${REPO}/pulls/{index}/merge`]: withPull((pull, { body, by }) => {
      if (pull.state === 'merged') return failed(405, 'The PR is already merged');
      if (pull.state === 'closed') return notFound();
      // The same words as while it still looks for conflicts.
      if (pulls.mergedTree(pull) === undefined) return failed(405, 'Please try again later');
      if (body['head_commit_id'] !== pulls.headShaOf(pull)) return failed(409, 'head out of date');
      const message = [body['MergeTitleField'], body['MergeMessageField']].filter(Boolean).join('\n\n');
      pulls.merge(pull, body['Do'] as MergeMethod, message, by);
      return { status: 200 };
    }),
    [`GET ${REPO}/issues/{index}/timeline`]: withPull((pull, { query }) => {
      const event = { type: 'close', user: pull.endedBy && userBody(pull.endedBy), created_at: pull.endedAt };
      return paged(pull.endedAt === null ? [] : [{ type: 'comment' }, event], query, 'limit');
    }),
  };
}

function discussionRoutes(origin: BareRepository, accounts: Accounts, pulls: FakePulls): Routes {
  const pullOf = ({ params }: Call) => pulls.find(Number(params['index']));
  return {
    [`GET ${REPO}/issues/{index}/comments`]: (call) => {
      const pull = pullOf(call);
      // As seen: no 404.
      if (pull === undefined) return failed(500, '');
      return ok(pull.comments.map(commentBody));
    },
    [`POST ${REPO}/issues/{index}/comments`]: (call) => {
      const pull = pullOf(call);
      if (pull === undefined) return notFound();
      return ok(commentBody(pulls.comment(pull, call.by, String(call.body['body']))), 201);
    },
    [`PATCH ${REPO}/issues/comments/{id}`]: ({ params, body }) => {
      const found = pulls.all.flatMap(({ comments }) => comments).find(({ id }) => id === Number(params['id']));
      if (found === undefined) return notFound();
      pulls.edit(found, String(body['body']));
      return ok(commentBody(found));
    },
    [`GET ${REPO}/labels`]: ({ query }) =>
      paged(
        [...pulls.labels].map(([name, id]) => ({ id, name })),
        query,
        'limit',
      ),
    [`POST ${REPO}/labels`]: ({ body }) => ok({ id: pulls.labelId(String(body['name'])), name: body['name'] }, 201),
    [`POST ${REPO}/issues/{index}/labels`]: (call) => {
      const pull = pullOf(call);
      if (pull === undefined) return notFound();
      const wanted = call.body['labels'] as number[];
      const names = [...pulls.labels].filter(([, id]) => wanted.includes(id)).map(([name]) => name);
      pull.labels = [...new Set([...pull.labels, ...names])];
      return ok([]);
    },
    [`DELETE ${REPO}/issues/{index}/labels/{id}`]: (call) => {
      const pull = pullOf(call);
      if (pull === undefined) return notFound();
      pull.labels = pull.labels.filter((name) => pulls.labelId(name) !== Number(call.params['id']));
      return { status: 204 };
    },
    [`POST ${REPO}/pulls/{index}/requested_reviewers`]: (call) => {
      const pull = pullOf(call);
      if (pull === undefined) return notFound();
      for (const login of call.body['reviewers'] as string[]) {
        const account = accounts.find(login);
        if (account === undefined) return notFound(`User '${login}' not exist`);
        if (account === pull.by) return failed(422, 'poster of pr cannot be reviewer');
        pull.asked.push(account);
      }
      for (const team of call.body['team_reviewers'] as string[]) {
        if (team !== 'release') return notFound(`Team '${team}' not exist`);
        pull.askedGroups.push(team);
      }
      return ok([], 201);
    },
    [`GET ${REPO}/commits/{sha}/status`]: ({ params }) => {
      const sha = params['sha'] ?? '';
      if (origin.sha(sha) === undefined) return notFound();
      const marks = pulls.statuses.get(sha) ?? [];
      const statuses = marks.map(({ name, state, description, url }) => ({
        context: name,
        status: state,
        description,
        target_url: url,
      }));
      return ok({ sha, total_count: statuses.length, statuses: statuses.length === 0 ? null : statuses });
    },
    [`POST ${REPO}/statuses/{sha}`]: ({ params, body }) => {
      const sha = params['sha'] ?? '';
      if (origin.sha(sha) === undefined) return notFound();
      const text = (name: string) => String(body[name] ?? '');
      pulls.mark(sha, {
        name: text('context'),
        state: text('state'),
        description: text('description'),
        url: text('target_url'),
      });
      return ok({ context: text('context') }, 201);
    },
  };
}

function peopleRoutes(accounts: Accounts, pulls: FakePulls): Routes {
  return {
    'GET /user': ({ by }) => ok(userBody(by)),
    'GET /users/search': ({ query }) => {
      const found = accounts.byId(Number(query.get('uid')));
      return ok({ ok: true, data: found === undefined ? [] : [userBody(found)] });
    },
    [`GET ${REPO}/collaborators/{login}/permission`]: ({ params, by }) => {
      if (by.permission !== 'admin') return failed(403, 'Only admins can query all permissions');
      const found = accounts.find(params['login'] ?? '');
      if (found === undefined) return notFound('user does not exist');
      return ok({ permission: found.permission, role_name: found.permission, user: userBody(found) });
    },
    'GET /orgs/{org}/teams': ({ params, query }) =>
      params['org'] === 'acme' ? paged([{ id: 7, name: 'Release' }], query, 'limit') : notFound(),
    'GET /teams/7/members/{login}': ({ params }) => {
      const found = accounts.find(params['login'] ?? '');
      return found !== undefined && accounts.members.has(found.id) ? ok(userBody(found)) : notFound();
    },
    [`GET ${REPO}/pulls/{index}/reviews`]: ({ params, query }) => {
      const pull = pulls.find(Number(params['index']));
      if (pull === undefined) return notFound('GetPullRequestByIndex');
      const states = { approved: 'APPROVED', rejected: 'REQUEST_CHANGES', commented: 'COMMENT' } as const;
      const asked = pull.asked.map((account) => ({
        id: 0,
        user: userBody(account),
        state: 'REQUEST_REVIEW',
        body: '',
      }));
      const reviews = pull.reviews.map(({ id, by, state, dismissed, sha, body, at }) => ({
        ...{ id, user: userBody(by), state: states[state], body, commit_id: sha, dismissed, official: true },
        ...{ stale: sha !== pulls.headShaOf(pull), submitted_at: at },
      }));
      return paged([...asked, ...reviews], query, 'limit');
    },
    [`POST ${REPO}/pulls/{index}/reviews`]: ({ params, body, by }) => {
      const pull = pulls.find(Number(params['index']));
      if (pull === undefined) return notFound('GetPullRequestByIndex');
      if (by === pull.by) return failed(422, 'approve your own pull is not allowed');
      pulls.review(pull, by, 'approved', String(body['body']), String(body['commit_id']));
      return ok({});
    },
  };
}

const userBody = ({ id, login }: Account) => ({ id, login, username: login });

function commentBody({ id, body, by, createdAt, updatedAt }: FakePull['comments'][number]) {
  return { id, body, user: userBody(by), created_at: createdAt, updated_at: updatedAt };
}

/** `looked`: whether it has looked for conflicts already. */
function pullBody(origin: BareRepository, pulls: FakePulls, pull: FakePull, looked: boolean) {
  const branch = (name: string) => origin.sha(`refs/heads/${name}`);
  const merged = pull.state === 'merged';
  return {
    number: pull.number,
    html_url: `https://git.example/acme/deploy/pulls/${pull.number}`,
    state: pull.state === 'open' ? 'open' : 'closed',
    title: pull.title,
    body: pull.body,
    draft: pull.title.startsWith('WIP:'),
    created_at: pull.createdAt,
    closed_at: pull.endedAt,
    mergeable: looked && pull.state === 'open' && pulls.mergedTree(pull) !== undefined,
    merged,
    merge_commit_sha: pull.mergeSha,
    merged_by: merged && pull.endedBy ? userBody(pull.endedBy) : null,
    user: userBody(pull.by),
    labels: pull.labels.map((name) => ({ id: pulls.labelId(name), name })),
    requested_reviewers: pull.asked.length === 0 ? null : pull.asked.map(userBody),
    requested_reviewers_teams: pull.askedGroups.map((name) => ({ name })),
    head: {
      label: pull.head,
      // Once the branch is gone it names the copy that Gitea keeps.
      ref: branch(pull.head) === undefined ? `refs/pull/${pull.number}/head` : pull.head,
      sha: pulls.headShaOf(pull),
      repo_id: pull.fork ? 2 : 1,
    },
    base: { label: pull.base, ref: pull.base, sha: branch(pull.base), repo_id: 1 },
  };
}
