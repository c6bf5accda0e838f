import { describe, expect, it } from 'vitest';
import { fromGitHub } from '../support/git-webhooks.ts';
import { eventually } from '../support/lynceus.ts';
import { deliveryWith, isOver, type Story, story, waitsAt } from '../support/story.ts';

const LIMIT = { timeout: 120_000 };
/** Less than the minute after which GitHub is asked anyway. */
const AT_ONCE_MS = 40_000;
const manual = deliveryWith('dev', 'sync: automatic\n      promotion: {onPass: manual}');

describe('a webhook of GitHub', () => {
  it('about a review has the promotion merged at once, without waiting for the poll', LIMIT, async () => {
    await story({ github: true, delivery: manual }, async (told) => {
      const commit = told.release(1);
      await told.stage(commit, 'dev', waitsAt('promotion'), 'waits for its review at GitHub');
      await quiet(told);
      approve(told);
      const before = looks(told);
      await tell(told, 'pull_request_review', 1);
      await eventually(async () => merges(told) === 1, { within: AT_ONCE_MS, what: 'merged' });
      expect(looks(told)).toBeGreaterThan(before);
      expect(await told.stage(commit, 'dev', isOver, 'is over')).toMatchObject({ result: 'pass' });
      expect(told.world.github?.violations).toEqual([]);
    });
  });

  it('that lies makes it look, and nothing else', LIMIT, async () => {
    await story({ github: true, delivery: manual }, async (told) => {
      const commit = told.release(1);
      await told.stage(commit, 'dev', waitsAt('promotion'), 'waits for its review at GitHub');
      await quiet(told);
      const before = looks(told);
      const lie = { state: 'approved', commit_id: commit, user: { login: 'robot', id: 1_000 } };
      await tell(told, 'pull_request_review', 1, { review: lie });
      await eventually(async () => looks(told) > before, { within: AT_ONCE_MS, what: 'looked' });
      await quiet(told);
      expect(merges(told)).toBe(0);
      await told.stage(commit, 'dev', waitsAt('promotion'), 'still waits for its review');
      // Of a pull request that is none of ours, nobody is asked.
      const after = looks(told);
      await tell(told, 'pull_request_review', 4711);
      await quiet(told);
      expect(looks(told)).toBe(after);
    });
  });

  it('is told by the connections, and asks GitHub less often from then on', LIMIT, async () => {
    await story({ github: true, delivery: manual }, async (told) => {
      const commit = told.release(1);
      await told.stage(commit, 'dev', waitsAt('promotion'), 'waits for its review at GitHub');
      await tell(told, 'pull_request', 1, { action: 'opened' });
      const answer = await told.world.ask('/api/v1/connections');
      const { connections } = (await answer.json()) as { connections: Record<string, unknown>[] };
      expect(connections.find(({ name }) => name === 'github')).toMatchObject({ heardAt: expect.any(String) });
      await quiet(told);
      const before = looks(told);
      await told.pass('4m');
      await quiet(told);
      expect(looks(told)).toBe(before);
      await told.pass('2m');
      await eventually(async () => looks(told) > before, { within: AT_ONCE_MS, what: 'asked after five minutes' });
    });
  });
});

/** Reads of the pull request. */
const looks = ({ world }: Story) => asked(world, /^GET \/repos\/acme\/deploy\/pulls\/1$/);
/** Of the first one only: once it is merged, the stage behind it promotes by itself. */
const merges = ({ world }: Story) => asked(world, /^PUT .*\/pulls\/1\/merge$/);
const asked = (world: Story['world'], line: RegExp) =>
  world.github?.requests.filter((request) => line.test(request.line)).length ?? 0;

function approve({ world }: Story): void {
  const { accounts, state } = world.github ?? {};
  const pull = state?.pulls.pullOf(1);
  if (!accounts || !state || !pull) throw new Error('no pull request');
  accounts.named('grace').permission = 'write';
  state.pulls.review(pull, accounts.named('grace'), 'APPROVED', state.pulls.headShaOf(pull));
}

/** GitHub sends, and Lynceus has done what it asks for. */
async function tell(told: Story, event: string, number: number, more: object = {}): Promise<void> {
  const body = JSON.stringify({
    action: 'submitted',
    pull_request: { number },
    repository: { clone_url: `${told.world.github?.url}/acme/deploy.git`, default_branch: 'main' },
    ...more,
  });
  const headers = fromGitHub(event, body, `${event}-${number}`);
  const answer = await told.world.ask('/webhooks/github', { method: 'POST', body, headers });
  expect(answer.status).toBe(202);
  await quiet(told);
}

/** Nothing is due, and nothing at work. */
async function quiet({ world }: Story): Promise<void> {
  const busy = /^lynceus_queue_jobs\{queue="(?:git|line|task)",state="(?:due|running)"\} [1-9]/m;
  await eventually(async () => !busy.test(await (await world.ask('/metrics')).text()), {
    within: AT_ONCE_MS,
    what: 'no work under way',
  });
}
