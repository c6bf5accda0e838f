import type { BareRepository } from '../../examples/sandbox/git.ts';
import { type Answer, type Call, type Handlers, notFound, now, ok, paged, refused } from './github-answers.ts';
import { type Account, type Accounts, userBody } from './github-people.ts';
import type { QuickGit } from './quick-git.ts';

export interface FakeComment {
  id: number;
  by: Account | null;
  body: string;
  createdAt: string;
  updatedAt: string;
}

export interface FakeReview {
  by: Account | null;
  state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED' | 'DISMISSED' | 'PENDING';
  sha: string;
  at: string;
  body: string;
}

export interface Pull {
  number: number;
  state: 'open' | 'closed';
  title: string;
  body: string | null;
  head: string;
  /** Kept from the moment it ended; while it is open the branch says it. */
  headSha: string;
  base: string;
  fork: boolean;
  by: Account;
  createdAt: string;
  mergedAt: string | null;
  mergeSha: string | null;
  closedBy: Account | null;
  comments: FakeComment[];
  reviews: FakeReview[];
  labels: string[];
  asked: string[];
  askedTeams: string[];
  /** What is merged as soon as the rules are satisfied: the body of the merge. */
  autoMerge: Record<string, unknown> | null;
  queued: boolean;
  satisfied: boolean;
}

/** Pull requests of `acme/deploy`, with all that people and programs do about them. */
export function createPulls(origin: BareRepository, quick: QuickGit, accounts: Accounts) {
  const pulls: Pull[] = [];
  /** Branches into which nothing is merged before somebody says that the rules are satisfied. */
  const guarded = new Set<string>();
  /** Branches that only a merge queue changes. */
  const queues = new Set<string>();
  let comments = 0;

  const handlers: Handlers = {
    'get /repos/{owner}/{repo}/pulls': listPulls,
    'post /repos/{owner}/{repo}/pulls': createPull,
    'get /repos/{owner}/{repo}/pulls/{pull_number}': withPull((pull) => ok(fullBody(pull))),
    'patch /repos/{owner}/{repo}/pulls/{pull_number}': withPull((pull, { body, by }) => {
      if (typeof body['title'] === 'string') pull.title = body['title'];
      if (typeof body['body'] === 'string') pull.body = body['body'];
      if (body['state'] === 'closed' && pull.state === 'open') end(pull, by);
      return ok(fullBody(pull));
    }),
    'put /repos/{owner}/{repo}/pulls/{pull_number}/merge': withPull((pull, { body, by }) => mergePull(pull, body, by)),
    'get /repos/{owner}/{repo}/issues/{issue_number}': withPull((pull) =>
      ok({ number: pull.number, state: pull.state, closed_by: pull.closedBy && userBody(pull.closedBy) }),
    ),
    'get /repos/{owner}/{repo}/issues/{issue_number}/comments': withPull((pull, { query }) =>
      paged(pull.comments.map(commentBody), query),
    ),
    'post /repos/{owner}/{repo}/issues/{issue_number}/comments': withPull((pull, { body, by }) => ({
      status: 201,
      body: commentBody(comment(pull, by, String(body['body']))),
    })),
    'patch /repos/{owner}/{repo}/issues/comments/{comment_id}': ({ params, body, by }) => {
      const found = pulls.flatMap((pull) => pull.comments).find(({ id }) => String(id) === params['comment_id']);
      if (found === undefined) return notFound();
      if (found.by !== by && by.permission !== 'admin') return { status: 403, body: { message: 'Forbidden' } };
      found.body = String(body['body']);
      found.updatedAt = new Date(Date.parse(found.createdAt) + 5_000).toISOString().replace(/\.\d+/, '');
      return ok(commentBody(found));
    },
    'post /repos/{owner}/{repo}/issues/{issue_number}/labels': withPull((pull, { body }) => {
      const wanted = (body['labels'] as string[]).filter((label) => !pull.labels.includes(label));
      pull.labels.push(...wanted);
      return ok(pull.labels.map(labelBody));
    }),
    'delete /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}': withPull((pull, { params }) => {
      if (!pull.labels.includes(params['name'] ?? '')) return notFound('Label does not exist');
      pull.labels = pull.labels.filter((label) => label !== params['name']);
      return ok(pull.labels.map(labelBody));
    }),
    'post /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers': withPull(askReviewers),
    'get /repos/{owner}/{repo}/pulls/{pull_number}/reviews': withPull((pull, { query }) =>
      paged(pull.reviews.map(reviewBody), query),
    ),
    'post /repos/{owner}/{repo}/pulls/{pull_number}/reviews': withPull((pull, { body, by }) => {
      if (by === pull.by) return refused('Unprocessable Entity', 'Can not approve your own pull request');
      const sha = String(body['commit_id'] ?? headShaOf(pull));
      return ok(reviewBody(review(pull, by, 'APPROVED', sha, String(body['body'] ?? ''))));
    }),
  };

  function listPulls({ query }: Call): Answer {
    const found = pulls
      .filter((pull) => query.get('state') === 'all' || pull.state === (query.get('state') ?? 'open'))
      .filter((pull) => !query.has('base') || pull.base === query.get('base'))
      .filter((pull) => !query.has('head') || `${pull.fork ? 'mallory' : 'acme'}:${pull.head}` === query.get('head'));
    const { body, ...rest } = paged(found.toReversed(), query);
    return { ...rest, body: (body as Pull[]).map(shortBody) };
  }

  function createPull({ body, by }: Call): Answer {
    const [head, base] = [String(body['head']), String(body['base'])];
    const [headSha, baseSha] = [origin.sha(`refs/heads/${head}`), origin.sha(`refs/heads/${base}`)];
    if (headSha === undefined || baseSha === undefined) return refused('Validation Failed', 'head or base is invalid');
    const same = pulls.some((pull) => pull.state === 'open' && !pull.fork && pull.head === head && pull.base === base);
    if (same) return refused('Validation Failed', `A pull request already exists for acme:${head}.`);
    if (quick.isIn(baseSha, headSha)) return refused('Validation Failed', `No commits between ${base} and ${head}`);
    const pull = add({ head, headSha, base, title: String(body['title']), body: String(body['body'] ?? ''), by });
    // Whether it can be merged is worked out a moment later.
    return { status: 201, body: { ...fullBody(pull), mergeable: null, mergeable_state: 'unknown' } };
  }

  function mergePull(pull: Pull, wanted: Record<string, unknown>, by: Account, fromQueue = false): Answer {
    const head = headShaOf(pull);
    if (pull.state !== 'open') return { status: 405, body: { message: 'Pull Request is not mergeable' } };
    if (wanted['sha'] !== undefined && wanted['sha'] !== head) {
      return { status: 409, body: { message: 'Head branch was modified. Review and try the merge again.' } };
    }
    if (isBlocked(pull)) {
      return {
        status: 405,
        body: { message: 'At least 1 approving review is required by reviewers with write access.' },
      };
    }
    if (queues.has(pull.base) && !fromQueue) {
      return { status: 405, body: { message: 'Changes must be made through the merge queue' } };
    }
    const base = origin.sha(`refs/heads/${pull.base}`) ?? '';
    const tree = quick.mergedTree(base, head);
    if (tree === undefined) return { status: 405, body: { message: 'Pull Request is not mergeable' } };
    const message = [wanted['commit_title'], wanted['commit_message']].filter(Boolean).join('\n\n') || pull.title;
    // A rebase would replay each commit; one that has all their files is enough here.
    const parents = (wanted['merge_method'] ?? 'merge') === 'merge' ? ['-p', base, '-p', head] : ['-p', base];
    pull.mergeSha = origin.git('commit-tree', tree, ...parents, '-m', message);
    origin.git('update-ref', `refs/heads/${pull.base}`, pull.mergeSha, base);
    pull.mergedAt = now();
    end(pull, by);
    return ok({ sha: pull.mergeSha, merged: true, message: 'Pull Request successfully merged' });
  }

  /** What GitHub does by itself once nothing is in the way any more. */
  function satisfy(number: number): void {
    const pull = pullOf(number);
    pull.satisfied = true;
    const wanted = pull.autoMerge ?? (pull.queued ? {} : undefined);
    if (wanted !== undefined && pull.state === 'open') mergePull(pull, wanted, pull.by, true);
  }

  function askReviewers(pull: Pull, { body }: Call): Answer {
    const users = (body['reviewers'] ?? []) as string[];
    const teams = (body['team_reviewers'] ?? []) as string[];
    const unknown = users.find((login) => (accounts.find(login)?.permission ?? 'none') === 'none');
    const stranger = unknown ?? teams.find((team) => !accounts.teams.has(team));
    // Documented without a body.
    if (stranger !== undefined || users.includes(pull.by.login)) return { status: 422 };
    pull.asked = [...new Set([...pull.asked, ...users])];
    pull.askedTeams = [...new Set([...pull.askedTeams, ...teams])];
    return { status: 201, body: shortBody(pull) };
  }

  function withPull(act: (pull: Pull, call: Call) => Answer): (call: Call) => Answer {
    return (call) => {
      const number = Number(call.params['pull_number'] ?? call.params['issue_number']);
      const pull = pulls.find((candidate) => candidate.number === number);
      return pull === undefined ? notFound() : act(pull, call);
    };
  }

  function add(wanted: Pick<Pull, 'head' | 'headSha' | 'base' | 'title' | 'body' | 'by'> & Partial<Pull>): Pull {
    const pull: Pull = {
      number: pulls.length + 1,
      state: 'open',
      fork: false,
      createdAt: now(),
      mergedAt: null,
      mergeSha: null,
      closedBy: null,
      comments: [],
      reviews: [],
      labels: [],
      asked: [],
      askedTeams: [],
      autoMerge: null,
      queued: false,
      satisfied: false,
      ...wanted,
    };
    pulls.push(pull);
    return pull;
  }

  function comment(pull: Pull, by: Account | null, body: string): FakeComment {
    comments += 1;
    const at = now();
    const made = { id: comments, by, body, createdAt: at, updatedAt: at };
    pull.comments.push(made);
    return made;
  }

  function review(pull: Pull, by: Account | null, state: FakeReview['state'], sha: string, body = ''): FakeReview {
    const made = { by, state, sha, at: now(), body };
    pull.reviews.push(made);
    return made;
  }

  function end(pull: Pull, by: Account): void {
    pull.headSha = headShaOf(pull);
    pull.state = 'closed';
    pull.closedBy = by;
  }

  function branchGone(ref: string): void {
    const robot = accounts.all[0] as Account;
    for (const pull of pulls) if (`refs/heads/${pull.head}` === ref && pull.state === 'open') end(pull, robot);
  }

  function headShaOf(pull: Pull): string {
    if (pull.state === 'closed' || pull.fork) return pull.headSha;
    return origin.sha(`refs/heads/${pull.head}`) ?? pull.headSha;
  }

  function isBlocked(pull: Pull): boolean {
    return guarded.has(pull.base) && !pull.satisfied;
  }

  function isMergeable(pull: Pull): boolean {
    const base = origin.sha(`refs/heads/${pull.base}`) ?? '';
    return quick.mergedTree(base, headShaOf(pull)) !== undefined;
  }

  function pullOf(number: number): Pull {
    const pull = pulls.find((candidate) => candidate.number === number);
    if (pull === undefined) throw new Error(`the fake GitHub has no pull request ${number}`);
    return pull;
  }

  function shortBody(pull: Pull) {
    const repository = (owner: string) => ({ name: 'deploy', full_name: `${owner}/deploy` });
    return {
      number: pull.number,
      node_id: `PR_${pull.number}`,
      html_url: `https://github.example/acme/deploy/pull/${pull.number}`,
      state: pull.state,
      title: pull.title,
      body: pull.body,
      user: userBody(pull.by),
      draft: false,
      labels: pull.labels.map(labelBody),
      requested_reviewers: pull.asked.flatMap((login) => accounts.find(login) ?? []).map(userBody),
      requested_teams: pull.askedTeams.map((slug) => ({ slug, name: slug })),
      auto_merge: pull.autoMerge && { merge_method: pull.autoMerge['merge_method'] },
      created_at: pull.createdAt,
      merged_at: pull.mergedAt,
      // GitHub shows a test merge here until the real one.
      merge_commit_sha: pull.mergeSha ?? 'b'.repeat(40),
      head: { ref: pull.head, sha: headShaOf(pull), repo: repository(pull.fork ? 'mallory' : 'acme') },
      base: { ref: pull.base, sha: origin.sha(`refs/heads/${pull.base}`), repo: repository('acme') },
    };
  }

  function fullBody(pull: Pull) {
    const merged = pull.mergedAt !== null;
    const mergeable = pull.state === 'open' ? isMergeable(pull) : null;
    const state = mergeable === null ? 'unknown' : !mergeable ? 'dirty' : isBlocked(pull) ? 'blocked' : 'clean';
    return {
      ...shortBody(pull),
      merged,
      merged_by: merged && pull.closedBy ? userBody(pull.closedBy) : null,
      mergeable,
      mergeable_state: state,
    };
  }

  return { pulls, guarded, queues, handlers, add, comment, review, satisfy, pullOf, branchGone, headShaOf, isBlocked };
}

export type Pulls = ReturnType<typeof createPulls>;

const labelBody = (name: string) => ({ name });

function commentBody({ id, by, body, createdAt, updatedAt }: FakeComment) {
  return { id, body, user: by && userBody(by), created_at: createdAt, updated_at: updatedAt };
}

function reviewBody({ by, state, sha, at, body }: FakeReview) {
  return { user: by && userBody(by), state, commit_id: sha, submitted_at: at, body };
}
