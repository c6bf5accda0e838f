import type { BareRepository } from '../../examples/sandbox/git.ts';
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

/** What GitLab keeps of a merge request besides what all hosts do. */
interface Extra {
  /** Its heads, from which moment on; oldest first. */
  versions: { sha: string; at: string }[];
  systemNotes: { id: number; by: Account; body: string; at: string }[];
  /** Merges this head as soon as it may. */
  waitingFor: { sha: string; message: string; by: Account } | undefined;
}

export interface FakeGitLab extends FakeHost {
  accounts: Accounts;
  pulls: FakePulls;
  state: {
    /** Branches into which nothing may be merged yet. */
    guarded: Set<string>;
    /** Whether approvals come with their time, as from 2026 on. */
    saysWhen: boolean;
  };
  /** Has looked at what was pushed, as GitLab does in the background. */
  refresh(number: number): void;
  approve(login: string, number: number): void;
  unapprove(login: string, number: number): void;
  /** Merges what waits for nothing else. */
  satisfy(number: number): void;
}

const PROJECT = '/projects/acme%2Fdeploy';
const MERGES = `${PROJECT}/merge_requests`;

/**
 * GitLab's REST API for one project, `acme/deploy`, with a real Git repository behind it. Shapes and refusals are those
 * of GitLab's own description of its API and of its source, as of 18.
 */
export async function startFakeGitLab(origin: BareRepository, token: string): Promise<FakeGitLab> {
  const accounts = createAccounts();
  accounts.add('robot', 'admin').token = token;
  const pulls = createFakePulls(origin);
  const extras = new Map<FakePull, Extra>();
  const state = { guarded: new Set<string>(), saysWhen: true };

  function extraOf(pull: FakePull): Extra {
    const extra = extras.get(pull) ?? { versions: [], systemNotes: [], waitingFor: undefined };
    extras.set(pull, extra);
    const sha = pulls.headShaOf(pull);
    if (extra.versions.at(-1)?.sha !== sha) {
      extra.versions.push({ sha, at: extra.versions.length === 0 ? pull.createdAt : new Date().toISOString() });
      // A push takes back the wish to merge.
      if (extra.waitingFor?.sha !== sha) extra.waitingFor = undefined;
    }
    return extra;
  }

  function approve(by: Account, pull: FakePull): void {
    const extra = extraOf(pull);
    const review = pulls.review(pull, by, 'approved');
    const since = Date.parse(extra.versions.at(-1)?.at ?? '');
    review.at = new Date(Math.max(Date.now(), since + 1)).toISOString();
    extra.systemNotes.push({ id: pulls.nextId(), by, body: 'approved this merge request', at: review.at });
  }

  function unapprove(by: Account, pull: FakePull): void {
    for (const review of pull.reviews) if (review.by === by) review.dismissed = true;
    const at = new Date().toISOString();
    extraOf(pull).systemNotes.push({ id: pulls.nextId(), by, body: 'unapproved this merge request', at });
  }

  const scene: Scene = { origin, accounts, pulls, state, extraOf, approve, unapprove };
  const routes = { ...gitRoutes(origin), ...mergeRoutes(scene), ...noteRoutes(scene), ...peopleRoutes(scene) };
  const host = await startFakeHost({
    origin,
    prefix: '/api/v4',
    routes,
    who: (headers) => accounts.byToken(String(headers['private-token'] ?? '')),
    byToken: accounts.byToken,
    gitPath: '/acme/deploy.git',
    elsewhere: /^\/projects\/(?!acme%2Fdeploy(?:\/|$))|^\/groups\//,
  });
  return Object.assign(host, {
    state,
    accounts,
    pulls,
    refresh: (number: number) => void extraOf(pulls.pullOf(number)),
    approve: (login: string, number: number) => approve(accounts.named(login), pulls.pullOf(number)),
    unapprove: (login: string, number: number) => unapprove(accounts.named(login), pulls.pullOf(number)),
    satisfy(number: number) {
      const pull = pulls.pullOf(number);
      state.guarded.delete(pull.base);
      const { waitingFor } = extraOf(pull);
      if (waitingFor !== undefined) pulls.merge(pull, 'merge', waitingFor.message, waitingFor.by);
    },
  });
}

interface Scene {
  origin: BareRepository;
  accounts: Accounts;
  pulls: FakePulls;
  state: { guarded: Set<string>; saysWhen: boolean };
  extraOf(pull: FakePull): Extra;
  approve(by: Account, pull: FakePull): void;
  unapprove(by: Account, pull: FakePull): void;
}

const ok = (body: unknown, status = 200): Answer => ({ status, body });
const failed = (status: number, message: unknown): Answer => ({ status, body: { message } });
const notFound = (what = 'Not Found'): Answer => failed(404, `404 ${what}`);

function gitRoutes(origin: BareRepository): Routes {
  const find = (name: string) =>
    origin.sha(`refs/heads/${name}`) ?? origin.sha(`refs/tags/${name}`) ?? origin.sha(name);
  return {
    [`GET ${PROJECT}`]: () => ok({ id: 1, path_with_namespace: 'acme/deploy' }),
    [`GET ${PROJECT}/repository/commits/{ref}`]: ({ params }) => {
      const ref = params['ref'] ?? '';
      const sha = /^[\w./-]+$/.test(ref) ? find(ref) : undefined;
      if (sha === undefined) return notFound('Commit Not Found');
      return ok({ id: sha, message: origin.git('log', '-1', '--format=%B', sha) });
    },
    [`GET ${PROJECT}/repository/files/{path}`]: ({ params, query }) => {
      const [sha, path] = [find(query.get('ref') ?? 'HEAD'), params['path'] ?? ''];
      if (sha === undefined) return notFound('Commit Not Found');
      if (!origin.tries('cat-file', '-e', `${sha}:${path}`)) return notFound('File Not Found');
      if (origin.git('cat-file', '-t', `${sha}:${path}`) === 'tree') return notFound('File Not Found');
      const content = origin.bytes('cat-file', 'blob', `${sha}:${path}`);
      return ok({ file_path: path, size: content.length, encoding: 'base64', content: content.toString('base64') });
    },
    [`GET ${PROJECT}/repository/merge_base`]: ({ query }) => {
      const refs = query.getAll('refs[]');
      const shas = refs.map(find);
      const missing = refs.filter((_, at) => shas[at] === undefined);
      if (missing.length > 0) return failed(400, `Could not find ref: ${missing.join(', ')}`);
      const args = ['merge-base', ...shas.map(String)];
      return origin.tries(...args) ? ok({ id: origin.git(...args) }) : notFound('Merge Base Not Found');
    },
    [`GET ${PROJECT}/repository/branches/{branch}`]: ({ params }) => {
      const sha = origin.sha(`refs/heads/${params['branch']}`);
      return sha === undefined ? notFound('Branch Not Found') : ok({ name: params['branch'], commit: { id: sha } });
    },
    [`POST ${PROJECT}/repository/branches`]: ({ body }) => {
      const [ref, sha] = [`refs/heads/${body['branch']}`, find(String(body['ref']))];
      if (sha === undefined) return failed(400, 'Invalid reference name: that');
      if (origin.sha(ref) !== undefined) return failed(400, 'Branch already exists');
      origin.git('update-ref', ref, sha, '');
      return ok({ name: body['branch'], commit: { id: sha } }, 201);
    },
  };
}

function mergeRoutes(scene: Scene): Routes {
  const { origin, accounts, pulls, state, extraOf } = scene;
  const withPull = (act: (pull: FakePull, call: Call) => Answer) => withMerge(scene, act);
  const body = (pull: FakePull) => mergeBody(scene, pull);
  return {
    [`GET ${MERGES}`]: ({ query }) => {
      const found = pulls.all
        .filter((pull) => query.get('state') !== 'opened' || pull.state === 'open')
        .filter((pull) => !query.has('target_branch') || pull.base === query.get('target_branch'))
        .filter((pull) => !query.has('source_branch') || pull.head === query.get('source_branch'));
      return paged(found.toReversed().map(body), query, 'per_page');
    },
    [`POST ${MERGES}`]: ({ body: wanted, by }) => {
      const [head, base] = [String(wanted['source_branch']), String(wanted['target_branch'])];
      const missing = [head, base].find((branch) => origin.sha(`refs/heads/${branch}`) === undefined);
      if (missing !== undefined)
        return failed(400, { validate_branches: [`Source branch "${missing}" does not exist`] });
      const same = pulls.all.find(
        (pull) => pull.state === 'open' && !pull.fork && pull.head === head && pull.base === base,
      );
      if (same !== undefined)
        return failed(409, [`Another open merge request already exists for this source branch: !${same.number}`]);
      const text = (name: string) => String(wanted[name] ?? '');
      return ok(body(pulls.add({ head, base, title: text('title'), body: text('description'), by })), 201);
    },
    [`GET ${MERGES}/{iid}`]: withPull((pull) => ok(body(pull))),
    [`PUT ${MERGES}/{iid}`]: withPull((pull, { body: wanted, by }) => {
      if (typeof wanted['title'] === 'string') pull.title = wanted['title'];
      if (typeof wanted['description'] === 'string') pull.body = wanted['description'];
      const labels = (name: string) =>
        String(wanted[name] ?? '')
          .split(',')
          .filter(Boolean);
      const removed = labels('remove_labels');
      pull.labels = [...new Set([...pull.labels, ...labels('add_labels')])].filter((label) => !removed.includes(label));
      if (Array.isArray(wanted['reviewer_ids'])) {
        pull.asked = wanted['reviewer_ids'].flatMap((id) => accounts.byId(Number(id)) ?? []);
      }
      if (wanted['state_event'] === 'close' && pull.state === 'open') pulls.end(pull, 'closed', by);
      return ok(body(pull));
    }),
    [`PUT ${MERGES}/{iid}/merge`]: withPull((pull, { body: wanted, by }) => {
      const sha = pulls.headShaOf(pull);
      if (!['admin'].includes(by.permission)) return failed(401, '401 Unauthorized');
      const guarded = state.guarded.has(pull.base);
      const waits = wanted['auto_merge'] === true;
      // Without a pipeline there is nothing that it could wait for.
      if (pull.state !== 'open' || guarded !== waits) return failed(405, '405 Method Not Allowed');
      if (pulls.mergedTree(pull) === undefined) return failed(422, 'Branch cannot be merged');
      if (wanted['sha'] !== undefined && wanted['sha'] !== sha)
        return failed(409, 'SHA does not match HEAD of source branch');
      const message = String(wanted['merge_commit_message']);
      if (waits) extraOf(pull).waitingFor = { sha, message, by };
      else pulls.merge(pull, 'merge', message, by);
      return ok(body(pull));
    }),
    [`POST ${MERGES}/{iid}/cancel_merge_when_pipeline_succeeds`]: withPull((pull) => {
      if (pull.state !== 'open') return failed(405, '405 Method Not Allowed');
      if (extraOf(pull).waitingFor === undefined) return failed(406, '406 Not Acceptable');
      extraOf(pull).waitingFor = undefined;
      return ok(body(pull));
    }),
    [`GET ${MERGES}/{iid}/versions`]: withPull((pull, { query }) => {
      const versions = extraOf(pull).versions.toReversed();
      return paged(
        versions.map(({ sha, at }, id) => ({ id, head_commit_sha: sha, created_at: at, state: 'collected' })),
        query,
        'per_page',
      );
    }),
  };
}

function noteRoutes(scene: Scene): Routes {
  const { origin, pulls, extraOf } = scene;
  const withPull = (act: (pull: FakePull, call: Call) => Answer) => withMerge(scene, act);
  return {
    [`GET ${MERGES}/{iid}/notes`]: withPull((pull, { query }) => {
      const system = extraOf(pull).systemNotes.map(({ id, by, body, at }) => ({
        ...{ id, body, author: userBody(by), created_at: at, updated_at: at, system: true },
      }));
      const notes = [...pull.comments.map(noteBody), ...system].toSorted((one, other) => one.id - other.id);
      return paged(query.get('sort') === 'desc' ? notes.toReversed() : notes, query, 'per_page');
    }),
    [`POST ${MERGES}/{iid}/notes`]: withPull((pull, { body, by }) =>
      ok(noteBody(pulls.comment(pull, by, String(body['body']))), 201),
    ),
    [`PUT ${MERGES}/{iid}/notes/{id}`]: withPull((pull, { params, body }) => {
      const found = pull.comments.find(({ id }) => id === Number(params['id']));
      if (found === undefined) return notFound();
      pulls.edit(found, String(body['body']));
      return ok(noteBody(found));
    }),
    [`GET ${PROJECT}/repository/commits/{sha}/statuses`]: ({ params, query }) => {
      const sha = params['sha'] ?? '';
      if (origin.sha(sha) === undefined) return notFound('Commit Not Found');
      const marks = (pulls.statuses.get(sha) ?? []).filter(({ name }) => name === query.get('name'));
      const body = marks.map(({ name, state, description, url }) => ({
        name,
        status: state,
        description,
        target_url: url,
      }));
      return paged(body, query, 'per_page');
    },
    [`POST ${PROJECT}/statuses/{sha}`]: ({ params, body }) => {
      const sha = params['sha'] ?? '';
      if (origin.sha(sha) === undefined) return notFound('Commit Not Found');
      const text = (name: string) => String(body[name] ?? '');
      const now = (pulls.statuses.get(sha) ?? []).find(({ name }) => name === text('name'));
      if (now?.state === 'pending' && text('state') === 'pending')
        return failed(400, 'Cannot transition status via :enqueue from :pending');
      const [name, state, description, url] = [text('name'), text('state'), text('description'), text('target_url')];
      pulls.mark(sha, { name, state, description, url });
      return ok({ name, status: state }, 201);
    },
  };
}

function peopleRoutes(scene: Scene): Routes {
  const { accounts, pulls, state } = scene;
  const withPull = (act: (pull: FakePull, call: Call) => Answer) => withMerge(scene, act);
  const levels = { admin: 40, write: 30, read: 20, none: 0 } as const;
  const approvals = (pull: FakePull) => ({
    approved: true,
    approved_by: pull.reviews
      .filter((review) => review.state === 'approved' && !review.dismissed)
      .map(({ by, at }) => ({ user: userBody(by), ...(state.saysWhen ? { approved_at: at } : {}) })),
  });
  return {
    'GET /user': ({ by }) => ok(userBody(by)),
    'GET /users/{id}': ({ params }) => {
      const found = accounts.byId(Number(params['id']));
      return found === undefined ? notFound('User Not Found') : ok({ ...userBody(found), bot: isBot(found) });
    },
    'GET /personal_access_tokens/self': () => ok({ name: 'lynceus', scopes: ['api'], expires_at: '2099-01-01' }),
    'GET /users': ({ query }) => {
      const found = accounts.find(query.get('username') ?? '');
      return ok(found === undefined ? [] : [userBody(found)]);
    },
    [`GET ${PROJECT}/members/all/{id}`]: ({ params }) => {
      const found = accounts.byId(Number(params['id']));
      if (found === undefined || found.permission === 'none') return notFound();
      return ok({ ...userBody(found), access_level: levels[found.permission], membership_state: 'active' });
    },
    'GET /groups/acme%2Frelease': () => ok({ id: 7, full_path: 'acme/release' }),
    'GET /groups/acme%2Frelease/members/{id}': ({ params }) => {
      const found = accounts.byId(Number(params['id']));
      if (found === undefined || !accounts.members.has(found.id)) return notFound();
      return ok({ ...userBody(found), access_level: 30, membership_state: 'active' });
    },
    [`GET ${MERGES}/{iid}/approvals`]: withPull((pull) => ok(approvals(pull))),
    [`GET ${MERGES}/{iid}/reviewers`]: withPull((pull, { query }) => {
      const rejected = pull.reviews.filter((review) => review.state === 'rejected' && !review.dismissed);
      // The moment at which they became reviewers, whatever they said when.
      const created_at = pull.createdAt;
      const body = rejected.map(({ by }) => ({ user: userBody(by), state: 'requested_changes', created_at }));
      const asked = pull.asked.map((one) => ({ user: userBody(one), state: 'unreviewed', created_at: pull.createdAt }));
      return paged([...asked, ...body], query, 'per_page');
    }),
    [`POST ${MERGES}/{iid}/approve`]: withPull((pull, { body, by }) => {
      if (body['sha'] !== undefined && body['sha'] !== pulls.headShaOf(pull))
        return failed(409, 'SHA does not match HEAD of source branch');
      const given = pull.reviews.some((review) => review.by === by && !review.dismissed);
      // To approve twice is not allowed either.
      if (given || by === pull.by || by.permission === 'read') return failed(401, '401 Unauthorized');
      scene.approve(by, pull);
      return ok(approvals(pull), 201);
    }),
    [`POST ${MERGES}/{iid}/unapprove`]: withPull((pull, { by }) => {
      if (!pull.reviews.some((review) => review.by === by && !review.dismissed)) return notFound();
      scene.unapprove(by, pull);
      return ok(approvals(pull), 201);
    }),
  };
}

function withMerge(scene: Scene, act: (pull: FakePull, call: Call) => Answer): (call: Call) => Answer {
  return (call) => {
    const pull = scene.pulls.find(Number(call.params['iid']));
    if (pull === undefined) return notFound();
    scene.extraOf(pull);
    return act(pull, call);
  };
}

/** Service accounts may be called anything. */
const isBot = ({ login }: Account) => login === 'renovate';
const userBody = ({ id, login }: Account) => ({ id, username: login, name: login, state: 'active' });

function noteBody({ id, body, by, createdAt, updatedAt }: FakePull['comments'][number]) {
  return { id, body, author: userBody(by), created_at: createdAt, updated_at: updatedAt, system: false };
}

function mergeBody({ pulls, state, extraOf }: Scene, pull: FakePull) {
  const open = pull.state === 'open';
  const conflicts = open && !pull.fork && pull.headSha !== '' && pulls.mergedTree(pull) === undefined;
  const status = conflicts ? 'conflict' : state.guarded.has(pull.base) ? 'ci_must_pass' : 'mergeable';
  return {
    iid: pull.number,
    web_url: `https://gitlab.example/acme/deploy/-/merge_requests/${pull.number}`,
    state: open ? 'opened' : pull.state,
    title: pull.title,
    description: pull.body,
    created_at: pull.createdAt,
    source_branch: pull.head,
    target_branch: pull.base,
    source_project_id: pull.fork ? 2 : 1,
    target_project_id: 1,
    sha: pulls.headShaOf(pull) || null,
    draft: pull.title.startsWith('Draft:'),
    author: userBody(pull.by),
    labels: pull.labels,
    reviewers: pull.asked.map(userBody),
    has_conflicts: conflicts,
    merge_status: conflicts ? 'cannot_be_merged' : 'can_be_merged',
    detailed_merge_status: open ? status : 'not_open',
    merge_when_pipeline_succeeds: extraOf(pull).waitingFor !== undefined,
    merge_commit_sha: pull.mergeSha,
    squash_commit_sha: null,
    merge_user: pull.state === 'merged' && pull.endedBy ? userBody(pull.endedBy) : null,
    closed_by: pull.state === 'closed' && pull.endedBy ? userBody(pull.endedBy) : null,
  };
}
