import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeliverySystem } from '../../src/adapters/delivery-systems/delivery-system.ts';
import type { GitHost } from '../../src/adapters/git-hosts/git-host.ts';
import type { MetricsSource } from '../../src/adapters/metrics/metrics-source.ts';
import { changeRow } from '../../src/answers/answer.ts';
import { wayText } from '../../src/answers/answers-text.ts';
import { type ChangeInput, changeFacts } from '../../src/answers/change-facts.ts';
import { AdapterError } from '../../src/base/adapter-error.ts';
import { decide } from '../../src/engine/decide.ts';
import type { PlannedTask } from '../../src/engine/plan.ts';
import { currentTask, evolve, fold, type SequenceState } from '../../src/engine/sequence.ts';
import { parseWindow } from '../../src/engine/windows.ts';
import type { Application } from '../../src/events/application.ts';
import type { SequenceEvent, SequenceTriggered } from '../../src/events/types.ts';
import { defaultModel } from '../../src/risk/model.ts';
import { evaluate } from '../../src/slo/evaluate.ts';
import type { Slo } from '../../src/slo/evaluation.ts';
import { checks } from '../../src/tasks/checks.ts';
import { plan } from '../../src/tasks/plan.ts';
import { rollout } from '../../src/tasks/rollout.ts';
import { soak } from '../../src/tasks/soak.ts';
import { sync } from '../../src/tasks/sync.ts';
import type { TaskHandler, TaskInput, TaskTools } from '../../src/tasks/task.ts';
import { policy } from '../support/budgets.ts';
import { createPromotionLine, type PromotionLine } from '../support/promotion-line.ts';
import {
  COMMIT,
  decision,
  minute,
  planned,
  START,
  started,
  step,
  taskFinished,
  taskTriggered,
  triggered,
} from '../support/sequence.ts';

const BEFORE = 'b'.repeat(40);
const source = { repoUrl: 'r', path: '.', targetRevision: 'main' };
const APPLICATION: Application = {
  ref: { system: 'main', namespace: 'argocd', name: 'checkout', uid: 'u1', systemProject: 'default' },
  annotations: {},
  source,
  sources: [source],
  automated: false,
  targetRevision: COMMIT,
  syncStatus: 'OutOfSync',
  health: { status: 'Healthy' },
  history: [],
  images: ['ghcr.io/acme/checkout:1.8.2', 'docker.io/envoy:1.30'],
  conditions: [],
};
const DEPLOYED: Partial<Application> = {
  history: [{ revision: COMMIT, deployedAt: START }],
  reconciledAt: minute(1),
};

interface Around {
  application?: Partial<Application>;
  system?: Partial<DeliverySystem>;
  host?: Partial<GitHost>;
  metrics?: () => number | Error;
  step?: PlannedTask;
  triggered?: Partial<SequenceTriggered>;
  memo?: object;
  /** Minutes since the change was triggered. */
  at?: number;
}

/** One look of a real task, and what the runtime and the engine make of what it says. */
async function looked(handler: TaskHandler, around: Around = {}): Promise<SequenceState> {
  const { name } = handler;
  const own = around.step ?? (name === 'plan' ? undefined : step(name));
  const now = minute(around.at ?? 2);
  const begun =
    own === undefined
      ? [triggered(around.triggered), started, taskTriggered(0, 'plan')]
      : [triggered(around.triggered), ...planned(own).slice(1), taskTriggered(1, name)];
  let state = fold(begun);
  const task = currentTask(state);
  if (!task || !state.triggered) throw new Error('there is no task');
  const memo = { ...task.memo, ...around.memo } as TaskInput['task']['memo'];
  const input = {
    sequence: state,
    task: { ...task, memo },
    triggered: state.triggered,
    now: new Date(now),
    signal: new AbortController().signal,
    effect: (_: string, act: () => unknown) => act(),
    onProgress: () => undefined,
  } as unknown as TaskInput;
  const happens = (event: SequenceEvent) => {
    state = evolve(state, event);
  };
  try {
    const outcome = await handler.run(input, toolsFor(around));
    if (outcome.kind === 'waiting') {
      const { blocker, memo: kept = {} } = outcome;
      happens({ name: 'task.waiting', at: now, data: { task: task.id, blocker, memo: kept } });
    } else {
      const { kind: _, data = {}, ...ended } = outcome;
      happens({ name: 'task.finished', at: now, data: { task: task.id, name, ...ended, data } });
    }
  } catch (error) {
    if (!(error instanceof AdapterError)) throw error;
    const blocker = { kind: 'unreachable', sentence: error.message } as const;
    happens({ name: 'task.waiting', at: now, data: { task: task.id, blocker, memo } });
  }
  for (const event of decide(state, { now, line: {} })) happens(event);
  return state;
}

function toolsFor({ application, system, host, metrics }: Around): TaskTools {
  const seen = { ...APPLICATION, ...application };
  const read = async () => {
    const value = metrics?.() ?? 0;
    if (value instanceof Error) throw value;
    return { ok: true, value };
  };
  const revisionMetadata = async () => ({ author: 'Ada', message: 'Change', date: START, tags: [] });
  return {
    deliverySystem: () => ({ kind: 'argocd', name: 'main', read: async () => seen, revisionMetadata, ...system }),
    gitHost: () => host,
    metricsSource: () => ({ kind: 'prometheus', name: 'main', read }) as unknown as MetricsSource,
    riskModel: async () => defaultModel,
    history: { applications: async () => [seen.ref], sequences: async () => [], evaluations: async () => [] },
  } as unknown as TaskTools;
}

const read = (sequence: SequenceState | SequenceState[], at = 5, input: Partial<ChangeInput> = {}) => {
  const sequences = [sequence].flat();
  const facts = changeFacts({ id: 'ctx', rev: 1, sequences, ...input });
  expect(JSON.stringify(facts).length).toBeLessThan(3_000);
  const { blocker, unblock, ...row } = changeRow(facts, { now: minute(at) });
  return { ...row, told: `${blocker.kind}: ${blocker.sentence}`, who: unblock.map(wayText), unblock };
};

describe('what a change waits for, out of what its tasks really say', () => {
  it('a deployment window', async () => {
    const text = 'MO 09:00/MO 18:00';
    const parsed = parseWindow(text);
    const windows = [{ kind: 'deny', spans: parsed.ok ? parsed.spans : [], timeZone: 'UTC', reason: 'sale', text }];
    const state = await looked(checks, { step: step('checks', { windows }) });
    expect(read(state)).toMatchObject({
      state: 'waiting',
      told: 'window: Window closed until 18:00 UTC: deny MO 09:00/MO 18:00 UTC (sale)',
      unblock: [{ until: '2026-03-02T18:00:00.000Z' }, { who: [{ group: 'operators' }], does: 'overrides' }],
    });
  });

  it("a window of Argo CD's", async () => {
    const windows = async () => ({
      open: false,
      owner: 'AppProject shop',
      windows: [
        {
          kind: 'deny',
          schedule: '0 9 * * 1',
          duration: '9h',
          manualSync: false,
          timeZone: 'UTC',
          active: true,
        } as const,
      ],
    });
    expect(read(await looked(sync, { system: { windows } }))).toMatchObject({
      told: expect.stringMatching(/^window: Sync window closed until 18:00 UTC: deny Mon 09:00, AppProject shop$/),
    });
  });

  it('an error budget, with what is left and what is needed', async () => {
    const errorBudget = policy({ errorRatio: 'e', target: 0.999, windowMs: 86_400_000, minimumRemaining: 0.2 });
    const asked = { step: step('checks', { errorBudget }), metrics: () => 0.00096 };
    expect(read(await looked(checks, asked))).toMatchObject({
      state: 'waiting',
      told: 'budget: Error budget 4 % left, needs 20 %',
    });
  });

  it('a risk, with its limit and what weighs most', async () => {
    const asked = { step: step('checks', { risk: { approvalAbove: 0, denyAbove: 1 } }) };
    const files = Array.from({ length: 40 }, (_, at) => ({ path: `f${at}`, additions: 900, deletions: 900 }));
    const host = { compare: async () => ({ commits: [], totalCommits: 9, files, totalFiles: 40 }) };
    const row = read(await looked(checks, { ...asked, host, triggered: { previousRevision: BEFORE } }));
    expect(row.told).toMatch(/^risk: Risk \d+, limit 1: \w+ adds \d/);
  });

  it('a metrics source that does not answer', async () => {
    const errorBudget = policy({ errorRatio: 'e', target: 0.999, windowMs: 86_400_000 });
    const broken = () => {
      throw new AdapterError('unavailable', 'Prometheus main cannot be reached: ECONNREFUSED');
    };
    const state = await looked(checks, { step: step('checks', { errorBudget }), metrics: broken, at: 1 });
    const row = read(state);
    expect(row.told).toMatch(/^no-signal: No answer for 4 min: .*Prometheus main cannot be reached: ECONNREFUSED/);
  });

  it('a system that does not answer, which is never told as running', async () => {
    const unreachable = async () => {
      throw new AdapterError('unavailable', 'Argo CD main cannot be reached: ETIMEDOUT');
    };
    expect(read(await looked(sync, { system: { read: unreachable }, at: 1 }))).toMatchObject({
      state: 'unknown',
      told: 'no-signal: No answer for 4 min: Argo CD main cannot be reached: ETIMEDOUT',
      cells: [{ stage: 'staging', state: 'unknown' }],
      who: ['no owner configured'],
    });
  });

  it('health, which its owners look at once that lasts', async () => {
    const health = { status: 'Degraded', message: 'Deployment checkout: 1 of 3 pods not ready' } as const;
    const application = { ...DEPLOYED, health };
    const state = await looked(rollout, { application, at: 1, triggered: { team: 'payments', owners: ['omar'] } });
    const told = 'health: Health in staging: Degraded: Deployment checkout: 1 of 3 pods not ready';
    expect(read(state, 1)).toMatchObject({ told, who: [], team: 'payments' });
    expect(read(state, 5)).toMatchObject({ told, who: ['@omar fixes'] });
  });

  it('a soak, until it ends', async () => {
    const state = await looked(soak, { application: DEPLOYED, step: step('soak', { durationMs: 3_600_000 }) });
    expect(read(state)).toMatchObject({
      state: 'running',
      told: 'soak: Soaking in staging, 55 min left',
      unblock: [{ until: minute(60) }],
    });
  });

  it('an approval, by so many of a group', () => {
    const approval = step('approval', { always: true, quorum: 2, groups: ['sre'] });
    const events = [
      ...planned(approval),
      taskTriggered(1, 'approval'),
      decision('approve', { task: 'seq.1-approval' }),
    ];
    expect(read(fold(events))).toMatchObject({
      state: 'waiting',
      told: 'approval: Approval of staging: 1 of 2 given',
      who: ['sre approve'],
    });
  });

  it('an approval that a check asked for, with its reason', () => {
    const answers = [
      { check: 'risk', answer: 'needs-approval', reasons: ['risk 72.0 of 100; above 60 a person must agree'] },
    ];
    const events = [
      ...planned(step('checks'), step('approval')),
      taskTriggered(1, 'checks'),
      taskFinished('checks', 'warning', { data: { answers } }),
      taskTriggered(2, 'approval'),
    ];
    expect(read(fold(events)).told).toBe('approval: Approval: risk 72.0 of 100; above 60 a person must agree');
  });

  it('its turn, behind the change that is at work', () => {
    const running = [step('sync')];
    const ahead = fold([
      triggered({ sequence: 'seq-0', context: 'other', revision: BEFORE }),
      ...planned(...running).slice(1),
      taskTriggered(1, 'sync'),
    ]);
    const waiting = fold([triggered()]);
    expect(read(waiting, 1, { neighbours: [ahead] })).toMatchObject({
      state: 'queued',
      told: 'queue: Behind checkout bbbbbbbb in staging',
    });
    expect(read(waiting, 1).told).toBe('queue: Waiting for its turn in staging');
  });

  it('somebody who holds it, or stopped the line', () => {
    const at = [...planned(step('sync')), taskTriggered(1, 'sync')];
    expect(read(fold([...at, decision('pause', { actor: 'lin', reason: 'wait for Ada' })]))).toMatchObject({
      state: 'waiting',
      told: 'stopped: Held by lin: wait for Ada',
      unblock: [{ action: { label: 'Resume', needs: 'operator' } }],
    });
    const stops = [{ id: 's', at: START, actor: 'lin', reason: 'incident 4', stage: 'staging' }];
    expect(read(fold(at), 1, { stops }).told).toBe('stopped: The line to staging was stopped by lin: incident 4');
    expect(read(fold(at), 1, { stops: [{ ...stops[0], stage: 'production' } as never] }).told).toMatch(/^sync/);
  });
});

describe('what a change failed at', () => {
  const slo: Slo = {
    comparison: { count: 1, include: 'all', aggregate: 'avg' },
    objectives: [
      { sli: 'error_rate', pass: [['<=1']], warning: [], weight: 1, keySli: false },
      { sli: 'response_time_p95', pass: [['<=500']], warning: [['<=600']], weight: 1, keySli: true },
    ],
    totalScore: { pass: 90, warning: 75 },
    filter: {},
  };
  const evaluated = (p95: number) => {
    const values = [
      { metric: 'error_rate', ok: true, value: 0.4 },
      { metric: 'response_time_p95', ok: true, value: p95, unit: 'ms' },
    ] as const;
    const evaluation = evaluate({ slo, values: [...values], earlier: [] });
    const failing = [
      ...planned(step('sync'), { name: 'evaluation', timeLimitMs: 1, slo, sli: {} } as never),
      taskTriggered(1, 'sync'),
      taskFinished('sync', 'pass'),
      taskTriggered(2, 'evaluation'),
      taskFinished('evaluation', evaluation.result, { message: evaluation.message, data: { evaluation } }),
    ];
    return endedBy(failing);
  };
  const endedBy = (events: SequenceEvent[]) => {
    let state = fold(events);
    for (const event of decide(state, { now: minute(1), line: {} })) state = evolve(state, event);
    return state;
  };

  it('its gate: the key indicator with the last limit that it passed', () => {
    expect(read(evaluated(612))).toMatchObject({
      state: 'failed',
      told: 'gate: SLO gate failed: response_time_p95 612 ms > 600 ms',
      cells: [{ state: 'failed', score: 50 }],
      unblock: [{ does: 'no owner configured' }, { action: { label: 'Roll back' } }, { action: { label: 'Override' } }],
    });
  });

  it('whoever is asked because it warned is told of what: in the stage itself, or in the one before', () => {
    const evaluation = evaluate({
      slo: { ...slo, totalScore: { pass: 90, warning: 60 } },
      values: [
        { metric: 'error_rate', ok: true, value: 0.4 },
        { metric: 'response_time_p95', ok: true, value: 550, unit: 'ms' },
      ],
      earlier: [],
    });
    expect(evaluation.result).toBe('warning');
    const judged = fold([
      ...planned({ name: 'evaluation', timeLimitMs: 1, slo, sli: {} } as never, step('promotion')),
      taskTriggered(1, 'evaluation'),
      taskFinished('evaluation', 'warning', { data: { evaluation } }),
      taskTriggered(2, 'promotion'),
    ]);
    const warned = { stage: 'staging', objectives: ['response_time_p95'] };
    expect(changeFacts({ id: 'ctx', rev: 1, sequences: [judged] }).spots).toMatchObject([{ warned }]);
    const place = { project: 'shop', stage: 'production', service: 'checkout' };
    const promotedBy = { sequence: 'seq', pullRequest: 1 };
    const [begun, ...rest] = planned(step('approval'));
    const asked = fold([
      { ...begun, data: { ...begun?.data, sequence: 'next', place, promotedBy } } as SequenceEvent,
      ...rest,
      taskTriggered(1, 'approval'),
    ]);
    const { spots } = changeFacts({ id: 'ctx', rev: 2, sequences: [{ ...judged, phase: 'finished' }, asked] });
    expect(spots).toMatchObject([{ stage: 'production', warned }]);
  });

  it('an evaluation that was declared invalid is believed no more', () => {
    const invalidations = [{ evaluation: 'seq.2-evaluation', actor: 'lin', reason: 'load test', at: START }];
    expect(read(evaluated(612), 5, { invalidations }).told).toBe(
      'gate: SLO verdict declared invalid by lin: load test',
    );
  });

  it('people: rejected, or aborted', () => {
    const asked = [...planned(step('approval', { always: true })), taskTriggered(1, 'approval')];
    const rejected = endedBy([
      ...asked,
      decision('reject', { task: 'seq.1-approval', actor: 'lin', reason: 'not today' }),
    ]);
    expect(read(rejected)).toMatchObject({ state: 'failed', told: 'approval: Rejected by lin: not today' });
    const aborted = endedBy([...asked, decision('abort', { actor: 'lin', reason: 'wrong branch' })]);
    expect(read(aborted)).toMatchObject({ state: 'failed', told: 'stopped: Aborted by lin: wrong branch' });
  });

  it('its sync, or its files', async () => {
    const operation = {
      ...{
        phase: 'Failed' as const,
        message: 'one or more objects failed to apply',
        startedAt: START,
        finishedAt: minute(1),
      },
      ...{ revision: COMMIT, infos: {}, dryRun: false, partial: false, retrying: false, automated: true },
    };
    const automatic = { step: step('sync', { mode: 'automatic' }), application: { automated: true, operation } };
    expect(read(await looked(sync, automatic)).told).toBe(
      'sync: Not synced: the sync ended as Failed: one or more objects failed to apply',
    );
    const host = { resolve: async () => COMMIT, readFile: async () => 'stages: 5' };
    expect(read(await looked(plan, { host })).told).toMatch(/^ci: Not planned: .*delivery\.yaml/);
  });

  it('nothing, where a newer change took its place', () => {
    const newer = fold([triggered({ sequence: 'seq-9', context: 'newer', revision: 'c'.repeat(40) })]);
    const by = { status: 'aborted', result: 'fail', reason: 'superseded', message: 'm', by: 'seq-9' } as const;
    const state = fold([triggered(), { name: 'sequence.finished', at: minute(1), data: by }]);
    expect(read(state, 5, { neighbours: [newer] })).toMatchObject({
      state: 'superseded',
      told: 'none: Replaced by checkout cccccccc in staging',
      unblock: [],
      eta: null,
    });
  });
});

describe('what a change is', () => {
  it('by its commit, as the Git host or the delivery system tells', async () => {
    const commits = [
      { sha: COMMIT, subject: 'Merge pull request #3', author: 'Git Host', date: START },
      { sha: BEFORE, subject: 'Retry card timeouts once', author: 'Ada Lovelace', by: { login: 'ada' }, date: START },
    ];
    const compare = async () => ({ commits, totalCommits: 2, files: [], totalFiles: 0 });
    const host = { resolve: async () => COMMIT, readFile: async () => undefined, compare } as unknown as GitHost;
    const told = read(await looked(plan, { host, triggered: { previousRevision: BEFORE } }));
    expect(told).toMatchObject({ title: 'Retry card timeouts once', author: { name: 'Ada Lovelace', login: 'ada' } });
    const revisionMetadata = async () => ({
      ...{ author: 'Eva <eva@example.com>', message: 'Log less\n\nIt is too much.', date: START, tags: [] },
    });
    expect(read(await looked(plan, { system: { revisionMetadata } }))).toMatchObject({
      title: 'Log less',
      author: { name: 'Eva' },
    });
  });

  it('by its message alone, where nobody tells of its author', async () => {
    const refused = () => Promise.reject(new AdapterError('rejected', 'Flux does not tell'));
    const host = { readFile: async () => undefined, commitMessage: async () => 'Log less\n\nToo much.' };
    expect(read(await looked(plan, { host, system: { revisionMetadata: refused } }))).toMatchObject({
      title: 'Log less',
      author: { name: 'unknown' },
    });
  });

  it('without a word of anybody, by its commit alone: that is no failure', async () => {
    const refused = () => Promise.reject(new AdapterError('forbidden', 'no'));
    const state = await looked(plan, { system: { revisionMetadata: refused } });
    expect(read(state)).toMatchObject({ title: 'Commit 8a3d1f0c', author: { name: 'unknown' } });
  });

  it('by the tag of its own image, and with the one that ran before', async () => {
    const running = ['ghcr.io/acme/checkout:1.8.1', 'docker.io/envoy:1.30'];
    const state = await looked(rollout, {
      application: DEPLOYED,
      triggered: { running },
      step: step('rollout', { settleMs: 0 }),
    });
    expect(read(state)).toMatchObject({
      version: '1.8.2',
      kind: 'code',
      cells: [{ stage: 'staging', version: '1.8.2', previous: '1.8.1' }],
    });
  });

  it('keeps the name of its commit in every stage, whatever commits its merges make', () => {
    const promotedBy = { sequence: 'seq', pullRequest: 1 };
    const place = { project: 'shop', stage: 'production', service: 'checkout' };
    const merged = { sequence: 'seq-2', revision: 'd'.repeat(40), place, promotedBy };
    const { cells, commit } = read([fold([triggered()]), fold([triggered(merged)])]);
    expect(cells.map(({ version }) => version)).toEqual(['8a3d1f0c', '8a3d1f0c']);
    expect(commit.id).toBe(COMMIT);
  });

  it('keeps its version in stages that have not seen it run yet', async () => {
    const seen = await looked(rollout, { application: DEPLOYED, step: step('rollout', { settleMs: 0 }) });
    const place = { project: 'shop', stage: 'production', service: 'checkout' };
    const next = { sequence: 'seq-2', place, promotedBy: { sequence: 'seq', pullRequest: 1 } };
    const running = ['ghcr.io/acme/checkout:1.8.1'];
    expect(read([seen, fold([triggered({ ...next, running })])]).cells).toMatchObject([
      { stage: 'staging', version: '1.8.2' },
      { stage: 'production', version: '1.8.2', previous: '1.8.1' },
    ]);
    const rollsBack = { sequence: 'seq', revision: COMMIT, to: 'e'.repeat(40), pullRequest: 2 };
    const back = { ...next, revision: 'd'.repeat(40), rollsBack };
    expect(read([seen, fold([triggered(back)])]).cells.at(-1)?.version).toBe('8a3d1f0c');
  });

  it('a change of configuration, where the images stay', async () => {
    const state = await looked(rollout, {
      application: DEPLOYED,
      triggered: { running: APPLICATION.images },
      step: step('rollout', { settleMs: 0 }),
    });
    expect(read(state).kind).toBe('config');
  });

  it('goes through all stages of its delivery, each cluster for itself', async () => {
    const delivery = `apiVersion: lynceus.dev/v1
kind: Delivery
metadata: {name: shop}
spec:
  stages:
    - {name: hotfix, branch: stage/hotfix, sync: gated}
    - {name: staging, branch: stage/staging, sync: gated, promotion: {to: [production], onPass: manual}}
    - {name: production, branch: stage/production, sync: gated}
`;
    const host = { resolve: async () => COMMIT, readFile: async () => delivery } as unknown as GitHost;
    expect(read(await looked(plan, { host })).cells.map(({ stage }) => stage)).toEqual(['staging', 'production']);
    const refs = ['eu', 'us'].map((system) => ({ ...APPLICATION.ref, system }));
    const tools = toolsFor({});
    const two = { ...tools, history: { applications: async () => refs } } as unknown as TaskTools;
    const apart = (system: string): Partial<Application> =>
      system === 'eu' ? DEPLOYED : { ...DEPLOYED, health: { status: 'Progressing' } };
    const systems = (name: string) => ({
      read: async (ref: Application['ref']) => ({ ...APPLICATION, ...apart(name), ref, cluster: `${name}-1` }),
    });
    const state = fold([...planned(step('rollout', { settleMs: 0 })), taskTriggered(1, 'rollout')]);
    const input = { sequence: state, task: currentTask(state), triggered: state.triggered, now: new Date(minute(1)) };
    const outcome = await rollout.run(input as unknown as TaskInput, { ...two, deliverySystem: systems } as never);
    if (outcome.kind !== 'waiting') throw new Error('it does not wait');
    const waits = { task: 'seq.1-rollout', blocker: outcome.blocker, memo: outcome.memo ?? {} };
    expect(read(evolve(state, { name: 'task.waiting', at: minute(1), data: waits })).cells).toMatchObject([
      {
        clusters: [
          { name: 'eu-1', state: 'passed' },
          { name: 'us-1', state: 'running' },
        ],
      },
    ]);
  });
});

describe('a promotion in a real repository', () => {
  let line: PromotionLine;
  beforeAll(() => {
    line = createPromotionLine({ staging: { to: ['production'], onPass: 'manual' } });
  });
  afterAll(() => line.close());

  it('waits for people with us, and for whoever stopped the line', async () => {
    const change = line.verified('staging', 'ctx-1', line.commit('stage/staging', { 'app.json': '{"version": 1}\n' }));
    await change.settle();
    const row = read(change.state(), 1e9);
    expect(row).toMatchObject({
      state: 'waiting',
      told: 'approval: Approval of production needed',
      who: ['approvers approve'],
      pr: { text: 'PR 1' },
      cells: [
        { stage: 'staging', state: 'passed' },
        { stage: 'production', state: 'waiting' },
      ],
    });
    expect(row.unblock[0]?.action).toMatchObject({ needs: 'approver' });
    line.stops.push({ id: 's', at: START, actor: 'lin', reason: 'incident 4', stage: 'production' });
    await change.settle();
    expect(read(change.state(), 1e9).told).toBe('stopped: The line to production was stopped by lin: incident 4');
    line.stops.length = 0;
    change.decide('reject', 'lin');
    await change.settle();
    for (const event of decide(change.state(), { now: minute(1e9), line: {} })) change.happens(event);
    expect(read(change.state(), 1e9)).toMatchObject({
      state: 'failed',
      told: 'review: PR 1 to production was rejected by lin: told so',
      unblock: [{}, { does: 'retries', action: { label: 'Retry', needs: 'operator' } }],
    });
  });
});
