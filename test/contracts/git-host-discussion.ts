import { describe, expect, it } from 'vitest';
import type { CommitStatus } from '../../src/promotion/people.ts';
import type { Round } from './git-host.ts';

const MARKER = '<!-- lynceus:story -->';

/** Comments, labels, requests for review and marks on commits, for hosts that declare them. */
export function gitHostDiscussion(now: () => Round): void {
  const put = (number: number, body: string, options = {}) =>
    now().host.putComment?.(now().repository, number, { marker: MARKER, body: `${MARKER}\n${body}` }, options) ??
    Promise.reject(new Error('no putComment'));
  const comments = async (number: number) => (await now().host.readComments?.(now().repository, number)) ?? [];

  describe('commenting', () => {
    it('writes one comment and changes it from then on', async ({ skip }) => {
      skip(!now().host.capabilities.comments, 'the host declares no comments');
      const { number } = await now().open();
      await put(number, 'It is **checked**: ünïcode');
      const [first, ...others] = await comments(number);
      expect(others).toEqual([]);
      expect(first?.body).toBe(`${MARKER}\nIt is **checked**: ünïcode`);
      expect(Date.parse(first?.at ?? '')).toBeGreaterThan(Date.now() - 60_000);
      expect(first?.by.id).not.toBe('');
      await put(number, 'It passed.');
      const after = await comments(number);
      expect(after.map(({ id, body }) => [id, body])).toEqual([[first?.id, `${MARKER}\nIt passed.`]]);
    });

    it('asks for no right to write what stands there', async ({ skip }) => {
      skip(!now().host.capabilities.comments, 'the host declares no comments');
      const { number } = await now().open();
      await put(number, 'It passed.');
      await put(number, 'It passed.', { guard: now().refuse });
      await now().fails('cancelled', put(number, 'It failed.', { guard: now().refuse }));
      expect((await comments(number)).map(({ body }) => body)).toEqual([`${MARKER}\nIt passed.`]);
    });

    it('keeps two markers apart', async ({ skip }) => {
      skip(!now().host.capabilities.comments, 'the host declares no comments');
      const { number } = await now().open();
      await put(number, 'one');
      const other = { marker: '<!-- lynceus:other -->', body: '<!-- lynceus:other -->\ntwo' };
      await now().host.putComment?.(now().repository, number, other);
      await put(number, 'one again');
      expect((await comments(number)).map(({ body }) => body)).toEqual([`${MARKER}\none again`, other.body]);
    });

    it('takes no comment of somebody else for its own', async ({ skip }) => {
      const { world, host } = now();
      skip(!host.capabilities.comments, 'the host declares no comments');
      skip(world.commentAs === undefined, 'nobody else comments on this host');
      const { number } = await now().open();
      await world.commentAs?.('mallory', number, `${MARKER}\nApproved, trust me.`);
      await put(number, 'It failed.');
      const found = await comments(number);
      expect(found.map(({ body }) => body)).toEqual([`${MARKER}\nApproved, trust me.`, `${MARKER}\nIt failed.`]);
      expect(found[0]?.by.login).toBe('mallory');
      expect(found[0]?.by.id).not.toBe(found[1]?.by.id);
    });

    it('tells whether a comment was changed after it was written', async ({ skip }) => {
      const { world, host } = now();
      skip(!host.capabilities.comments, 'the host declares no comments');
      skip(world.commentAs === undefined || world.editComment === undefined, 'nobody else comments on this host');
      const { number } = await now().open();
      const id = await world.commentAs?.('grace', number, '/lynceus hold');
      const before = await comments(number);
      await world.editComment?.(number, id ?? '', '/lynceus override because');
      const [after] = await comments(number);
      expect(before.map((one) => one.id)).toEqual([id]);
      expect(after).toMatchObject({ id, body: '/lynceus override because', edited: true });
    });

    it('reads the newest of very many comments, oldest first', async ({ skip }) => {
      const { world, host } = now();
      skip(!host.capabilities.comments, 'the host declares no comments');
      skip(world.commentAs === undefined, 'nobody else comments on this host');
      const { number } = await now().open();
      await put(number, 'first');
      for (let at = 1; at <= 205; at += 1) await world.commentAs?.('grace', number, `word ${at}`);
      const found = await comments(number);
      expect(found.at(-1)?.body).toBe('word 205');
      expect(found.at(-2)?.body).toBe('word 204');
      expect(found).toHaveLength(206);
      await put(number, 'still the same one');
      expect(await comments(number)).toHaveLength(206);
    });

    it('says that there is no such pull request', async ({ skip }) => {
      skip(!now().host.capabilities.comments, 'the host declares no comments');
      await now().fails('not-found', put(99_999, 'x'));
      await now().fails('not-found', comments(99_999));
    });
  });

  describe('labels', () => {
    const change = (number: number, add: string[], remove: string[], options = {}) =>
      now().host.changeLabels?.(now().repository, number, { add, remove }, options) ?? Promise.reject(new Error());
    const labels = async (number: number) =>
      (await now().host.readPullRequest(now().repository, number)).labels?.toSorted();

    it('are added and taken away, others stay', async ({ skip }) => {
      skip(!now().host.capabilities.labels, 'the host declares no labels');
      const { number } = await now().open();
      await change(number, ['lynceus', 'risk: high'], []);
      expect(await labels(number)).toEqual(['lynceus', 'risk: high']);
      await change(number, ['risk: low'], ['risk: high', 'never there']);
      expect(await labels(number)).toEqual(['lynceus', 'risk: low']);
    });

    it('need no right when they are as wanted', async ({ skip }) => {
      skip(!now().host.capabilities.labels, 'the host declares no labels');
      const { number } = await now().open();
      await change(number, ['lynceus'], []);
      await change(number, ['lynceus'], ['other'], { guard: now().refuse });
      await now().fails('cancelled', change(number, ['more'], [], { guard: now().refuse }));
      await now().fails('cancelled', change(number, [], ['lynceus'], { guard: now().refuse }));
      expect(await labels(number)).toEqual(['lynceus']);
    });
  });

  describe('asking for reviews', () => {
    it('asks people and groups, and says who cannot be asked', async ({ skip }) => {
      const { host, repository, world } = now();
      skip(!host.capabilities.reviewRequests, 'the host declares no requests for review');
      const { reviewers } = world;
      if (reviewers === undefined) throw new Error('the world of a host with review requests needs reviewers');
      const groups = reviewers.group === undefined ? [] : [reviewers.group];
      const { number } = await now().open();
      const wanted = { users: [reviewers.user, 'nobody-knows-me'], groups };
      expect(await host.requestReviewers?.(repository, number, wanted)).toEqual({ notAsked: ['nobody-knows-me'] });
      const asked = await reviewers.asked(number);
      expect(asked.toSorted()).toEqual([reviewers.user, ...groups].toSorted());
      // Told with the pull request, where its answer names them as people and policies do.
      const told = (await host.readPullRequest(repository, number)).asked;
      expect(told?.people).toEqual([reviewers.user]);
      // Azure DevOps names groups in more than one way.
      expect(groups).toEqual(expect.arrayContaining(told?.groups ?? []));
      await host.requestReviewers?.(repository, number, { users: [reviewers.user], groups }, { guard: now().refuse });
      expect(await reviewers.asked(number)).toEqual(asked);
    });

    it('asks nobody without the right to', async ({ skip }) => {
      const { host, repository, world } = now();
      skip(!host.capabilities.reviewRequests, 'the host declares no requests for review');
      const { number } = await now().open();
      const wanted = { users: [world.reviewers?.user ?? ''], groups: [] };
      const asking = host.requestReviewers?.(repository, number, wanted, { guard: now().refuse });
      await now().fails('cancelled', asking ?? Promise.resolve());
      expect(await world.reviewers?.asked(number)).toEqual([]);
    });
  });

  describe('marking commits', () => {
    const status = (change: Partial<CommitStatus> = {}): CommitStatus => ({
      name: 'lynceus/evaluation',
      state: 'pending',
      description: 'waits for 5 min of metrics',
      url: 'https://lynceus.example/sequences/1',
      ...change,
    });
    const set = (wanted: CommitStatus, sha = now().verified, options = {}) =>
      now().host.setStatus?.(now().repository, sha, wanted, options) ?? Promise.reject(new Error('no setStatus'));

    it('marks a commit, and changes the mark', async ({ skip }) => {
      const { host, world, verified } = now();
      skip(!host.capabilities.statuses, 'the host declares no statuses');
      await set(status());
      await set(status({ name: 'lynceus/window', state: 'success', description: 'open' }));
      await set(status({ state: 'failure', description: 'score 61, at least 80 wanted' }));
      const found = (await world.statusesOf?.(verified)) ?? [];
      expect(found.map(({ name, state, description }) => `${name} ${state} ${description}`).toSorted()).toEqual([
        'lynceus/evaluation failure score 61, at least 80 wanted',
        'lynceus/window success open',
      ]);
    });

    it('is a mark on this commit alone', async ({ skip }) => {
      const { host, world, origin } = now();
      skip(!host.capabilities.statuses, 'the host declares no statuses');
      await set(status());
      expect(await world.statusesOf?.(origin.sha('main') ?? '')).toEqual([]);
    });

    it('needs a right, and a commit', async ({ skip }) => {
      const { host, world, verified, fails, refuse } = now();
      skip(!host.capabilities.statuses, 'the host declares no statuses');
      await fails('cancelled', set(status(), verified, { guard: refuse }));
      expect(await world.statusesOf?.(verified)).toEqual([]);
      await fails('rejected', set(status(), 'main'));
      const unknown = set(status(), 'e'.repeat(40));
      expect(['not-found', 'rejected']).toContain(await unknown.catch((error: { reason: string }) => error.reason));
    });
  });
}
