import type { BareRepository } from '../../examples/sandbox/git.ts';
import type { MergeMethod } from '../../src/adapters/git-hosts/git-host.ts';
import type { Account } from './fake-host.ts';
import { createQuickGit } from './quick-git.ts';

export interface FakeComment {
  id: number;
  by: Account;
  body: string;
  createdAt: string;
  updatedAt: string;
}

export interface FakeReview {
  id: number;
  by: Account;
  state: 'approved' | 'rejected' | 'commented';
  dismissed: boolean;
  sha: string;
  body: string;
  at: string;
}

/** A pull request as every host knows it, whatever it calls it. */
export interface FakePull {
  number: number;
  state: 'open' | 'closed' | 'merged';
  title: string;
  body: string;
  head: string;
  /** Kept from the moment it ended; while it is open the branch says it. */
  headSha: string;
  base: string;
  fork: boolean;
  by: Account;
  createdAt: string;
  endedAt: string | null;
  endedBy: Account | null;
  mergeSha: string | null;
  comments: FakeComment[];
  reviews: FakeReview[];
  labels: string[];
  asked: Account[];
  askedGroups: string[];
}

export interface FakeStatus {
  name: string;
  state: string;
  description: string;
  url: string;
}

/** Pull requests of one real repository. */
export function createFakePulls(origin: BareRepository) {
  const quick = createQuickGit(origin);
  const all: FakePull[] = [];
  const statuses = new Map<string, FakeStatus[]>();
  let ids = 0;
  /** Numbers of labels by their names. */
  const labels = new Map<string, number>();
  const nextId = () => {
    ids += 1;
    return ids;
  };

  function labelId(name: string): number {
    const id = labels.get(name) ?? nextId();
    labels.set(name, id);
    return id;
  }

  function add(wanted: Pick<FakePull, 'head' | 'base' | 'title' | 'body' | 'by'> & { forkSha?: string }): FakePull {
    const { forkSha, ...rest } = wanted;
    const pull: FakePull = {
      ...rest,
      number: all.length + 1,
      state: 'open',
      headSha: forkSha ?? origin.sha(`refs/heads/${wanted.head}`) ?? '',
      fork: forkSha !== undefined,
      createdAt: now(),
      endedAt: null,
      endedBy: null,
      mergeSha: null,
      comments: [],
      reviews: [],
      labels: [],
      asked: [],
      askedGroups: [],
    };
    all.push(pull);
    return pull;
  }

  function headShaOf(pull: FakePull): string {
    if (pull.state !== 'open' || pull.fork) return pull.headSha;
    pull.headSha = origin.sha(`refs/heads/${pull.head}`) ?? pull.headSha;
    return pull.headSha;
  }

  function end(pull: FakePull, state: 'closed' | 'merged', by: Account): void {
    pull.headSha = headShaOf(pull);
    pull.state = state;
    pull.endedBy = by;
    pull.endedAt = now();
  }

  /** The tree that merging would make; `undefined` when it conflicts. */
  function mergedTree(pull: FakePull): string | undefined {
    return quick.mergedTree(origin.sha(`refs/heads/${pull.base}`) ?? '', headShaOf(pull));
  }

  /** Answers false when it conflicts. Rebasing is done for pull requests of one commit. */
  function merge(pull: FakePull, method: MergeMethod, message: string, by: Account): boolean {
    const tree = mergedTree(pull);
    if (tree === undefined) return false;
    const base = origin.sha(`refs/heads/${pull.base}`) ?? '';
    const head = headShaOf(pull);
    const second = method === 'merge' ? ['-p', head] : [];
    const words = method === 'rebase' ? origin.git('log', '-1', '--format=%B', head) : message;
    pull.mergeSha = origin.git('commit-tree', tree, '-p', base, ...second, '-m', words);
    origin.git('update-ref', `refs/heads/${pull.base}`, pull.mergeSha, base);
    end(pull, 'merged', by);
    return true;
  }

  function comment(pull: FakePull, by: Account, body: string): FakeComment {
    const made = { id: nextId(), by, body, createdAt: now(), updatedAt: '' };
    made.updatedAt = made.createdAt;
    pull.comments.push(made);
    return made;
  }

  function edit(comment: FakeComment, body: string): void {
    comment.body = body;
    comment.updatedAt = new Date(Date.parse(comment.createdAt) + 5_000).toISOString();
  }

  function review(
    pull: FakePull,
    by: Account,
    state: FakeReview['state'],
    body = '',
    sha = headShaOf(pull),
  ): FakeReview {
    const made = { id: nextId(), by, state, dismissed: false, sha, body, at: now() };
    pull.reviews.push(made);
    return made;
  }

  function mark(sha: string, status: FakeStatus): void {
    const others = (statuses.get(sha) ?? []).filter(({ name }) => name !== status.name);
    statuses.set(sha, [...others, status]);
  }

  return {
    all,
    statuses,
    labels,
    labelId,
    nextId,
    add,
    find: (number: number) => all.find((pull) => pull.number === number),
    /** @throws when there is none */
    pullOf(number: number): FakePull {
      const found = all.find((pull) => pull.number === number);
      if (found === undefined) throw new Error(`there is no pull request ${number}`);
      return found;
    },
    headShaOf,
    end,
    mergedTree,
    merge,
    comment,
    edit,
    review,
    mark,
  };
}

export type FakePulls = ReturnType<typeof createFakePulls>;

/** Seconds are enough for every host. */
function now(): string {
  return new Date().toISOString();
}
