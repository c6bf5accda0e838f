import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BareRepository, createBareRepository } from '../../../examples/sandbox/git.ts';
import type { GitHost } from '../../../src/adapters/git-hosts/git-host.ts';
import { gitlab } from '../../../src/adapters/git-hosts/gitlab.ts';
import { AdapterError } from '../../../src/base/adapter-error.ts';
import { Secret } from '../../../src/base/secret.ts';
import { gitHostContract } from '../../contracts/git-host.ts';
import { fakeForgeWorld } from '../../support/fake-host-world.ts';
import { type FakeGitLab, startFakeGitLab } from '../../support/gitlab.ts';

const TOKEN = 'glpat-canary-5e2f';
const cacheDir = mkdtempSync(join(tmpdir(), 'lynceus-cache-'));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

gitHostContract('GitLab', async () => {
  const origin = createBareRepository();
  const fake = await startFakeGitLab(origin, TOKEN);
  const states = { pending: 'pending', success: 'success', failed: 'failure' } as const;
  return fakeForgeWorld({
    fake,
    origin,
    createHost,
    secret: TOKEN,
    group: 'acme/release',
    people: { approve: fake.approve, takeBack: fake.unapprove },
    changes: {
      protect: (branch) => void fake.state.guarded.add(branch),
      satisfy: fake.satisfy,
      statusesOf: (sha) =>
        (fake.pulls.statuses.get(sha) ?? []).map(({ name, state, description, url }) => ({
          ...{ name, description, url, state: states[state as keyof typeof states] },
        })),
      // GitLab asks people, and no groups.
      reviewers: {
        user: 'reviewer',
        asked: (number) => fake.pulls.pullOf(number).asked.map(({ login }) => login),
      },
    },
  });
});

describe('GitLab', () => {
  let origin: BareRepository;
  let fake: FakeGitLab;
  let host: GitHost;
  let verified: string;
  let repository: { url: string };

  beforeEach(async () => {
    origin = createBareRepository();
    fake = await startFakeGitLab(origin, TOKEN);
    host = createHost(fake.url);
    repository = { url: `${fake.url}/acme/deploy.git` };
    origin.commit({ branch: 'main', files: { a: '1\n' } });
    origin.git('branch', 'stage', 'main');
    verified = origin.commit({ branch: 'main', files: { a: '2\n' } });
  });
  afterEach(async () => {
    await fake.close();
    origin.remove();
    expect(fake.unknown).toEqual([]);
  });

  const open = (headBranch = 'lynceus/x', body = 'b') =>
    host.openPullRequest(repository, { headBranch, headSha: verified, baseBranch: 'stage', title: 't', body });
  const merge = (number: number) =>
    host.mergePullRequest(repository, number, { expectedHeadSha: verified, message: 'Promote\n\nwhy', by: 'grace' });
  const approvals = async (number: number) =>
    ((await host.readReviews?.(repository, number)) ?? []).map(({ by, headSha }) => ({ login: by.login, headSha }));
  const asked = (work: () => Promise<unknown>) => {
    fake.requests.length = 0;
    return work().then(() => fake.requests);
  };

  it('serves projects in groups of groups, by HTTP and by SSH', () => {
    const own = create('https://git.example.com/lab/');
    expect(own.serves({ url: 'https://git.example.com/lab/acme/shop/eu/deploy.git' })).toBe(true);
    expect(own.serves({ url: 'git@git.example.com:acme/shop/deploy.git' })).toBe(true);
    expect(own.serves({ url: 'https://git.example.com/lab/acme' })).toBe(false);
    expect(own.serves({ url: 'https://git.example.com/lab/acme/-/deploy' })).toBe(false);
    const cloud = create(undefined);
    expect(cloud.serves({ url: 'https://gitlab.com/acme/shop/deploy' })).toBe(true);
    expect(cloud.serves({ url: 'ssh://git@altssh.gitlab.com:443/acme/shop/deploy.git' })).toBe(true);
  });

  it('never takes the merge request of a fork for one of ours', async () => {
    const by = fake.accounts.named('mallory');
    fake.pulls.add({ head: 'lynceus/x', base: 'stage', title: 't', body: '', by, forkSha: verified });
    expect(await host.findOpenPullRequests(repository, { headPrefix: 'lynceus/', baseBranch: 'stage' })).toEqual([]);
    expect((await open()).number).toBe(2);
    expect(await host.readPullRequest(repository, 1)).toMatchObject({ fork: true });
  });

  it('is not stopped by a merge request of others that has no head', async () => {
    const { number } = await open();
    const by = fake.accounts.named('mallory');
    fake.pulls.add({ head: 'gone', base: 'stage', title: 't', body: '', by });
    const found = await host.findOpenPullRequests(repository, { headPrefix: 'lynceus/', baseBranch: 'stage' });
    expect(found.map((pull) => pull.number)).toEqual([number]);
  });

  describe('an approval', () => {
    it('is of the commit that was the head when it was given', async () => {
      const { number } = await open();
      fake.approve('grace', number);
      const pushed = origin.commit({ branch: 'lynceus/x', files: { more: 'x' } });
      fake.refresh(number);
      fake.approve('ada', number);
      expect(await approvals(number)).toEqual([
        { login: 'grace', headSha: verified },
        { login: 'ada', headSha: pushed },
      ]);
    });

    it('is of the commit of its time also when GitLab tells the time only in its notes', async () => {
      fake.state.saysWhen = false;
      const { number } = await open();
      fake.approve('grace', number);
      fake.unapprove('grace', number);
      fake.approve('grace', number);
      fake.approve('ada', number);
      fake.unapprove('ada', number);
      expect(await approvals(number)).toEqual([{ login: 'grace', headSha: verified }]);
    });

    it('is none of somebody who asks for changes by now, whenever they became a reviewer', async () => {
      const { number } = await open();
      fake.approve('grace', number);
      fake.pulls.review(fake.pulls.pullOf(number), fake.accounts.named('grace'), 'rejected');
      const reviews = (await host.readReviews?.(repository, number)) ?? [];
      expect(reviews.map(({ verdict }) => verdict)).toEqual(['reject']);
    });

    it('is of no commit when nothing tells the time, whatever people write', async () => {
      fake.state.saysWhen = false;
      const { number } = await open();
      const grace = fake.accounts.named('grace');
      fake.pulls.review(fake.pulls.pullOf(number), grace, 'approved');
      fake.pulls.comment(fake.pulls.pullOf(number), grace, 'approved this merge request');
      expect(await approvals(number)).toEqual([{ login: 'grace', headSha: undefined }]);
    });

    it('is of no commit when it is as old as the first head', async () => {
      const { number } = await open();
      const review = fake.pulls.review(fake.pulls.pullOf(number), fake.accounts.named('grace'), 'approved');
      review.at = fake.pulls.pullOf(number).createdAt;
      expect(await approvals(number)).toEqual([{ login: 'grace', headSha: undefined }]);
    });

    it('of a program is one of a program, also when its name does not tell', async () => {
      const { number } = await open();
      fake.approve('renovate', number);
      fake.approve('project_12_bot_1f2e', number);
      fake.approve('grace', number);
      const reviews = (await host.readReviews?.(repository, number)) ?? [];
      expect(reviews.map(({ by }) => [by.login, by.bot])).toEqual([
        ['renovate', true],
        ['project_12_bot_1f2e', true],
        ['grace', false],
      ]);
    });

    it('of one commit is given anew for the next one', async () => {
      const { number } = await open();
      fake.accounts.named('grace').permission = 'write';
      const approve = (headSha: string) =>
        host.approvePullRequest?.(repository, number, {
          headSha,
          text: '',
          token: new Secret(fake.accounts.named('grace').token),
        });
      await approve(verified);
      const pushed = origin.commit({ branch: 'lynceus/x', files: { more: 'x' } });
      await approve(pushed);
      expect(await approvals(number)).toEqual([{ login: 'grace', headSha: pushed }]);
    });
  });

  it('gives nobody a right whose membership is blocked', async () => {
    const grace = fake.accounts.named('grace');
    grace.permission = 'admin';
    const body = { id: grace.id, username: 'grace', access_level: 50, state: 'blocked' };
    fake.fault = (line) => (line.includes('/members/') ? { status: 200, body } : undefined);
    const user = { id: String(grace.id), login: 'grace', bot: false };
    expect(await host.permission?.(repository, user)).toBe('none');
    expect(await host.isMember?.(repository, 'acme/release', user)).toBe(false);
  });

  it('writes no text that GitLab would run as a command', async () => {
    const body = 'All is well.\n/merge\n  /approve\nand/or /close\n';
    const pull = await open('lynceus/x', body);
    expect(pull.body).toBe('All is well.\n&#47;merge\n  &#47;approve\nand/or /close\n');
    const { number } = pull;
    expect(await asked(() => host.updatePullRequest(repository, number, { title: 't', body }))).toHaveLength(1);
    const comment = { marker: '<!-- m -->', body: '<!-- m -->\n/label ~evil' };
    await host.putComment?.(repository, number, comment);
    await host.putComment?.(repository, number, comment, { guard: () => expect.fail('nothing changed') });
    await host.closePullRequest(repository, number, '/unassign me');
    const words = fake.pulls.pullOf(number).comments.map((one) => one.body);
    expect(words).toEqual(['<!-- m -->\n&#47;label ~evil', '&#47;unassign me']);
  });

  it('leaves a mark that waits as it is, because GitLab refuses to write it again', async () => {
    const mark = {
      name: 'lynceus/window',
      state: 'pending',
      description: 'until 5',
      url: 'https://x.example',
    } as const;
    await host.setStatus?.(repository, verified, mark);
    await host.setStatus?.(repository, verified, { ...mark, description: 'until 6' });
    await host.setStatus?.(repository, verified, { ...mark, state: 'success', description: 'open' });
    expect(fake.pulls.statuses.get(verified)).toMatchObject([{ state: 'success', description: 'open' }]);
  });

  it('merges only the verified commit, and says so to GitLab itself', async () => {
    const { number } = await open();
    const before = origin.sha('stage');
    fake.fault = (line) => {
      // The branch moves between our look and our merge.
      if (line.endsWith('/merge')) origin.commit({ branch: 'lynceus/x', files: { slipped: 'in' } });
      return undefined;
    };
    expect(await failureOf(merge(number))).toMatchObject({ reason: 'conflict' });
    expect(origin.sha('stage')).toBe(before);
  });

  it('forgets that it shall merge when somebody pushes', async () => {
    const { number } = await open();
    fake.state.guarded.add('stage');
    await host.mergeWhenReady?.(repository, number, { expectedHeadSha: verified, message: 'm' });
    origin.commit({ branch: 'lynceus/x', files: { slipped: 'in' } });
    fake.satisfy(number);
    expect(await host.readPullRequest(repository, number)).toMatchObject({ state: 'open' });
  });

  it('merges once when the answer to the merge got lost', async () => {
    const { number } = await open();
    fake.fault = (line) => {
      if (!line.endsWith('/merge')) return undefined;
      fake.fault = undefined;
      return { status: 502, body: 'bad gateway', afterEffect: true };
    };
    expect(await merge(number)).toMatchObject({ state: 'merged' });
    expect(origin.git('rev-list', '--count', '--first-parent', 'stage')).toBe('2');
  });

  it('waits while GitLab still looks at what was pushed', async () => {
    const { number } = await open();
    let refusals = 2;
    fake.fault = (line) => {
      if (line.endsWith('/merge') && refusals > 0) return { status: 405, body: { message: '405 Method Not Allowed' } };
      if (!line.startsWith('GET') || refusals === 0) return undefined;
      refusals -= 1;
      return { status: 200, body: { ...mergeOf(verified), detailed_merge_status: 'checking' } };
    };
    expect(await merge(number)).toMatchObject({ state: 'merged' });
  });

  it('tells what is forbidden, what its rules hold back and what conflicts apart', async () => {
    const { number } = await open();
    const answers = (status: number) => {
      fake.fault = (line) => (line.endsWith('/merge') ? { status, body: { message: `${status}` } } : undefined);
      return failureOf(merge(number));
    };
    expect(await answers(401)).toMatchObject({ reason: 'forbidden', message: 'we may not merge into stage' });
    expect(await answers(406)).toMatchObject({ reason: 'conflict' });
    expect(await answers(422)).toMatchObject({ reason: 'conflict' });
    fake.state.guarded.add('stage');
    expect(await answers(405)).toMatchObject({
      reason: 'conflict',
      message: `merge request ${number} cannot be merged: ci must pass`,
    });
    expect(await host.readPullRequest(repository, number)).toMatchObject({ blockedBy: 'ci must pass' });
  });

  it('asks nothing before it may again, whichever way GitLab says so', async () => {
    const headers = { 'RateLimit-Reset': String(Math.floor(Date.now() / 1000) + 40) };
    fake.fault = () => ({ status: 429, headers, body: 'Retry later' });
    const refused = await failureOf(host.resolve(repository, 'main'));
    expect(refused.reason).toBe('rate-limited');
    expect(refused.retryAfterMs).toBeGreaterThan(35_000);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(40_000);
    fake.fault = undefined;
    expect(await asked(() => failureOf(host.resolve(repository, 'main')))).toEqual([]);
  });

  it('takes an answer that makes no sense for a failure', async () => {
    const { number } = await open();
    for (const body of ['[', '[]', 'null', '{"iid":1}', '{"state":"opened","sha":"main"}']) {
      fake.fault = () => ({ status: 200, body });
      expect(await failureOf(host.readPullRequest(repository, number)), body).toMatchObject({ reason: 'bad-response' });
      expect(await failureOf(merge(number)), body).toMatchObject({ reason: 'bad-response' });
    }
  });

  it('needs few calls', async () => {
    expect(await asked(() => open())).toHaveLength(4);
    expect(fake.gitRequests).toEqual([]);
    expect(await asked(() => host.readPullRequest(repository, 1))).toHaveLength(1);
    expect(await asked(() => approvals(1))).toHaveLength(2);
    expect(await asked(() => merge(1))).toHaveLength(2);
  });

  it('says how it is connected', async () => {
    expect(await host.diagnose?.()).toEqual([
      { level: 'ok', check: 'token', sentence: 'GitLab takes the token of robot' },
    ]);
    const soon = new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 10);
    fake.fault = (line) => (line.endsWith('/self') ? { status: 200, body: { expires_at: soon } } : undefined);
    expect(await host.diagnose?.()).toMatchObject([{}, { level: 'warning', sentence: `the token expires on ${soon}` }]);
    fake.fault = undefined;
    expect(await create(fake.url, 'another-token').diagnose?.()).toMatchObject([{ level: 'problem' }]);
  });
});

function mergeOf(sha: string) {
  const user = { id: 1_000, username: 'robot' };
  return {
    ...{ iid: 1, web_url: 'https://x.example', state: 'opened', title: 't', description: 'b', sha, labels: [] },
    ...{ created_at: '2026-03-02T10:00:00Z', source_branch: 'lynceus/x', target_branch: 'stage', author: user },
    ...{ source_project_id: 1, target_project_id: 1 },
  };
}

function createHost(url: string): GitHost {
  return create(url);
}

function create(url: string | undefined, token = TOKEN): GitHost {
  const config = { ...(url === undefined ? {} : { url }), token: { env: 'TOKEN' } };
  return gitlab.create('lab', config as never, { secret: () => new Secret(token), addresses: 'any', cacheDir });
}

async function failureOf(work: Promise<unknown>): Promise<AdapterError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AdapterError);
  return error as AdapterError;
}
