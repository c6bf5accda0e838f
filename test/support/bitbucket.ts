import type { BareRepository } from '../../examples/sandbox/git.ts';
import {
  type Account,
  type Accounts,
  type Answer,
  type Call,
  createAccounts,
  type FakeHost,
  guid,
  type Routes,
  startFakeHost,
} from './fake-host.ts';
import { createFakePulls, type FakePull, type FakePulls } from './fake-pulls.ts';

export interface FakeBitbucket extends FakeHost {
  accounts: Accounts;
  pulls: FakePulls;
  /** Opens two pull requests for the same branches when asked twice at the very same moment. */
  racing: boolean;
}

const REPO = '/repositories/acme/deploy';

/**
 * The REST API of Bitbucket Cloud for one repository, `acme/deploy`, with a real Git repository behind it. Written from
 * what is known of version 2.0, not from recordings.
 */
export async function startFakeBitbucket(origin: BareRepository, token: string): Promise<FakeBitbucket> {
  const accounts = createAccounts();
  accounts.add('robot', 'admin').token = token;
  const pulls = createFakePulls(origin);
  const state: { fake?: FakeBitbucket } = {};
  const host = await startFakeHost({
    origin,
    prefix: '/2.0',
    routes: {
      ...gitRoutes(origin),
      ...pullRoutes(origin, accounts, pulls, () => state.fake?.racing === true),
      ...discussionRoutes(origin, pulls),
    },
    who: ({ authorization = '' }) => {
      const basic = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString();
      const isBasic = authorization.startsWith('Basic ') && basic.startsWith('robot@example.com:');
      return accounts.byToken(isBasic ? basic.slice(basic.indexOf(':') + 1) : authorization.replace(/^Bearer /, ''));
    },
    byToken: accounts.byToken,
    gitPath: '/acme/deploy.git',
    elsewhere: /^\/repositories\/(?!acme\/deploy(?:\/|$))/,
  });
  state.fake = Object.assign(host, { accounts, pulls, racing: false });
  return state.fake;
}

const ok = (body: unknown, status = 200): Answer => ({ status, body });
const failed = (status: number, message: string): Answer => ({ status, body: { type: 'error', error: { message } } });
const notFound = () => failed(404, 'Resource not found');

function paged(items: readonly unknown[], query: URLSearchParams): Answer {
  const length = Number(query.get('pagelen') ?? 10);
  const page = Number(query.get('page') ?? 1);
  const next = page * length < items.length ? { next: `https://api.example/?page=${page + 1}` } : {};
  return ok({
    pagelen: length,
    page,
    size: items.length,
    values: items.slice((page - 1) * length, page * length),
    ...next,
  });
}

function gitRoutes(origin: BareRepository): Routes {
  const commit = (sha: string) => ({ hash: sha, message: `${origin.git('log', '-1', '--format=%B', sha)}\n` });
  const ref = (space: string) => (call: Call) => {
    const sha = origin.sha(`refs/${space}/${call.params['name']}`);
    return sha === undefined ? notFound() : ok({ name: call.params['name'], target: { hash: sha } });
  };
  const find = (name: string) => (/^[0-9a-f]{7,40}$/.test(name) ? origin.sha(name) : undefined);
  return {
    [`GET ${REPO}`]: () => ok({ uuid: '{r1}', full_name: 'acme/deploy', mainbranch: { name: 'main' } }),
    [`GET ${REPO}/refs/branches/{+name}`]: ref('heads'),
    [`GET ${REPO}/refs/tags/{+name}`]: ref('tags'),
    [`POST ${REPO}/refs/branches`]: ({ body }) => {
      const name = `refs/heads/${body['name']}`;
      const sha = find((body['target'] as { hash: string }).hash);
      if (sha === undefined) return failed(400, 'Changeset not found.');
      if (origin.sha(name) !== undefined) return failed(409, 'Branch already exists.');
      origin.git('update-ref', name, sha, '');
      return ok({ name: body['name'], target: { hash: sha } }, 201);
    },
    [`GET ${REPO}/commit/{sha}`]: ({ params }) => {
      const sha = find(params['sha'] ?? '');
      return sha === undefined ? notFound() : ok(commit(sha));
    },
    [`GET ${REPO}/merge-base/{range}`]: ({ params }) => {
      const shas = (params['range'] ?? '').split('..').map(find);
      const [one, other] = shas;
      if (one === undefined || other === undefined || !origin.tries('merge-base', one, other)) return notFound();
      return ok(commit(origin.git('merge-base', one, other)));
    },
    [`GET ${REPO}/src/{sha}/{+path}`]: ({ params, query }) => {
      const name = `${params['sha']}:${params['path']}`;
      if (find(params['sha'] ?? '') === undefined || !origin.tries('cat-file', '-e', name)) return notFound();
      if (origin.git('cat-file', '-t', name) === 'tree') return ok({ type: 'commit_directory', path: params['path'] });
      const content = origin.bytes('cat-file', 'blob', name);
      const meta = { type: 'commit_file', path: params['path'], size: content.length, attributes: [] };
      return query.get('format') === 'meta' ? ok(meta) : { status: 200, body: content };
    },
  };
}

function pullRoutes(origin: BareRepository, accounts: Accounts, pulls: FakePulls, racing: () => boolean): Routes {
  const pushed = new Set<FakePull>();

  /** In the background it looks which pull requests a push has merged: seen by the next look but one. */
  function notice(pull: FakePull): void {
    const head = pulls.headShaOf(pull);
    const base = `refs/heads/${pull.base}`;
    if (pull.state !== 'open' || !origin.tries('merge-base', '--is-ancestor', head, base)) return;
    if (!pushed.has(pull)) return void pushed.add(pull);
    const merges = origin.git('rev-list', '--first-parent', '--parents', base).split('\n');
    pull.mergeSha = merges.find((line) => line.split(' ')[2] === head)?.split(' ')[0] ?? null;
    pulls.end(pull, 'merged', accounts.named('robot'));
  }

  const withPull = (act: (pull: FakePull, call: Call) => Answer) => (call: Call) => {
    const pull = pulls.find(Number(call.params['id']));
    return pull === undefined ? notFound() : act(pull, call);
  };
  return {
    [`GET ${REPO}/pullrequests`]: ({ query }) => {
      const base = /^state="OPEN" AND destination\.branch\.name="(.*)"$/.exec(query.get('q') ?? '')?.[1];
      if (base === undefined) return failed(400, 'Bad query');
      const found = pulls.all.filter((pull) => pull.state === 'open' && pull.base === base);
      return paged(
        found.toReversed().map((pull) => pullBody(pulls, pull)),
        query,
      );
    },
    [`POST ${REPO}/pullrequests`]: ({ body, by }) => {
      const branch = (end: string) => (body[end] as { branch: { name: string } }).branch.name;
      const [head, base] = [branch('source'), branch('destination')];
      if (![head, base].every((name) => origin.sha(`refs/heads/${name}`))) return failed(400, 'Branch not found');
      const words = { title: String(body['title']), body: String(body['description']) };
      const same = pulls.all.find(
        (pull) => pull.state === 'open' && !pull.fork && pull.head === head && pull.base === base,
      );
      // Asked again it answers what it has, with the new words.
      if (same !== undefined && !racing()) return ok(pullBody(pulls, Object.assign(same, words)), 201);
      return ok(pullBody(pulls, pulls.add({ head, base, by, ...words })), 201);
    },
    [`GET ${REPO}/pullrequests/{id}`]: withPull((pull) => {
      notice(pull);
      return ok(pullBody(pulls, pull));
    }),
    [`PUT ${REPO}/pullrequests/{id}`]: withPull((pull, { body }) => {
      if (pull.state !== 'open') return failed(400, 'This pull request is closed');
      pull.title = String(body['title']);
      pull.body = String(body['description']);
      const named = ((body['reviewers'] ?? []) as { uuid: string }[]).map(({ uuid }) => uuid);
      pull.asked = accounts.all.filter((one) => named.includes(uuid(one)));
      return ok(pullBody(pulls, pull));
    }),
    [`POST ${REPO}/pullrequests/{id}/decline`]: withPull((pull, { by }) => {
      if (pull.state !== 'open') return failed(400, 'This pull request is closed');
      pulls.end(pull, 'closed', by);
      return ok(pullBody(pulls, pull));
    }),
  };
}

function discussionRoutes(origin: BareRepository, pulls: FakePulls): Routes {
  const states: Record<string, string> = { INPROGRESS: 'pending', SUCCESSFUL: 'success', FAILED: 'failure' };
  return {
    'GET /user': ({ by }) => ok(userBody(by)),
    [`GET ${REPO}/pullrequests/{id}/comments`]: ({ params, query }) => {
      const pull = pulls.find(Number(params['id']));
      if (pull === undefined) return notFound();
      const all = pull.comments.map(commentBody);
      return paged(query.get('sort') === '-created_on' ? all.toReversed() : all, query);
    },
    [`POST ${REPO}/pullrequests/{id}/comments`]: ({ params, body, by }) => {
      const pull = pulls.find(Number(params['id']));
      if (pull === undefined) return notFound();
      return ok(commentBody(pulls.comment(pull, by, (body['content'] as { raw: string }).raw)), 201);
    },
    [`PUT ${REPO}/pullrequests/{id}/comments/{comment}`]: ({ params, body, by }) => {
      const found = pulls.pullOf(Number(params['id'])).comments.find(({ id }) => id === Number(params['comment']));
      if (found === undefined) return notFound();
      if (found.by !== by) return failed(403, 'You may not change this comment');
      pulls.edit(found, (body['content'] as { raw: string }).raw);
      return ok(commentBody(found));
    },
    [`GET ${REPO}/commit/{sha}/statuses/build/{key}`]: ({ params }) => {
      const mark = pulls.statuses.get(params['sha'] ?? '')?.find(({ name }) => name === params['key']);
      if (mark === undefined) return notFound();
      const state = Object.entries(states).find(([, ours]) => ours === mark.state)?.[0];
      return ok({ ...mark, key: mark.name, state });
    },
    [`POST ${REPO}/commit/{sha}/statuses/build`]: ({ params, body }) => {
      const sha = params['sha'] ?? '';
      if (origin.sha(sha) === undefined) return notFound();
      const text = (name: string) => String(body[name] ?? '');
      if (text('url') === '' || text('key').length > 40) return failed(400, 'Bad request');
      const state = states[text('state')] ?? 'unknown';
      pulls.mark(sha, { name: text('key'), state, description: text('description'), url: text('url') });
      return ok({}, 201);
    },
  };
}

/** As Bitbucket writes ids. */
export const uuid = (account: Account) => `{${guid(account)}}`;

const userBody = (account: Account) => ({ type: 'user', uuid: uuid(account), nickname: account.login });

function commentBody({ id, body, by, createdAt, updatedAt }: FakePull['comments'][number]) {
  const times = { created_on: createdAt, updated_on: updatedAt };
  return { id, content: { raw: body }, user: userBody(by), deleted: false, ...times };
}

function pullBody(pulls: FakePulls, pull: FakePull) {
  const short = (sha: string) => ({ hash: sha.slice(0, 12) });
  return {
    id: pull.number,
    state: { open: 'OPEN', closed: 'DECLINED', merged: 'MERGED' }[pull.state],
    title: pull.title,
    description: pull.body,
    draft: false,
    author: userBody(pull.by),
    closed_by: pull.endedBy && userBody(pull.endedBy),
    created_on: pull.createdAt,
    source: {
      branch: { name: pull.head },
      commit: short(pulls.headShaOf(pull)),
      repository: { uuid: pull.fork ? '{r2}' : '{r1}' },
    },
    destination: { branch: { name: pull.base }, commit: null, repository: { uuid: '{r1}' } },
    merge_commit: pull.mergeSha === null ? null : short(pull.mergeSha),
    reviewers: pull.asked.map(userBody),
    links: { html: { href: `https://bitbucket.example/acme/deploy/pull-requests/${pull.number}` } },
  };
}
