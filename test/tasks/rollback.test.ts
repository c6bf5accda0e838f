import { describe, expect, it } from 'vitest';
import type { DeliverySystem, SyncRequest } from '../../src/adapters/delivery-systems/delivery-system.ts';
import type {
  Comparison,
  GitHost,
  NewCommit,
  NewPullRequest,
  PullRequest,
} from '../../src/adapters/git-hosts/git-host.ts';
import { AdapterError } from '../../src/base/adapter-error.ts';
import type { JsonObject } from '../../src/base/json.ts';
import type { PlannedTask } from '../../src/engine/plan.ts';
import { fold, type SequenceState } from '../../src/engine/sequence.ts';
import type { Application } from '../../src/events/application.ts';
import type { SequenceEvent, SequenceTriggered } from '../../src/events/types.ts';
import { rollback } from '../../src/tasks/rollback.ts';
import type { TaskInput, TaskOutcome, TaskTools } from '../../src/tasks/task.ts';
import { COMMIT, minute, planned, step, taskFinished, taskTriggered, triggered } from '../support/sequence.ts';

const GOOD = '1'.repeat(40);
const REVERT = '2'.repeat(40);
const MERGE = '3'.repeat(40);
const REPOSITORY = 'https://git.example.com/shop.git';
const BRANCH = 'stage/staging';

const application = (changes: Partial<Application> = {}): Application => ({
  ref: { system: 'main', namespace: 'argocd', name: 'checkout', uid: 'u1', systemProject: 'default' },
  annotations: {},
  source: { repoUrl: REPOSITORY, path: 'shop', targetRevision: BRANCH },
  sources: [{ repoUrl: REPOSITORY, path: 'shop', targetRevision: BRANCH }],
  automated: true,
  syncStatus: 'Synced',
  health: { status: 'Healthy' },
  history: [],
  images: [],
  conditions: [],
  ...changes,
});

const files = (...paths: string[]): Comparison['files'] => paths.map((path) => ({ path, additions: 1, deletions: 1 }));

interface Around {
  application?: Partial<Application>;
  step?: Partial<Extract<PlannedTask, { name: 'rollback' }>>;
  /** Nothing has ever passed here. */
  nothingGood?: boolean;
  good?: Partial<SequenceTriggered>;
  bad?: Partial<SequenceTriggered>;
  /** Sequences that came later, newest first. */
  later?: SequenceState[];
  tip?: string;
  files?: Comparison['files'];
  straight?: boolean;
  pull?: Partial<PullRequest>;
  merge?: () => PullRequest;
  reviews?: 'host' | 'lynceus';
  memo?: JsonObject;
  decisions?: ('approve' | 'reject')[];
  now?: string;
}

/** The good change, which was deployed before. */
function goodSequence(changes: Partial<SequenceTriggered>): SequenceState {
  return over(
    [triggered({ sequence: 'good', revision: GOOD, ...changes }), ...planned(step('sync'), step('rollout')).slice(1)],
    -60,
    'pass',
  );
}

function over(begun: SequenceEvent[], at: number, result: 'pass' | 'fail'): SequenceState {
  const tasks = [
    taskTriggered(1, 'sync'),
    taskFinished('sync', 'pass'),
    taskTriggered(2, 'rollout'),
    taskFinished('rollout', result),
  ];
  const reason = result === 'pass' ? 'completed' : 'failed';
  const [first, ...rest] = begun;
  const end = {
    name: 'sequence.finished',
    at: minute(at),
    data: { status: 'succeeded', result, reason, message: 'it broke' },
  };
  return fold([{ ...(first as SequenceEvent), at: minute(at) }, ...rest, ...tasks, end as SequenceEvent]);
}

/** A newer change, or the delivery of the revert. */
const laterOne = (revision: string, result: 'pass' | 'fail', changes: Partial<SequenceTriggered> = {}) =>
  over(
    [
      triggered({ sequence: `later-${revision[0]}`, revision, ...changes }),
      ...planned(step('sync'), step('rollout')).slice(1),
    ],
    5,
    result,
  );

/** One look at the rollback of a change that failed, in a world in which only what is named here exists. */
async function look(around: Around = {}) {
  const policy: PlannedTask = {
    name: 'rollback',
    timeLimitMs: 1e9,
    by: 'auto',
    merge: 'automatic',
    branch: BRANCH,
    ...around.step,
  };
  const sequence = fold([
    triggered(around.bad),
    ...planned(step('sync'), step('rollout', { timeLimitMs: 60_000 }), policy).slice(1),
    taskTriggered(1, 'sync'),
    taskFinished('sync', 'pass'),
    taskTriggered(2, 'rollout'),
    taskFinished('rollout', 'fail', { message: 'it crashes @everybody' }),
    taskTriggered(3, 'rollback', 1e9),
    ...(around.memo
      ? [
          {
            name: 'task.waiting',
            at: minute(0),
            data: { task: 'seq.3-rollback', blocker: { kind: 'review', sentence: 'x' }, memo: around.memo },
          } as SequenceEvent,
        ]
      : []),
  ]);
  const done: string[] = [];
  const wishes: { commit?: NewCommit; pull?: NewPullRequest; sync?: SyncRequest; body?: string } = {};
  const pull: PullRequest = {
    ...{
      number: 7,
      state: 'open',
      headBranch: 'x',
      headSha: REVERT,
      baseBranch: BRANCH,
      title: 't',
      createdAt: minute(0),
    },
    body: 'Some words.\n\nLynceus-Context: ctx',
    ...around.pull,
  } as PullRequest;
  const host = {
    capabilities: { reviews: around.reviews ?? 'lynceus' },
    resolve: async () => around.tip ?? COMMIT,
    contains: async (_: unknown, descendant: string, ancestor: string) => {
      if (ancestor === REVERT || descendant.startsWith('9')) return false;
      return ancestor !== GOOD || (around.straight ?? true);
    },
    compare: async () => {
      const changed = around.files ?? files('shop/app.yaml');
      return { commits: [], totalCommits: 1, files: changed, totalFiles: changed.length };
    },
    findOpenPullRequests: async () => [{ ...pull, number: 3, headBranch: 'older' }],
    createCommit: async (_: unknown, wanted: NewCommit) => {
      wishes.commit = wanted;
      return REVERT;
    },
    openPullRequest: async (_: unknown, wanted: NewPullRequest) => {
      wishes.pull = wanted;
      return pull;
    },
    readPullRequest: async () => pull,
    closePullRequest: async () => ({ ...pull, state: 'closed' }),
    updatePullRequest: async (_: unknown, _number: number, { body }: { body: string }) => {
      wishes.body = body;
      return pull;
    },
    mergePullRequest: async () => around.merge?.() ?? { ...pull, state: 'merged', mergeSha: MERGE },
  } as unknown as GitHost;
  const now = application(around.application);
  const system = {
    kind: 'argocd',
    read: async () => now,
    sync: async (_: unknown, request: SyncRequest) => {
      wishes.sync = request;
    },
  } as unknown as DeliverySystem;
  const good = goodSequence(around.good ?? {});
  const all = [...(around.later ?? []), sequence, ...(around.nothingGood ? [] : [good])];
  const tools = {
    gitHost: () => host,
    deliverySystem: () => system,
    linkTo: () => undefined,
    history: {
      applications: async () => [now.ref],
      sequences: async () => all,
      sequence: async (id: string) => all.find((one) => one.triggered?.sequence === id),
    },
  } as unknown as TaskTools;
  const task = sequence.tasks.at(-1);
  if (!task || !sequence.triggered) throw new Error('the history of this test is wrong');
  const decisions = (around.decisions ?? []).map((verdict) => ({
    verdict,
    actor: 'ada',
    reason: 'told so',
    revision: COMMIT,
  }));
  const input = {
    sequence,
    triggered: sequence.triggered,
    task: { ...task, decisions },
    now: new Date(around.now ?? minute(1)),
    signal: new AbortController().signal,
    guard: () => undefined,
    onProgress: () => undefined,
    effect: (name: string, act: () => Promise<unknown>) => {
      done.push(name);
      return act();
    },
  } as unknown as TaskInput;
  const outcome: TaskOutcome = await rollback.run(input, tools);
  return { outcome, done, wishes };
}

const begun = { by: 'pullRequest', good: GOOD, goodSequence: 'good', branch: BRANCH, paths: ['shop'] };
const opened = { ...begun, pullRequest: 7, head: REVERT, reviews: 'lynceus', url: 'https://x' };
const merged = { ...opened, mergeSha: MERGE, mergedAt: minute(0) };

describe('how a stage goes back', () => {
  it.each([
    ['by pull request, where the application syncs by itself', { automated: true }, 'pullRequest'],
    ['by sync, where it does not', { automated: false }, 'sync'],
  ])('is %s', async (_what, changes, by) => {
    const { outcome, done } = await look({ application: changes });
    expect(outcome).toMatchObject({ kind: 'waiting', memo: { by, good: GOOD, goodSequence: 'good' } });
    expect(done).toEqual([]);
  });

  it('is what the policy says, also where both would do', async () => {
    expect((await look({ application: { automated: false }, step: { by: 'pullRequest' } })).outcome).toMatchObject({
      memo: { by: 'pullRequest' },
    });
  });

  it('is never by sync where Argo CD would refuse another commit', async () => {
    expect((await look({ step: { by: 'sync' } })).outcome).toMatchObject({
      status: 'errored',
      message: 'checkout is synced automatically and takes no other commit: use by: pullRequest',
    });
  });

  it('is not at all when nothing good is known', async () => {
    expect((await look({ nothingGood: true })).outcome).toMatchObject({
      result: 'fail',
      data: { notRolledBack: true },
    });
  });

  it.each<[string, Around, RegExp]>([
    [
      'a branch that the hydrator writes',
      { application: { hydration: { phase: 'Hydrated', branch: 'x' } } },
      /source hydrator/,
    ],
    ['a chart without Git', { bad: { revision: '1.2.3' }, good: { revision: '1.2.2' } }, /1\.2\.3 is no Git commit/],
    [
      'another repository',
      { good: { source: { repoUrl: 'https://elsewhere', path: '.' } } },
      /from another repository/,
    ],
    [
      'a second source that changed, too',
      { bad: { revisions: [COMMIT, '2.0.0'] }, good: { revisions: [GOOD, '1.0.0'] } },
      /source 2 has changed as well/,
    ],
  ])('is by hand for %s, and that is said', async (_what, around, message) => {
    expect((await look(around)).outcome).toMatchObject({ status: 'errored', message: expect.stringMatching(message) });
  });
});

describe('a revert', () => {
  it('has the good files, follows the failed commit, and goes to the branch of the stage', async () => {
    const { outcome, wishes, done } = await look({ memo: begun });
    expect(wishes.commit).toMatchObject({ parents: [COMMIT], treeOf: GOOD, at: minute(0) });
    expect(wishes.commit?.branch).toMatch(/^lynceus-rollback\/shop\/checkout\/staging\//);
    expect(wishes.pull).toMatchObject({ headSha: REVERT, baseBranch: BRANCH });
    expect(wishes.pull?.body).toContain('it crashes @\u200Beverybody');
    expect(outcome).toMatchObject({ kind: 'waiting', memo: { pullRequest: 7, head: REVERT } });
    expect(done).toEqual(['rollback-close', 'rollback-commit', 'rollback-pull-request']);
  });

  it.each<[string, Around, string]>([
    ['the branch has moved on', { tip: '8'.repeat(40) }, 'has moved on since 8a3d1f0c'],
    ['others may need what is taken back', { files: files('shop/a', 'cart/b') }, 'outside of shop: cart/b'],
    ['the good commit is on another line', { straight: false }, 'was not built on 11111111'],
    [
      'too much changed to look through',
      { files: files(...Array.from({ length: 300 }, (_, at) => `shop/${at}`)) },
      'more files',
    ],
  ])('is left to a person when %s', async (_what, around, reason) => {
    const { outcome, wishes } = await look({ memo: begun, ...around });
    expect(outcome).toMatchObject({ memo: { byHand: expect.stringContaining(reason) } });
    expect(wishes.pull?.body).toContain('A person has to decide');
  });

  it('is not made when there is nothing to take back', async () => {
    const { outcome, done } = await look({ memo: begun, files: [] });
    expect(outcome).toMatchObject({
      data: { notRolledBack: true },
      message: expect.stringContaining('the same files'),
    });
    expect(done).toEqual([]);
  });

  it('is not made when the branch does not have the failed commit any more', async () => {
    const { outcome } = await look({ memo: begun, tip: '9'.repeat(40) });
    expect(outcome).toMatchObject({ data: { notRolledBack: true }, message: expect.stringContaining('any more') });
  });
});

describe('the pull request of a rollback', () => {
  it('is merged by us while nothing else has happened', async () => {
    const { done, outcome } = await look({ memo: opened });
    expect(done).toEqual(['rollback-merge']);
    expect(outcome).toMatchObject({ kind: 'waiting', memo: { mergeSha: MERGE } });
  });

  it.each<[string, Around]>([
    ['the policy leaves it to people', { step: { merge: 'manual' } }],
    ['a person has to decide', { memo: { ...opened, byHand: 'because' } }],
    ['the branch has moved on since', { tip: '8'.repeat(40) }],
    ['a newer change is on its way', { later: [laterOne('4'.repeat(40), 'fail')] }],
  ])('waits for a person when %s', async (_what, around) => {
    const { done, outcome } = await look({ memo: opened, ...around });
    expect(done).toEqual([]);
    expect(outcome).toMatchObject({
      blocker: { kind: 'review', sentence: 'revert pull request 7 needs an approval here' },
    });
  });

  it('is merged when a person says so, whatever else', async () => {
    const { done } = await look({ memo: { ...opened, byHand: 'because' }, decisions: ['approve'] });
    expect(done).toEqual(['rollback-merge']);
  });

  it('listens to nobody but the host where the host has reviews', async () => {
    const around: Around = { memo: opened, reviews: 'host', step: { merge: 'manual' }, decisions: ['approve'] };
    expect((await look(around)).outcome).toMatchObject({
      blocker: { sentence: 'revert pull request 7 needs an approval at the Git host' },
      askAgainMs: 60_000,
    });
  });

  it('is closed when a newer change turned out good', async () => {
    const { done, outcome } = await look({ memo: opened, later: [laterOne('4'.repeat(40), 'pass')] });
    expect(done).toEqual(['rollback-close']);
    expect(outcome).toMatchObject({ message: 'the newer 44444444 is good', data: { notRolledBack: true } });
  });

  it('that conflicts says so, and is not forced', async () => {
    const merge = () => {
      throw new AdapterError('conflict', 'both changed shop/app.yaml');
    };
    const { outcome } = await look({ memo: opened, merge });
    expect(outcome).toMatchObject({
      blocker: { kind: 'conflict', sentence: 'revert pull request 7: both changed shop/app.yaml' },
    });
  });

  it('that we may not merge waits for somebody who may', async () => {
    const merge = () => {
      throw new AdapterError('forbidden', 'protected branch');
    };
    expect((await look({ memo: opened, merge })).outcome).toMatchObject({ blocker: { kind: 'review' } });
  });

  it('that points elsewhere is not merged', async () => {
    const { done, outcome } = await look({ memo: opened, pull: { headSha: '5'.repeat(40) } });
    expect(done).toEqual([]);
    expect(outcome).toMatchObject({ blocker: { kind: 'conflict' } });
  });
});

describe('a merged revert', () => {
  it('is done only when it is deployed and healthy, and the pull request says so', async () => {
    const { outcome, wishes } = await look({ memo: merged, later: [laterOne(MERGE, 'pass')] });
    expect(outcome).toMatchObject({
      result: 'pass',
      message: 'rolled back to 11111111 by pull request 7, deployed and healthy',
      data: { to: GOOD, mergeSha: MERGE, verifiedBy: 'later-3' },
    });
    expect(wishes.body).toMatch(/\*\*Verified:\*\* 11111111 is back as 33333333.*\n\nLynceus-Context: ctx$/s);
  });

  it('has failed when it is not', async () => {
    const { outcome, wishes } = await look({ memo: merged, later: [laterOne(MERGE, 'fail')] });
    expect(outcome).toMatchObject({ result: 'fail', message: 'pull request 7 is merged, but it broke' });
    expect(outcome).not.toMatchObject({ data: { notRolledBack: true } });
    expect(wishes.body).toContain('**ROLLBACK FAILED:**');
  });

  it('has failed when nobody is asked to deploy it', async () => {
    const { outcome } = await look({ memo: merged, now: minute(16) });
    expect(outcome).toMatchObject({
      result: 'fail',
      message: expect.stringContaining('nothing was asked to deploy it'),
    });
    expect((await look({ memo: merged, now: minute(14) })).outcome).toMatchObject({ kind: 'waiting' });
  });

  it('that came together with a newer change is that change', async () => {
    const { outcome } = await look({ memo: merged, later: [laterOne('4'.repeat(40), 'pass')] });
    expect(outcome).toMatchObject({ data: { notRolledBack: true } });
  });
});

describe('a rollback by sync', () => {
  const memo = { by: 'sync', good: GOOD, goodSequence: 'good' };
  const manual = { automated: false, targetRevision: COMMIT };

  it('writes its intent down, then asks for exactly the good commits under its own task', async () => {
    const first = await look({ memo, application: manual });
    expect(first.outcome).toMatchObject({ kind: 'waiting', memo: { ...memo, intents: {} } });
    expect(first.done).toEqual([]);
    const intents = { 'main/argocd/checkout': minute(0) };
    const { done, wishes } = await look({
      memo: { ...memo, intents },
      application: { ...manual, sources: [application().source, { ...application().source, kind: 'helm' }] },
      good: { revisions: [GOOD, '1.0.0'] },
    });
    expect(done).toEqual(['rollback-sync']);
    expect(wishes.sync).toMatchObject({
      revision: GOOD,
      revisions: [GOOD, '1.0.0'],
      infos: { 'lynceus.dev/task': 'seq.3-rollback', 'lynceus.dev/context': 'ctx' },
    });
  });

  it('keeps what it decided while it waits for health, and gives up in the time that a rollout has', async () => {
    const operation = {
      ...{ phase: 'Succeeded' as const, startedAt: minute(0), finishedAt: minute(0), revision: GOOD, dryRun: false },
      ...{
        partial: false,
        retrying: false,
        automated: false,
        message: '',
        infos: { 'lynceus.dev/task': 'seq.3-rollback' },
      },
    };
    const sick = { ...manual, operation, health: { status: 'Degraded' as const }, reconciledAt: minute(1) };
    const synced = { ...memo, syncedAt: minute(0) };
    expect((await look({ memo: synced, application: sick, now: minute(0.5) })).outcome).toMatchObject({
      blocker: { kind: 'health' },
      memo: synced,
    });
    expect((await look({ memo: synced, application: sick, now: minute(2) })).outcome).toMatchObject({
      result: 'fail',
      message: 'the rollout of the good commit did not end within 1 min: health is Degraded',
    });
  });
});
