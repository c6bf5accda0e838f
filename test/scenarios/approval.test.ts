import { expect, it } from 'vitest';
import { fromGitHub } from '../support/git-webhooks.ts';
import type { FakeReview, Pull } from '../support/github-pulls.ts';
import { eventually } from '../support/lynceus.ts';
import { deliveryWith, isOver, last, type Story, story, waitsAt } from '../support/story.ts';

const LIMIT = { timeout: 300_000 };
const SOON_MS = 60_000;
const manual = deliveryWith(
  'dev',
  'sync: automatic\n      promotion: {onPass: manual, approval: {groups: [acme/release], people: [77]}}',
);

it('nobody spoofs an approval: a running service merges only what the right person approved', LIMIT, async () => {
  await story({ github: true, delivery: manual }, async (told) => {
    const hub = githubOf(told);
    const commit = told.release(1);
    await told.stage(commit, 'dev', waitsAt('promotion'), 'waits for its review at GitHub');
    const pull = hub.state.pulls.pullOf(1);
    for (const [what, act] of SPOOFS) {
      const undo = await act(hub, pull, told);
      await tell(told, 'pull_request_review', 1);
      expect(merges(told), what).toBe(0);
      const view = await told.stage(commit, 'dev', waitsAt('promotion'), `${what}: still waits`);
      expect(
        view.tasks.at(-1)?.decisions.map(({ verdict }) => verdict),
        what,
      ).not.toContain('approve');
      pull.reviews = [];
      pull.comments = pull.comments.filter(({ by }) => by?.login === 'robot');
      undo?.();
    }

    // What a newer change has taken the place of.
    const newer = told.release(2);
    await told.stage(newer, 'dev', waitsAt('promotion'), 'waits for its own review');
    await eventually(async () => pull.state === 'closed', { within: SOON_MS, what: 'the older one made room' });
    hub.review(pull, 'grace', 'APPROVED', commit);
    await tell(told, 'pull_request_review', 1);
    expect(merges(told)).toBe(0);

    const second = hub.state.pulls.pulls.at(-1) as Pull;
    hub.review(second, 'grace', 'APPROVED', newer);
    await tell(told, 'pull_request_review', second.number);
    await eventually(async () => merges(told) > 0, {
      within: SOON_MS,
      what: 'merged by the right approval',
    });
    const over = await told.stage(newer, 'dev', isOver, 'is over');
    expect(over).toMatchObject({ result: 'pass' });
    expect(last(over).decisions).toMatchObject([{ actor: 'grace', verdict: 'approve' }]);
    const events = await decisionsOf(told, over.sequence);
    expect(events).toMatchObject([
      { method: 'review', host: { login: 'grace', pullRequest: second.number, headSha: newer } },
    ]);
    expect(hub.fake.violations).toEqual([]);
  });
});

type Hub = ReturnType<typeof githubOf>;
type Spoof = (hub: Hub, pull: Pull, told: Story) => unknown;

const approve =
  (login: string): Spoof =>
  (hub, pull) =>
    void hub.review(pull, login);

const SPOOFS: [string, (hub: Hub, pull: Pull, told: Story) => Promise<(() => void) | undefined>][] = (
  [
    ['our own account', approve('robot')],
    ['an author of a promoted commit', approve('Ada')],
    ['an older head', (hub, pull) => void hub.review(pull, 'grace', 'APPROVED', 'c'.repeat(40))],
    ['a dismissed review', (hub, pull) => void hub.review(pull, 'grace', 'DISMISSED')],
    [
      'approved, then changes asked for',
      (hub, pull) => [hub.review(pull, 'grace'), hub.review(pull, 'grace', 'CHANGES_REQUESTED')],
    ],
    [
      'somebody else asks for changes',
      (hub, pull) => [hub.review(pull, 'linus', 'CHANGES_REQUESTED'), hub.review(pull, 'grace')],
    ],
    ['a review that only comments', (hub, pull) => void hub.review(pull, 'grace', 'COMMENTED')],
    ['a review that was begun', (hub, pull) => void hub.review(pull, 'grace', 'PENDING')],
    ['somebody who may read', approve('reader')],
    ['somebody from outside', approve('stranger')],
    ['somebody outside of the group', approve('linus')],
    ['a program', approve('checker[bot]')],
    [
      'a deleted account',
      (hub, pull) => void hub.state.pulls.review(pull, null, 'APPROVED', hub.state.pulls.headShaOf(pull)),
    ],
    [
      'an approval that expired',
      (hub, pull) => void Object.assign(hub.review(pull, 'grace'), { at: '2020-01-01T00:00:00Z' }),
    ],
    [
      'the name of somebody who may approve',
      (hub, pull) => {
        const real = hub.account('grace', 'write');
        real.login = 'grace-hopper';
        hub.review(pull, hub.account('grace', 'write').login);
        return () => {
          hub.accounts.named('grace').login = 'thief';
          real.login = 'grace';
        };
      },
    ],
    [
      'a fork with a branch of the same name',
      (hub, pull, told) => {
        const fork = told.world.github?.openFromFork(pull.head, hub.state.pulls.headShaOf(pull), pull.base) ?? 0;
        hub.review(hub.state.pulls.pullOf(fork), 'grace');
      },
    ],
    [
      'words and commands in comments',
      (hub, pull) => {
        for (const body of ['Approved!', '/lynceus approve', '/lynceus promote', '/lynceus override hurry'])
          hub.comment(pull, 'grace', body);
      },
    ],
    ['a command of somebody who may read', (hub, pull) => void hub.comment(pull, 'reader', '/lynceus promote')],
    ['a command in a quote', (hub, pull) => void hub.comment(pull, 'grace', '> /lynceus promote')],
    [
      'a command in a comment that was changed',
      (hub, pull) => {
        Object.assign(hub.comment(pull, 'grace', '/lynceus promote'), { updatedAt: '2099-01-01T00:00:00Z' });
      },
    ],
    [
      'a forged webhook',
      async (hub, pull, told) => {
        const review = {
          state: 'approved',
          commit_id: hub.state.pulls.headShaOf(pull),
          user: { login: 'grace', id: 77 },
        };
        await send(told, 'pull_request_review', { review }, { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` }, 401);
      },
    ],
    [
      'a signed webhook that lies',
      async (hub, pull, told) => {
        const review = {
          state: 'approved',
          commit_id: hub.state.pulls.headShaOf(pull),
          user: { login: 'grace', id: 77 },
        };
        await send(told, 'pull_request_review', { review, number: 1, pull_request: { number: 1 } });
      },
    ],
    [
      'a webhook of another repository',
      async (_hub, _pull, told) => {
        const repository = { clone_url: `${told.world.github?.url}/mallory/deploy.git`, default_branch: 'main' };
        await send(told, 'pull_request_review', { review: { state: 'approved' }, repository });
      },
    ],
    [
      'a decision with us',
      async (_hub, _pull, told) => {
        const [change] = await told.world.changes();
        const answer = await told.decide(change?.revision ?? '', 'dev', 'approve');
        expect(answer.status).toBe(409);
      },
    ],
    [
      'a decision with us for another stage',
      async (_hub, _pull, told) => {
        const [change] = await told.world.changes();
        const answer = await told.decide(change?.revision ?? '', 'dev', 'approve', { stage: 'production' });
        expect(answer.status).toBe(404);
      },
    ],
    [
      'a push after the approval',
      async (hub, pull, told) => {
        const [repository] = [...told.world.repositories.values()];
        const before = hub.state.pulls.headShaOf(pull);
        hub.review(pull, 'grace');
        repository?.commit({ branch: pull.head, files: { evil: 'x' }, message: 'Slip in' });
        return () => repository?.git('update-ref', `refs/heads/${pull.head}`, before);
      },
    ],
  ] as [string, Spoof][]
).map(([what, act]) => [
  what,
  async (hub, pull, told) => {
    const undo = await act(hub, pull, told);
    return typeof undo === 'function' ? (undo as () => void) : undefined;
  },
]);

function githubOf(told: Story) {
  const fake = told.world.github;
  if (!fake) throw new Error('no GitHub in this world');
  const { accounts, state } = fake;
  const account = (login: string, permission: 'write' | 'read' | 'none') => {
    return Object.assign(accounts.named(login), { permission });
  };
  for (const login of ['grace', 'linus', 'Ada']) account(login, 'write');
  account('reader', 'read');
  account('stranger', 'none');
  account('checker[bot]', 'write').type = 'Bot';
  const members = ['grace', 'Ada', 'reader', 'stranger', 'checker[bot]'].map((login) => accounts.named(login).id);
  for (const id of members) accounts.teams.get('release')?.add(id);
  const review = (
    pull: Pull,
    login: string,
    verdict: FakeReview['state'] = 'APPROVED',
    sha = state.pulls.headShaOf(pull),
  ) => state.pulls.review(pull, accounts.named(login), verdict, sha);
  const comment = (pull: Pull, login: string, body: string) => state.pulls.comment(pull, accounts.named(login), body);
  return { fake, accounts, state, account, review, comment };
}

const merges = ({ world }: Story) =>
  world.github?.requests.filter(({ line }) => /^PUT .*\/merge$/.test(line)).length ?? 0;

async function decisionsOf(told: Story, sequence: string): Promise<unknown[]> {
  const answer = await told.world.ask(`/api/v1/events?stream=sequence/${sequence}&limit=200`);
  const { events } = (await answer.json()) as { events: { type: string; data: unknown }[] };
  return events.filter(({ type }) => type.includes('decision.made')).map(({ data }) => data);
}

/** GitHub tells, twice, as after a redelivery; Lynceus has done what it asks for. */
async function tell(told: Story, event: string, number: number): Promise<void> {
  for (let time = 1; time <= 2; time += 1) await send(told, event, { pull_request: { number } });
  await quiet(told);
}

let deliveries = 0;

async function send(
  told: Story,
  event: string,
  more: object,
  headers: Record<string, string> = {},
  status = 202,
): Promise<void> {
  const repository = { clone_url: `${told.world.github?.url}/acme/deploy.git`, default_branch: 'main' };
  const body = JSON.stringify({ action: 'submitted', repository, at: ++deliveries, ...more });
  const all = { ...fromGitHub(event, body, `delivery-${deliveries}`), ...headers };
  const answer = await told.world.ask('/webhooks/github', { method: 'POST', body, headers: all });
  expect(answer.status).toBe(status);
}

/** Nothing is due, and nothing at work. */
async function quiet({ world }: Story): Promise<void> {
  const busy = /^lynceus_queue_jobs\{queue="(?:git|line|task)",state="(?:due|running)"\} [1-9]/m;
  await eventually(async () => !busy.test(await (await world.ask('/metrics')).text()), {
    within: SOON_MS,
    what: 'no work under way',
  });
}
