import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BareRepository } from '../../examples/sandbox/git.ts';
import type { GitHost, NewPullRequest, PullRequest, Repository } from '../../src/adapters/git-hosts/git-host.ts';
import { AdapterError, type FailureReason } from '../../src/base/adapter-error.ts';
import type { Secret } from '../../src/base/secret.ts';
import type { CommitStatus, HostUser, Permission } from '../../src/promotion/people.ts';
import { gitHostCapabilities } from './git-host-capabilities.ts';
import { gitHostDiscussion } from './git-host-discussion.ts';
import { gitHostFiles } from './git-host-files.ts';
import { gitHostMergeWhenReady } from './git-host-merge-when-ready.ts';
import { gitHostPeople } from './git-host-people.ts';

/**
 * Other people at the host, by what they are called there; somebody who was not seen before is made, and may read.
 * Needed by a host that declares `people`.
 */
export interface OtherPeople {
  /** As the host has them; the id stays when they are renamed. */
  user(login: string): HostUser;
  rename(login: string, to: string): Promise<void> | void;
  setPermission(login: string, permission: Permission): Promise<void> | void;
  /** A group that the host knows, as `isMember` names it. */
  group: string;
  join(login: string): Promise<void> | void;
  /** Approves the pull request as its head is now. */
  approve(login: string, number: number): Promise<void> | void;
  /** Asks for changes; absent: the host has no such verdict. */
  reject?(login: string, number: number): Promise<void> | void;
  /** Takes the approval of somebody back, as they themselves or an administrator can. */
  takeBack(login: string, number: number): Promise<void> | void;
  /** With which they themselves call the host. */
  token(login: string): Secret;
}

export interface GitHostWorld {
  host: GitHost;
  /** Reached through `host`; its objects are in `origin`. */
  repository: Repository;
  origin: BareRepository;
  /** One that the host serves by its URL, but that does not exist. */
  missing: Repository;
  /** One that cannot be reached at all, and the host that serves it. */
  unreachable: { host: GitHost; repository: Repository };
  /** Text that must never turn up in an error. */
  secret: string;
  /** For `people`. */
  people?: OtherPeople;
  /** Writes a comment as somebody else and answers its id; for `comments` of a host on which others comment. */
  commentAs?(login: string, number: number, body: string): Promise<string> | string;
  /** Has its author change a comment; absent: the host has no such thing. */
  editComment?(number: number, id: string, body: string): Promise<void> | void;
  /** For `statuses`: what a commit is marked with, newest mark of each name. */
  statusesOf?(sha: string): Promise<CommitStatus[]> | CommitStatus[];
  /** For `reviewRequests`: who can be asked, a group that can be asked, and who has been asked. */
  reviewers?: { user: string; group?: string; asked(number: number): Promise<string[]> | string[] };
  /** For `mergeWhenReady`: from now on the host merges nothing into the branch until `satisfy` is called for it. */
  protect?(branch: string): Promise<void> | void;
  satisfy?(number: number): Promise<void> | void;
  /** For `redelivery`: one delivery to us that failed, and one that arrived; answers how many were sent again so far. */
  deliveries?: { fail(): void; arrive(): void; sentAgain(): number };
  close(): Promise<void>;
}

const STAGING = 'stage/staging';
const PRODUCTION = 'stage/production';

/** What the parts of the contract share: fresh for each test. */
export interface Round {
  world: GitHostWorld;
  host: GitHost;
  repository: Repository;
  origin: BareRepository;
  /** Counts the tests of a world, for names that nobody has taken. */
  round: number;
  /** The commit to promote, on no other branch than the one it came from. */
  verified: string;
  open(change?: Partial<NewPullRequest>): Promise<PullRequest>;
  fails(reason: FailureReason, work: Promise<unknown>): Promise<void>;
  /** A guard that lets nothing through. */
  refuse(): never;
}

/** What every git host must do, on a real repository. */
export function gitHostContract(name: string, createWorld: () => Promise<GitHostWorld>): void {
  describe(`${name} as a git host`, () => {
    let world: GitHostWorld;
    let host: GitHost;
    let repository: Repository;
    let origin: BareRepository;
    let round = 0;
    /** The commit to promote; each test has its own. */
    let verified: string;
    let wanted: NewPullRequest;

    beforeAll(async () => {
      world = await createWorld();
      ({ host, repository, origin } = world);
      origin.commit({ branch: 'main', files: { 'README.md': '# deploy\n' }, message: 'Begin' });
      origin.git('branch', PRODUCTION, 'main');
    });
    afterAll(async () => world?.close());

    beforeEach(() => {
      round += 1;
      verified = origin.commit({
        branch: STAGING,
        from: PRODUCTION,
        files: { [`app-${round}.yaml`]: `image: shop:${round}\n` },
        message: `Raise shop to ${round}\n\nBecause.`,
      });
      wanted = {
        headBranch: `lynceus/podtato/shop/production/${round}-${verified.slice(0, 7)}`,
        headSha: verified,
        baseBranch: PRODUCTION,
        title: `Promote shop ${verified.slice(0, 7)}`,
        body: 'All is well: ünïcode, `ticks` and a | pipe.\n\nLynceus-Context: c1',
      };
    });

    const open = (change: Partial<NewPullRequest> = {}) => host.openPullRequest(repository, { ...wanted, ...change });
    const merge = (pull: PullRequest, expectedHeadSha = verified) =>
      host.mergePullRequest(repository, pull.number, {
        expectedHeadSha,
        message: `Promote shop (#${pull.number})\n\nIt passed.\n\nLynceus-Context: c1\nLynceus-Revision: ${expectedHeadSha}`,
        by: 'grace',
      });

    describe('reading', () => {
      it('resolves branches, tags and commits', async () => {
        origin.git('tag', '-a', '-m', 'a release', `v1.0.${round}`, verified);
        expect(await host.resolve(repository, STAGING)).toBe(verified);
        expect(await host.resolve(repository, `v1.0.${round}`)).toBe(verified);
        expect(await host.resolve(repository, verified)).toBe(verified);
        expect(await host.resolve(repository, verified.slice(0, 12))).toBe(verified);
        expect(await host.resolve(repository, 'HEAD')).toBe(origin.sha('main'));
      });

      it.each(['no/such/branch', 'f'.repeat(40), '--upload-pack=evil', 'a..b', 'x y', '1.*', 'main^'])(
        'answers nothing for the revision %j, which names nothing',
        async (revision) => {
          expect(await host.resolve(repository, revision)).toBeUndefined();
        },
      );

      it('sees a branch that was moved a moment ago', async () => {
        expect(await host.resolve(repository, STAGING)).toBe(verified);
        const newer = origin.commit({ branch: STAGING, files: { newer: `${round}` } });
        expect(await host.resolve(repository, STAGING)).toBe(newer);
      });

      it('reads a file as it was at a commit', async () => {
        origin.commit({ branch: STAGING, files: { [`app-${round}.yaml`]: 'changed later\n' } });
        expect(await host.readFile(repository, verified, `app-${round}.yaml`)).toBe(`image: shop:${round}\n`);
      });

      it('reads empty files and text that is not ASCII', async () => {
        const sha = origin.commit({ branch: STAGING, files: { 'dir/empty': '', 'dir/grüße.md': 'Grüße, 世界\n' } });
        expect(await host.readFile(repository, sha, 'dir/empty')).toBe('');
        expect(await host.readFile(repository, sha, 'dir/grüße.md')).toBe('Grüße, 世界\n');
      });

      it('answers nothing for a file that is not there, and for a folder', async () => {
        const sha = origin.commit({ branch: STAGING, files: { 'folder/file': 'x' } });
        expect(await host.readFile(repository, sha, 'missing.yaml')).toBeUndefined();
        expect(await host.readFile(repository, sha, 'folder')).toBeUndefined();
      });

      it('reads 256 KiB and refuses one byte more', async () => {
        const limit = 256 * 1024;
        const sha = origin.commit({ branch: STAGING, files: { full: 'a'.repeat(limit), over: 'a'.repeat(limit + 1) } });
        expect(await host.readFile(repository, sha, 'full')).toHaveLength(limit);
        await fails('rejected', host.readFile(repository, sha, 'over'));
      });

      it('refuses a file that is not text', async () => {
        const sha = origin.commit({ branch: STAGING, files: { logo: new Uint8Array([0xff, 0xfe, 0x00, 0xc3]) } });
        await fails('rejected', host.readFile(repository, sha, 'logo'));
      });

      it.each(['../secret', '/etc/passwd', 'a/../../b', '', 'a\nb', './a'])('refuses the path %j', async (path) => {
        await fails('rejected', host.readFile(repository, verified, path));
      });

      it('says what a commit brings: commits, newest first, and files', async () => {
        const second = origin.commit({
          branch: STAGING,
          files: { [`app-${round}.yaml`]: 'image: shop:2\nreplicas: 2\n', 'new/file': 'x\n' },
          message: 'Scale the shop\n\nmore words',
          author: 'Grace Hopper',
        });
        const comparison = await host.compare(repository, verified, second);
        expect(comparison).toMatchObject({ totalCommits: 1, totalFiles: 2 });
        expect(comparison.commits).toMatchObject([{ sha: second, subject: 'Scale the shop', author: 'Grace Hopper' }]);
        expect(comparison.commits[0]?.date).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.000)?Z$/);
        expect(comparison.files.toSorted((a, b) => a.path.localeCompare(b.path))).toEqual([
          { path: `app-${round}.yaml`, additions: 2, deletions: 1 },
          { path: 'new/file', additions: 1, deletions: 0 },
        ]);
        const asked = await host.compare(repository, verified, second, { patches: true });
        const patch = asked.files.find(({ path }) => path.startsWith('app-'))?.patch;
        // Comparisons of GitHub carry them by themselves.
        if (patch === undefined) expect(host.kind).toBe('github');
        else expect(patch.split('\n')).toEqual(expect.arrayContaining(['+image: shop:2', '+replicas: 2']));
        const both = await host.compare(repository, `${verified}`, STAGING);
        expect(both.commits.map(({ sha }) => sha)).toEqual([second]);
      });

      it('compares from where two lines parted, not from the other tip', async () => {
        const elsewhere = origin.commit({ branch: `else-${round}`, from: 'main', files: { elsewhere: 'x' } });
        const here = origin.commit({ branch: `here-${round}`, from: 'main', files: { here: 'x' } });
        const comparison = await host.compare(repository, elsewhere, here);
        expect(comparison.files).toEqual([{ path: 'here', additions: 1, deletions: 0 }]);
        expect(comparison.totalCommits).toBe(1);
      });

      it('finds nothing between a commit and itself', async () => {
        expect(await host.compare(repository, verified, verified)).toEqual({
          commits: [],
          totalCommits: 0,
          files: [],
          totalFiles: 0,
        });
      });

      it('knows what is contained in what', async () => {
        const before = origin.sha('main') ?? '';
        const apart = origin.commit({ branch: `apart-${round}`, files: { apart: `${round}` } });
        expect(await host.contains(repository, verified, before)).toBe(true);
        expect(await host.contains(repository, verified, verified)).toBe(true);
        expect(await host.contains(repository, before, verified)).toBe(false);
        expect(await host.contains(repository, verified, apart)).toBe(false);
      });

      it('never says that an unknown commit is contained, or is not', async () => {
        await fails('not-found', host.contains(repository, verified, 'e'.repeat(40)));
      });

      it('answers the whole message of a commit', async () => {
        expect(await host.commitMessage(repository, verified)).toBe(`Raise shop to ${round}\n\nBecause.`);
      });
    });

    describe('making a commit', () => {
      const at = '2026-03-02T10:00:00.750Z';
      const message = 'Take back app 2\n\nIt failed: ünïcode.\n\nLynceus-Rollback: s1';
      const branch = () => `lynceus-rollback/podtato/shop/${round}`;
      const make = (treeOf: string, parents: string[], changes: object = {}) =>
        host.createCommit(repository, { branch: branch(), parents, treeOf, message, at, ...changes });

      it('has the files of one commit, follows another, and says what it was told', async () => {
        const bad = origin.commit({ branch: STAGING, files: { [`app-${round}.yaml`]: null, [`bad-${round}`]: 'x' } });
        const sha = await make(verified, [bad]);
        expect(origin.sha(branch())).toBe(sha);
        expect(origin.git('rev-parse', `${sha}^{tree}`)).toBe(origin.git('rev-parse', `${verified}^{tree}`));
        expect(parentsOf(sha)).toEqual([bad]);
        expect(await host.commitMessage(repository, sha)).toBe(message);
        expect(origin.git('log', '-1', '--format=%ct %at %an', sha)).toBe('1772445600 1772445600 Lynceus');
      });

      it('follows more than one', async () => {
        const other = origin.commit({ branch: `else-${round}`, from: 'main', files: { other: `${round}` } });
        expect(parentsOf(await make(verified, [verified, other]))).toEqual([verified, other]);
      });

      it('is the same commit when it is made again, and moves a branch that is elsewhere', async () => {
        const first = await make(verified, [verified]);
        expect(await make(verified, [verified])).toBe(first);
        const newer = origin.commit({ branch: STAGING, files: { newer: `${round}` } });
        const second = await make(newer, [verified]);
        expect(second).not.toBe(first);
        expect(origin.sha(branch())).toBe(second);
      });

      it('as a pull request takes back one change and keeps what came after it', async () => {
        const baseBranch = `stage/back-${round}`;
        const good = origin.commit({ branch: baseBranch, from: 'main', files: { image: 'shop:1\n' } });
        const bad = origin.commit({ branch: baseBranch, files: { image: 'shop:2\n' } });
        origin.commit({ branch: baseBranch, files: { replicas: '3\n' } });
        const headSha = await make(good, [bad]);
        const pull = await open({ headBranch: branch(), headSha, baseBranch });
        const { mergeSha = '' } = await merge(pull, headSha);
        expect(origin.git('show', `${mergeSha}:image`)).toBe('shop:1');
        expect(origin.git('show', `${mergeSha}:replicas`)).toBe('3');
      });

      it('cannot be merged where a later commit changed the same', async () => {
        const baseBranch = `stage/stuck-${round}`;
        const good = origin.commit({ branch: baseBranch, from: 'main', files: { image: 'shop:1\n' } });
        const bad = origin.commit({ branch: baseBranch, files: { image: 'shop:2\n' } });
        const later = origin.commit({ branch: baseBranch, files: { image: 'shop:3\n' } });
        const headSha = await make(good, [bad]);
        const pull = await open({ headBranch: branch(), headSha, baseBranch });
        await fails('conflict', merge(pull, headSha));
        expect(origin.sha(baseBranch)).toBe(later);
      });

      it('is not made of commits that are not there, or of anything else', async () => {
        await fails('not-found', make('d'.repeat(40), [verified]));
        await fails('not-found', make(verified, ['d'.repeat(40)]));
        await fails('rejected', make('HEAD', [verified]));
        await fails('rejected', make(verified, []));
        await fails('rejected', make(verified, [verified], { branch: 'a..b' }));
        await fails('rejected', make(verified, [verified], { at: 'yesterday' }));
        await fails(
          'not-found',
          host.createCommit(world.missing, { branch: 'b', parents: [verified], treeOf: verified, message, at }),
        );
        expect(origin.sha(branch())).toBeUndefined();
      });
    });

    describe('opening', () => {
      it('opens a pull request whose head is exactly the verified commit', async () => {
        origin.commit({ branch: STAGING, files: { later: `${round}` } });
        const pull = await open();
        expect(pull).toMatchObject({ state: 'open', ...wanted });
        expect(pull.mergeSha).toBeUndefined();
        expect(Date.parse(pull.createdAt)).toBeGreaterThan(Date.now() - 60_000);
        expect(origin.sha(wanted.headBranch)).toBe(verified);
        expect(settled(await host.readPullRequest(repository, pull.number))).toEqual(settled(pull));
      });

      it('answers the one that is open already', async () => {
        const first = await open();
        const second = await open();
        expect(settled(second)).toEqual(settled(first));
        expect(await found()).toHaveLength(1);
      });

      it('opens one pull request when asked several times at once', async () => {
        const pulls = await Promise.all([open(), open(), open()]);
        expect(new Set(pulls.map(({ number }) => number)).size).toBe(1);
        expect(await found()).toHaveLength(1);
      });

      it('moves an existing head branch to the verified commit', async () => {
        const pull = await open();
        const newer = origin.commit({ branch: STAGING, files: { newer: `${round}` } });
        const moved = await open({ headSha: newer });
        expect(moved.number).toBe(pull.number);
        expect(moved.headSha).toBe(newer);
        expect(origin.sha(wanted.headBranch)).toBe(newer);
        expect((await host.readPullRequest(repository, pull.number)).headSha).toBe(newer);
      });

      it('refuses to open one that would bring nothing', async () => {
        await fails('rejected', open({ headSha: origin.sha(PRODUCTION) ?? '' }));
        expect(origin.sha(wanted.headBranch)).toBeUndefined();
      });

      it('refuses an unknown commit and an unknown base', async () => {
        await failsWithOneOf(['not-found', 'rejected'], open({ headSha: 'd'.repeat(40) }));
        await failsWithOneOf(['not-found', 'rejected'], open({ baseBranch: 'stage/nowhere' }));
        expect(await found()).toEqual([]);
      });

      it('finds open pull requests by the prefix of their branch and by their base', async () => {
        origin.git('branch', '--force', `stage/other-${round}`, 'main');
        const pull = await open();
        const other = await open({ headBranch: `${wanted.headBranch}-other` });
        await open({ baseBranch: `stage/other-${round}` });
        await open({ headBranch: `someone/${round}` });
        expect((await found()).map(({ number }) => number).sort()).toEqual([pull.number, other.number].sort());
      });
    });

    describe('changing', () => {
      it('changes title and body', async () => {
        const pull = await open();
        const change = { title: 'Another title', body: 'Another body' };
        const changed = settled({ ...pull, ...change });
        expect(settled(await host.updatePullRequest(repository, pull.number, change))).toEqual(changed);
        expect(settled(await host.readPullRequest(repository, pull.number))).toEqual(changed);
      });

      it('asks for no right to change what is unchanged', async () => {
        const pull = await open();
        const { title, body } = wanted;
        const answer = await host.updatePullRequest(repository, pull.number, { title, body }, { guard: refuse });
        expect(settled(answer)).toEqual(settled(pull));
      });

      it('closes a pull request and deletes its branch', async () => {
        const pull = await open();
        const closed = await host.closePullRequest(repository, pull.number, 'Superseded by a newer change.');
        expect(closed).toMatchObject({ number: pull.number, state: 'closed', headSha: verified });
        expect(origin.sha(wanted.headBranch)).toBeUndefined();
        expect(await found()).toEqual([]);
        expect((await host.readPullRequest(repository, pull.number)).endedBy).toBeTruthy();
      });

      it('leaves a closed one as it is when it is closed again', async () => {
        const pull = await open();
        await host.closePullRequest(repository, pull.number, 'Superseded.');
        const before = await host.readPullRequest(repository, pull.number);
        expect(await host.closePullRequest(repository, pull.number, 'Superseded.', { guard: refuse })).toEqual(before);
      });

      it('opens a new one after one was closed', async () => {
        const pull = await open();
        await host.closePullRequest(repository, pull.number, 'Wait.');
        expect((await open()).number).not.toBe(pull.number);
      });
    });

    describe('merging', () => {
      it('merges by a merge commit with the message that was given', async () => {
        const before = origin.sha(PRODUCTION);
        const pull = await open();
        const merged = await merge(pull);
        expect(merged).toMatchObject({ number: pull.number, state: 'merged', headSha: verified });
        expect(merged.endedBy).toBeTruthy();
        expect(origin.sha(PRODUCTION)).toBe(merged.mergeSha);
        expect(parentsOf(merged.mergeSha)).toEqual([before, verified]);
        expect(await host.commitMessage(repository, merged.mergeSha ?? '')).toBe(
          `Promote shop (#${pull.number})\n\nIt passed.\n\nLynceus-Context: c1\nLynceus-Revision: ${verified}`,
        );
        expect(await host.contains(repository, PRODUCTION, verified)).toBe(true);
        expect(origin.sha(wanted.headBranch)).toBeUndefined();
      });

      it('answers a merged one as it is, without merging again', async () => {
        const pull = await open();
        const merged = await merge(pull);
        const again = await host.mergePullRequest(
          repository,
          pull.number,
          { expectedHeadSha: verified, message: 'Twice', by: 'eve' },
          { guard: refuse },
        );
        expect(again.mergeSha).toBe(merged.mergeSha);
        expect(origin.sha(PRODUCTION)).toBe(merged.mergeSha);
      });

      it('merges once when asked several times at once', async () => {
        const pull = await open();
        const answers = await Promise.allSettled([merge(pull), merge(pull), merge(pull)]);
        expect(answers.some(({ status }) => status === 'fulfilled')).toBe(true);
        expect((await host.readPullRequest(repository, pull.number)).state).toBe('merged');
        expect(mergesOf(verified)).toBe(1);
      });

      it('refuses to merge a head that is not the one that was verified', async () => {
        const pull = await open();
        const before = origin.sha(PRODUCTION);
        const slipped = origin.commit({ branch: wanted.headBranch, files: { slipped: 'in' } });
        await fails('conflict', merge(pull));
        expect(origin.sha(PRODUCTION)).toBe(before);
        expect(await host.readPullRequest(repository, pull.number)).toMatchObject({ state: 'open', headSha: slipped });
      });

      it('refuses to merge what conflicts, and leaves all as it was', async () => {
        const baseBranch = `stage/conflict-${round}`;
        origin.git('branch', baseBranch, 'main');
        const pull = await open({ baseBranch });
        const before = origin.commit({ branch: baseBranch, files: { [`app-${round}.yaml`]: 'image: shop:hotfix\n' } });
        await fails('conflict', merge(pull));
        expect(origin.sha(baseBranch)).toBe(before);
        expect((await host.readPullRequest(repository, pull.number)).state).toBe('open');
      });

      it('keeps what others pushed to the base meanwhile', async () => {
        const pull = await open();
        const hotfix = origin.commit({ branch: PRODUCTION, files: { [`hotfix-${round}`]: 'x' } });
        const merged = await merge(pull);
        expect(parentsOf(merged.mergeSha)).toEqual([hotfix, verified]);
      });

      it('refuses to merge a closed one', async () => {
        const pull = await open();
        await host.closePullRequest(repository, pull.number, 'No.');
        await fails('conflict', merge(pull));
      });
    });

    const now = (): Round => ({ world, host, repository, origin, round, verified, open, fails, refuse });
    gitHostCapabilities(now);
    gitHostFiles(now);
    gitHostDiscussion(now);
    gitHostPeople(now);
    gitHostMergeWhenReady(now);

    describe('in trouble', () => {
      it('changes nothing once it is no longer entitled to', async () => {
        const pull = await open();
        const { number } = pull;
        const newer = origin.commit({ branch: STAGING, files: { newer: `${round}` } });
        const before = origin.git('for-each-ref');
        const guarded = { guard: refuse };
        const attempts = [
          () => host.openPullRequest(repository, { ...wanted, headBranch: `lynceus/new-${round}` }, guarded),
          () =>
            host.createCommit(
              repository,
              { branch: `b-${round}`, parents: [newer], treeOf: verified, message: 'm', at: '2026-03-02T10:00:00Z' },
              guarded,
            ),
          () => host.openPullRequest(repository, { ...wanted, headSha: newer }, guarded),
          () => host.updatePullRequest(repository, number, { title: 'x', body: 'y' }, guarded),
          () => host.closePullRequest(repository, number, 'why', guarded),
          () =>
            host.mergePullRequest(repository, number, { expectedHeadSha: verified, message: 'm', by: 'b' }, guarded),
        ];
        for (const attempt of attempts) await fails('cancelled', attempt());
        expect(origin.git('for-each-ref')).toBe(before);
        expect(settled(await host.readPullRequest(repository, number))).toEqual(settled(pull));
      });

      it('gives up when it is told to', async () => {
        const signal = AbortSignal.abort();
        await fails('cancelled', host.resolve(repository, STAGING, { signal }));
        await fails('cancelled', host.openPullRequest(repository, wanted, { signal }));
        expect(origin.sha(wanted.headBranch)).toBeUndefined();
      });

      it('says that a repository or a pull request does not exist', async () => {
        await fails('not-found', host.readFile(world.missing, verified, 'README.md').then(refuseNothing));
        await fails('not-found', host.readPullRequest(repository, 99_999));
        await fails('not-found', host.openPullRequest(world.missing, wanted));
      });

      it('says that a host cannot be reached', async () => {
        const { unreachable } = world;
        await fails('unavailable', unreachable.host.resolve(unreachable.repository, STAGING));
        await fails('unavailable', unreachable.host.openPullRequest(unreachable.repository, wanted));
      });

      it('serves what it is configured for, and nothing else', () => {
        expect(host.serves(repository)).toBe(true);
        for (const url of ['', 'https://elsewhere.example/a/b', '--upload-pack=x', 'ext::sh -c id', '/', 'a b']) {
          expect(host.serves({ url })).toBe(false);
        }
      });
    });

    function found(): Promise<PullRequest[]> {
      const headPrefix = `lynceus/podtato/shop/production/${round}-`;
      return host.findOpenPullRequests(repository, { headPrefix, baseBranch: PRODUCTION });
    }

    function parentsOf(sha: string | undefined): string[] {
      return origin
        .git('rev-list', '--parents', '--max-count=1', sha ?? '')
        .split(' ')
        .slice(1);
    }

    /** How many commits on the base have this one as their second parent. */
    function mergesOf(sha: string): number {
      const lines = origin.git('rev-list', '--parents', PRODUCTION).split('\n');
      return lines.filter((line) => line.split(' ')[2] === sha).length;
    }

    function fails(reason: FailureReason, work: Promise<unknown>): Promise<void> {
      return failsWithOneOf([reason], work);
    }

    async function failsWithOneOf(reasons: FailureReason[], work: Promise<unknown>): Promise<void> {
      const error = await work.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(AdapterError);
      const { reason, message } = error as AdapterError;
      expect(reasons, message).toContain(reason);
      expect(message).not.toContain(world.secret);
      expect(message).not.toMatch(/undefined|\[object/);
    }
  });
}

/** Without what a host works out a moment later. */
export function settled({ mergeable: _mergeable, blockedBy: _blockedBy, ...rest }: PullRequest): PullRequest {
  return rest;
}

function refuse(): never {
  throw new AdapterError('cancelled', 'the lease has ended');
}

/** A missing repository may be told apart from a missing file or not, but must never be an answer with text. */
function refuseNothing(answer: string | undefined): never {
  throw new AdapterError(answer === undefined ? 'not-found' : 'bad-response', 'no such repository');
}
