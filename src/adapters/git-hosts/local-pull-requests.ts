import { AdapterError } from '../../base/adapter-error.ts';
import type { CallOptions, NewPullRequest, PullRequest } from './git-host.ts';
import { mergeTrees } from './git-merge.ts';
import { isContained, readObjects } from './git-reading.ts';
import type { GitRepository, RefUpdate } from './git-repository.ts';
import {
  MAX_RECORD_BYTES,
  type PullRequestRecord,
  parseRecord,
  parseSubject,
  subjectOf,
} from './pull-request-record.ts';

const SPACE = 'refs/lynceus/pull-requests';
const FILE = 'pull-request.json';
/** With a pause of up to 0.2 s each: a repository that is busier than that for this long is not usable. */
const ATTEMPTS = 12;
const MAX_PAUSE_MS = 200;
/** With the commit that holds it. */
const MAX_LOOK_BYTES = 2 * MAX_RECORD_BYTES;
/** What one text may hold; GitHub allows 65,536 characters. */
const MAX_TEXT_BYTES = 256 * 1024;

export interface Committer {
  name: string;
  email: string;
}

/** A pull request as it stands in the repository now. */
interface Found {
  record: PullRequestRecord;
  /** The commit that holds the record: what every change must replace. */
  at: string;
  /** What the head branch points at; absent when somebody deleted it. */
  head: string | undefined;
  base: string | undefined;
  /** Somebody merged it by hand, or a push of ours was cut in half: the base has the head already. */
  contained: boolean;
}

/**
 * Pull requests kept as refs. Every change is one atomic push with a lease on each ref it touches, so
 * it happens as a whole, once, or not at all, whoever else pushes and whenever a process dies.
 */
export function createLocalPullRequests(committer: Committer) {
  async function open(repository: GitRepository, wanted: NewPullRequest, call?: CallOptions): Promise<PullRequest> {
    return untilDone(repository, call, async () => {
      const { next, same } = await survey(repository, wanted, call);
      // Merged by hand: put that on record first, or it would come back to life with the branch.
      if (same?.contained) return again(await keepMerged(repository, same, call));
      const [head, base, commit] = await repository.commits(
        [branch(wanted.headBranch), branch(wanted.baseBranch), wanted.headSha],
        call,
      );
      if (base === undefined) throw new AdapterError('not-found', `there is no branch ${wanted.baseBranch}`);
      if (commit === undefined) throw new AdapterError('not-found', `there is no commit ${wanted.headSha}`);
      if (await isContained(repository.git, base, wanted.headSha, call)) {
        throw new AdapterError('rejected', `${wanted.baseBranch} has ${wanted.headSha} already: nothing to merge`);
      }
      const record: PullRequestRecord =
        same === undefined ? newRecord(next, wanted) : { ...same.record, headSha: wanted.headSha };
      const moved = { ref: branch(wanted.headBranch), from: head, to: wanted.headSha };
      if (same !== undefined && same.record.headSha === wanted.headSha) {
        return attempt(await repository.push([moved], call), () => toPullRequest(record));
      }
      // The verified commit is a parent, so that it stays when its branch is deleted one day.
      const to = await write(repository, record, [...(same ? [same.at] : []), wanted.headSha], call);
      const updates = [moved, { ref: refOf(record.number), from: same?.at, to }];
      return attempt(await repository.push(updates, call), () => toPullRequest(record));
    });
  }

  async function findOpen(
    repository: GitRepository,
    filter: { headPrefix: string; baseBranch: string },
    call?: CallOptions,
  ): Promise<PullRequest[]> {
    const found: PullRequest[] = [];
    for (const entry of await list(repository, call)) {
      if (entry.state !== 'open' || entry.baseBranch !== filter.baseBranch) continue;
      if (!entry.headBranch.startsWith(filter.headPrefix)) continue;
      const pull = await read(repository, entry.number, call);
      if (pull.state === 'open') found.push(pull);
    }
    return found;
  }

  async function read(repository: GitRepository, number: number, call?: CallOptions): Promise<PullRequest> {
    return asItIs(repository, await look(repository, number, call), call);
  }

  async function update(
    repository: GitRepository,
    number: number,
    change: { title: string; body: string },
    call?: CallOptions,
  ): Promise<PullRequest> {
    return rewrite(
      repository,
      number,
      (record) =>
        record.title === change.title && record.body === change.body
          ? undefined
          : { ...record, title: bounded(change.title), body: bounded(change.body) },
      call,
    );
  }

  /** Changes what is on record about it, whatever its state; `undefined`: it is as it should be. */
  async function rewrite(
    repository: GitRepository,
    number: number,
    change: (record: PullRequestRecord) => PullRequestRecord | undefined,
    call?: CallOptions,
  ): Promise<PullRequest> {
    return untilDone(repository, call, async () => {
      const found = await look(repository, number, call);
      const record = change(found.record);
      if (record === undefined) return { value: await asItIs(repository, found, call) };
      const to = await write(repository, record, [found.at], call);
      const pushed = await repository.push([{ ref: refOf(number), from: found.at, to }], call);
      return attempt(pushed, () => toPullRequest({ ...record, headSha: found.head ?? record.headSha }));
    });
  }

  async function record(repository: GitRepository, number: number, call?: CallOptions): Promise<PullRequestRecord> {
    return (await look(repository, number, call)).record;
  }

  async function close(
    repository: GitRepository,
    number: number,
    comment: string,
    call?: CallOptions,
  ): Promise<PullRequest> {
    return untilDone(repository, call, async () => {
      const found = await look(repository, number, call);
      if (found.record.state !== 'open' || found.contained) return { value: await asItIs(repository, found, call) };
      const at = new Date().toISOString();
      const headSha = found.head ?? found.record.headSha;
      const comments = [...found.record.comments, { at, text: bounded(comment) }];
      const record: PullRequestRecord = {
        ...found.record,
        state: 'closed',
        headSha,
        comments,
        endedAt: at,
        endedBy: committer.name,
      };
      const to = await write(repository, record, parents(found), call);
      return attempt(await repository.push(ending(found, to), call), () => toPullRequest(record));
    });
  }

  async function merge(
    repository: GitRepository,
    number: number,
    wanted: { expectedHeadSha: string; message: string; by: string },
    call?: CallOptions,
  ): Promise<PullRequest> {
    let disagreed = false;
    return untilDone(repository, call, async () => {
      const found = await look(repository, number, call);
      const { record } = found;
      if (record.state === 'merged') return { value: toPullRequest(record) };
      if (record.state === 'closed') throw new AdapterError('conflict', `pull request ${number} is closed`);
      const why = unmergeable(found, wanted.expectedHeadSha);
      if (why !== undefined) {
        // Readers see the refs of one push change one after the other: look twice before saying no.
        if (disagreed) throw new AdapterError('conflict', why);
        disagreed = true;
        return { why };
      }
      return found.contained ? keepMerged(repository, found, call) : mergeNow(repository, found, wanted, call);
    });
  }

  /** Somebody else brought the head into the base; all that is left is to say so. */
  async function keepMerged(
    repository: GitRepository,
    found: Found,
    call?: CallOptions,
  ): Promise<Attempt<PullRequest>> {
    const record = { ...found.record, ...(await mergeOf(repository, found, call)) };
    const to = await write(repository, record, parents(found), call);
    return attempt(await repository.push(ending(found, to), call), () => toPullRequest(record));
  }

  async function mergeNow(
    repository: GitRepository,
    found: Found,
    wanted: { expectedHeadSha: string; message: string; by: string },
    call?: CallOptions,
  ): Promise<Attempt<PullRequest>> {
    const { base = '', record } = found;
    const tree = await mergeTrees(repository.git, base, wanted.expectedHeadSha, record, call);
    const mergeSha = await commit(repository, tree, [base, wanted.expectedHeadSha], bounded(wanted.message), call);
    const merged: PullRequestRecord = {
      ...record,
      state: 'merged',
      headSha: wanted.expectedHeadSha,
      mergeSha,
      endedAt: new Date().toISOString(),
      endedBy: wanted.by,
    };
    const to = await write(repository, merged, parents(found), call);
    const updates = [{ ref: branch(record.baseBranch), from: base, to: mergeSha }, ...ending(found, to)];
    return attempt(await repository.push(updates, call), () => toPullRequest(merged));
  }

  async function write(
    repository: GitRepository,
    record: PullRequestRecord,
    after: readonly string[],
    call?: CallOptions,
  ): Promise<string> {
    const text = `${JSON.stringify(record, null, 2)}\n`;
    if (Buffer.byteLength(text) > MAX_RECORD_BYTES) {
      throw new AdapterError(
        'rejected',
        `pull request ${record.number} would be larger than ${MAX_RECORD_BYTES} bytes`,
      );
    }
    const blob = await line(repository, ['hash-object', '-w', '--stdin'], text, call);
    const tree = await line(repository, ['mktree'], `100644 blob ${blob}\t${FILE}\n`, call);
    return commit(repository, tree, after, subjectOf(record), call);
  }

  async function commit(
    repository: GitRepository,
    tree: string,
    after: readonly string[],
    message: string,
    call?: CallOptions,
  ): Promise<string> {
    const date = `${Math.floor(Date.now() / 1000)} +0000`;
    const { stdout } = await repository.git(['commit-tree', tree, ...after.flatMap((sha) => ['-p', sha]), '-F', '-'], {
      ...call,
      input: message.endsWith('\n') ? message : `${message}\n`,
      environment: {
        GIT_AUTHOR_NAME: committer.name,
        GIT_AUTHOR_EMAIL: committer.email,
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_NAME: committer.name,
        GIT_COMMITTER_EMAIL: committer.email,
        GIT_COMMITTER_DATE: date,
      },
    });
    return stdout.toString('utf8').trim();
  }

  return { open, findOpen, read, update, close, merge, rewrite, record };
}

export type LocalPullRequests = ReturnType<typeof createLocalPullRequests>;

/** One try of a change: its value, or what was in its way. */
type Attempt<T> = { value: T } | { why: string };

function attempt<T>(pushed: { done: boolean; why: string }, value: () => T): Attempt<T> {
  return pushed.done ? { value: value() } : { why: pushed.why };
}

function again(result: Attempt<unknown>): { why: string } {
  return 'why' in result ? result : { why: 'an earlier pull request had to be ended first' };
}

/** Looks, acts, and looks again when somebody else was faster. */
async function untilDone<T>(
  repository: GitRepository,
  call: CallOptions | undefined,
  act: () => Promise<Attempt<T>>,
): Promise<T> {
  let why = '';
  for (let round = 0; round < ATTEMPTS; round += 1) {
    if (round > 0) await pause(call?.signal);
    await repository.refresh(call);
    const result = await act();
    if ('value' in result) return result.value;
    why = result.why;
  }
  throw new AdapterError('conflict', `the repository changed ${ATTEMPTS} times while we tried: ${why}`);
}

async function pause(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 10 + Math.random() * MAX_PAUSE_MS));
  if (signal?.aborted) throw new AdapterError('cancelled', 'the change was given up');
}

interface Entry {
  number: number;
  state: string;
  headBranch: string;
  baseBranch: string;
}

async function list(repository: GitRepository, call?: CallOptions): Promise<Entry[]> {
  const format = '--format=%(refname:lstrip=3)%00%(contents:subject)';
  const { stdout } = await repository.git(['for-each-ref', '--sort=version:refname', format, SPACE], { ...call });
  const entries: Entry[] = [];
  for (const row of stdout.toString('utf8').split('\n')) {
    const [name = '', subject = ''] = row.split('\0');
    const parsed = parseSubject(subject);
    if (/^[1-9]\d{0,8}$/.test(name)) entries.push({ number: Number(name), ...(parsed ?? UNREADABLE) });
  }
  return entries;
}

/** Takes up its number and matches no filter. */
const UNREADABLE = { state: '', headBranch: '', baseBranch: '' };

/** The next free number, and the open pull request for the same branches if there is one. */
async function survey(repository: GitRepository, wanted: NewPullRequest, call?: CallOptions) {
  const entries = await list(repository, call);
  const next = entries.reduce((highest, { number }) => Math.max(highest, number), 0) + 1;
  for (const entry of entries) {
    if (entry.state !== 'open' || entry.headBranch !== wanted.headBranch) continue;
    if (entry.baseBranch !== wanted.baseBranch) continue;
    const same = await look(repository, entry.number, call);
    if (same.record.state === 'open') return { next, same };
  }
  return { next, same: undefined };
}

async function look(repository: GitRepository, number: number, call?: CallOptions): Promise<Found> {
  const ref = refOf(number);
  // In this order: of one that is changed in between, no change of ours can be made to what it was before.
  const [commit, blob] = await readObjects(repository.git, [`${ref}^{commit}`, `${ref}:${FILE}`], MAX_LOOK_BYTES, call);
  if (commit === undefined) throw new AdapterError('not-found', `there is no pull request ${number}`);
  if ((blob?.bytes.length ?? 0) > MAX_RECORD_BYTES)
    throw new AdapterError(
      'rejected',
      `${ref} holds more than ${MAX_RECORD_BYTES} bytes; delete the ref if nobody needs it`,
    );
  const record = parseRecord(blob?.bytes.toString('utf8') ?? '', ref);
  const [head, base] = await repository.commits([branch(record.headBranch), branch(record.baseBranch)], call);
  const tip = head ?? record.headSha;
  const contained =
    record.state === 'open' && base !== undefined && (await isContained(repository.git, base, tip, call));
  return { record, at: commit.id, head, base, contained };
}

/** What is known of a merge that is not on record: the commit that brought the head, and who made it. */
async function mergeOf(
  repository: GitRepository,
  found: Found,
  call?: CallOptions,
): Promise<Pick<PullRequestRecord, 'state' | 'headSha' | 'mergeSha' | 'endedAt' | 'endedBy'> | undefined> {
  if (!found.contained || found.base === undefined) return undefined;
  const headSha = found.head ?? found.record.headSha;
  const path = await repository.git(
    ['rev-list', '--first-parent', '--ancestry-path', `${headSha}..${found.base}`, '--'],
    { ...call },
  );
  const mergeSha = path.stdout.toString('utf8').trim().split('\n').at(-1) || headSha;
  const { stdout } = await repository.git(['log', '--max-count=1', '--format=%cI%x00%cn', mergeSha, '--'], { ...call });
  const [endedAt = '', endedBy = ''] = stdout.toString('utf8').trim().split('\0');
  return { state: 'merged', headSha, mergeSha, endedAt, endedBy };
}

function unmergeable(found: Found, expected: string): string | undefined {
  const { record, head, base } = found;
  if (base === undefined) return `the branch ${record.baseBranch} is gone`;
  const tip = head ?? (found.contained ? record.headSha : undefined);
  if (tip === undefined) return `the branch ${record.headBranch} is gone`;
  if (tip !== expected) return `${record.headBranch} is at ${tip.slice(0, 7)}, expected was ${expected.slice(0, 7)}`;
  return undefined;
}

/** The end of a pull request: its new record, and its head branch gone. */
function ending(found: Found, to: string): RefUpdate[] {
  return [
    { ref: branch(found.record.headBranch), from: found.head, to: undefined },
    { ref: refOf(found.record.number), from: found.at, to },
  ];
}

/** A head that moved since it was recorded stays reachable too. */
function parents(found: Found): string[] {
  const moved = found.head !== undefined && found.head !== found.record.headSha;
  return moved ? [found.at, found.head ?? ''] : [found.at];
}

function newRecord(number: number, wanted: NewPullRequest): PullRequestRecord {
  return {
    number,
    state: 'open',
    headBranch: wanted.headBranch,
    headSha: wanted.headSha,
    baseBranch: wanted.baseBranch,
    title: bounded(wanted.title),
    body: bounded(wanted.body),
    comments: [],
    createdAt: new Date().toISOString(),
  };
}

async function asItIs(repository: GitRepository, found: Found, call?: CallOptions): Promise<PullRequest> {
  const headSha = found.record.state === 'open' ? (found.head ?? found.record.headSha) : found.record.headSha;
  return toPullRequest({ ...found.record, headSha, ...(await mergeOf(repository, found, call)) });
}

function toPullRequest(record: PullRequestRecord): PullRequest {
  const { comments: _comments, endedAt: _endedAt, ...shown } = record;
  return shown;
}

async function line(
  repository: GitRepository,
  args: readonly string[],
  input: string,
  call?: CallOptions,
): Promise<string> {
  const { stdout } = await repository.git(args, { ...call, input });
  return stdout.toString('utf8').trim();
}

/** @throws {AdapterError} `rejected`: the record must stay one that can be read */
export function bounded(text: string): string {
  if (Buffer.byteLength(text) <= MAX_TEXT_BYTES) return text;
  throw new AdapterError('rejected', `a text of more than ${MAX_TEXT_BYTES} bytes does not fit into a pull request`);
}

function branch(name: string): string {
  return `refs/heads/${name}`;
}

function refOf(number: number): string {
  return `${SPACE}/${number}`;
}
