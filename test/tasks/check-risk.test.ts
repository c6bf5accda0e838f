import { describe, expect, it } from 'vitest';
import type { Comparison, GitHost } from '../../src/adapters/git-hosts/git-host.ts';
import type { MetricsSource } from '../../src/adapters/metrics/metrics-source.ts';
import { AdapterError } from '../../src/base/adapter-error.ts';
import type { RiskPolicy } from '../../src/definitions/delivery-risk.ts';
import { fold, type SequenceState } from '../../src/engine/sequence.ts';
import type { SequenceEvent } from '../../src/events/types.ts';
import { defaultModel } from '../../src/risk/model.ts';
import type { Contribution, Unknown } from '../../src/risk/score.ts';
import { checkRisk } from '../../src/tasks/check-risk.ts';
import type { TaskInput, TaskTools } from '../../src/tasks/task.ts';
import {
  COMMIT,
  decision,
  minute,
  planned,
  START,
  step,
  taskFinished,
  taskTriggered,
  triggered,
} from '../support/sequence.ts';

const BEFORE = 'b'.repeat(40);
const NOW = new Date(minute(30));

const comparison = (changes: Partial<Comparison> = {}): Comparison => ({
  commits: [{ sha: COMMIT, subject: 'Raise shop', author: 'Ada', date: START }],
  totalCommits: 1,
  files: [{ path: 'shop/app.yaml', additions: 3, deletions: 1 }],
  totalFiles: 1,
  ...changes,
});

interface Around {
  compare?: (base: string) => Comparison;
  files?: Record<string, string>;
  metrics?: Record<string, number | Error>;
  past?: SequenceState[];
  previous?: SequenceState;
  policy?: RiskPolicy;
  memo?: TaskInput['task']['memo'];
  now?: Date;
}

/** Asks the check about a change in a world in which only what is named here exists. */
async function ask(around: Around, change: Parameters<typeof triggered>[0] = {}) {
  const sequence = fold([
    triggered({ previousRevision: BEFORE, ...change }),
    ...planned(step('checks')).slice(1),
    taskTriggered(1, 'checks'),
  ]);
  const asked: string[] = [];
  const host = {
    compare: (_repository: unknown, base: string, head: string) => {
      asked.push(`${base[0]}..${head[0]}`);
      return Promise.resolve((around.compare ?? (() => comparison()))(base));
    },
    readFile: (_repository: unknown, sha: string, path: string) => Promise.resolve(around.files?.[`${sha[0]}:${path}`]),
  } as unknown as GitHost;
  const source = {
    kind: 'fake',
    name: 'fake',
    read: ({ query }: { query: string }) => {
      const value = around.metrics?.[query];
      if (value instanceof Error) return Promise.reject(value);
      return Promise.resolve(
        value === undefined
          ? { ok: false, missing: 'no-data', message: 'the query gives no data' }
          : { ok: true, value },
      );
    },
  } as MetricsSource;
  const tools = {
    gitHost: () => host,
    metricsSource: () => source,
    riskModel: () => Promise.resolve(defaultModel),
    history: {
      sequences: () => Promise.resolve(around.past ?? []),
      sequence: () => Promise.resolve(around.previous),
    },
  } as unknown as TaskTools;
  const task = sequence.tasks.at(-1);
  if (!task || !sequence.triggered) throw new Error('there is no task');
  const input = {
    sequence,
    triggered: sequence.triggered,
    task: { ...task, memo: around.memo ?? {} },
    now: around.now ?? NOW,
    signal: new AbortController().signal,
  } as unknown as TaskInput;
  const { answer, memo } = await checkRisk(
    input,
    tools,
    { risk: around.policy ?? { approvalAbove: 25 }, windows: [] },
    undefined,
  );
  const contributions = answer.figures['contributions'] as unknown as Contribution[];
  return {
    answer,
    memo,
    asked,
    seen: (key: string) => contributions.find((one) => one.key === key)?.seen,
    unknown: (answer.figures['unknown'] as unknown as Unknown[]).map(({ key, why }) => `${key}: ${why}`),
  };
}

function delivered(sequence: string, revision: string, ...events: SequenceEvent[]): SequenceState {
  return fold([
    triggered({ sequence, revision }),
    ...planned(step('sync'), step('rollout')).slice(1),
    taskTriggered(1, 'sync'),
    taskFinished('sync', 'pass'),
    taskTriggered(2, 'rollout'),
    taskFinished('rollout', 'pass'),
    ...events,
    {
      name: 'sequence.finished',
      at: minute(9),
      data: { status: 'succeeded', result: 'pass', reason: 'completed', message: '' },
    },
  ]);
}

describe('what Git says', () => {
  it('becomes signals', async () => {
    const image = (tag: string) => `image: registry/shop:${tag}\n`;
    const found = await ask({
      files: { 'b:shop/app.yaml': image('1.0.0'), [`${COMMIT[0]}:shop/app.yaml`]: image('2.0.0') },
    });
    expect(found.seen('size')).toBe('4 changed lines');
    expect(found.seen('versionJump')).toBe('major version');
    expect(found.seen('configAndImage')).toBe('not both at once');
    expect(found.unknown).toEqual([]);
    expect(found.answer.figures['footprint']).toMatchObject({ directories: ['shop'] });
    expect(found.answer.figures['model']).toMatchObject({ id: defaultModel.id, origin: 'default' });
  });

  it('is looked at from the other side when the change goes back', async () => {
    const found = await ask({
      compare: (base) =>
        base === BEFORE ? comparison({ commits: [], totalCommits: 0, files: [], totalFiles: 0 }) : comparison(),
    });
    expect(found.asked).toEqual([`b..${COMMIT[0]}`, `${COMMIT[0]}..b`]);
    expect(found.seen('rollback')).toBe('goes back to what ran before');
    expect(found.seen('size')).toBe('4 changed lines');
    expect(found.seen('noDifference')).toBe('the files differ');
  });

  it('is asked once, however long the checks wait', async () => {
    const { memo, answer } = await ask({});
    const again = await ask({ memo: JSON.parse(JSON.stringify(memo)) });
    expect(again.asked).toEqual([]);
    expect(again.answer.figures['score']).toBe(answer.figures['score']);
  });

  it('during an outage is unknown, named, and asked again', async () => {
    const found = await ask({
      compare: () => {
        throw new AdapterError('unavailable', 'GitHub main could not be reached');
      },
    });
    expect(found.unknown).toContain('size: GitHub main could not be reached');
    expect(found.answer).toMatchObject({ answer: 'needs-approval' });
    expect(found.memo).toEqual({});
  });

  it('during an outage of two minutes asks nobody yet', async () => {
    const compare = () => {
      throw new AdapterError('unavailable', 'GitHub main could not be reached');
    };
    const early = await ask({ compare, now: new Date(minute(1)) });
    expect(early.answer).toMatchObject({
      answer: 'unknown',
      reasons: expect.arrayContaining(['asked again: GitHub main could not be reached']),
    });
    expect((await ask({ compare, now: new Date(minute(2)) })).answer.answer).toBe('needs-approval');
    const low = { approvalAbove: 99 };
    expect((await ask({ compare, now: new Date(minute(1)), policy: low })).answer.answer).toBe('pass');
  });

  it('is not invented for a first deployment', async () => {
    const found = await ask({}, { previousRevision: undefined as never });
    expect(found.asked).toEqual([]);
    expect(found.unknown).toContain('size: nothing ran here before to compare with');
  });

  it('that was given up is no answer', async () => {
    const giveUp = () => {
      throw new AdapterError('cancelled', 'given up');
    };
    await expect(ask({ compare: giveUp })).rejects.toThrow('given up');
  });
});

describe('what our own records say', () => {
  it('becomes history, a recent failure and a way back', async () => {
    const failed = delivered('f', 'f'.repeat(40), taskTriggered(3, 'evaluation'), taskFinished('evaluation', 'fail'));
    const found = await ask({ past: [failed, delivered('old', COMMIT)] });
    expect(found.answer.figures['base']).toMatchObject({ seen: '1 of 2 failed in 90 days' });
    expect(found.seen('recentFailure')).toBe('failed 0 h ago');
    expect(found.seen('rollback')).toBe('goes back to what ran before');
    expect(found.seen('lastDeployment')).toBe('0 d ago');
  });

  it('knows who was here before', async () => {
    const first = await ask({});
    const before = fold([
      triggered({ sequence: 'x', revision: 'c'.repeat(40) }),
      ...planned(step('checks'), step('sync')).slice(1),
      taskTriggered(1, 'checks'),
      taskFinished('checks', 'pass', { data: { answers: [first.answer] } }),
      taskTriggered(2, 'sync'),
      taskFinished('sync', 'pass'),
      {
        name: 'sequence.finished',
        at: minute(9),
        data: { status: 'succeeded', result: 'pass', reason: 'completed', message: '' },
      },
    ]);
    expect(first.seen('familiarity')).toBeUndefined();
    expect((await ask({ past: [before] })).seen('familiarity')).toBe('authors know these parts');
    const grace = comparison({ commits: [{ sha: COMMIT, subject: 'x', author: 'Grace', date: START }] });
    expect((await ask({ past: [before], compare: () => grace })).seen('familiarity')).toBe('1 of 1 author new here');
  });

  it('tells of the stage before: its verdict, its soak, and who approved', async () => {
    const previous = delivered(
      'p',
      COMMIT,
      taskTriggered(3, 'evaluation'),
      taskFinished('evaluation', 'warning'),
      taskTriggered(4, 'promotion'),
      decision('approve', { task: 'seq.4-promotion', actor: 'ada' }),
    );
    const promotedBy = { sequence: 'p', pullRequest: 1 };
    const found = await ask({ previous }, { promotedBy });
    expect(found.seen('previousStage')).toBe('ended with warning there');
    expect(found.seen('previousSoak')).toBe('ran 0 ms of 1 h there');
    expect(found.seen('selfApproval')).toBe('approved by an author');
    expect((await ask({}, { promotedBy })).unknown).toContain('previousStage: the record of the stage before is gone');
  });
});

describe('what queries say', () => {
  const policy: RiskPolicy = {
    approvalAbove: 99,
    alerts: { query: 'alerts' },
    dependencies: [{ name: 'payments', query: 'payments', below: 0.99 }],
    infrastructure: [{ name: 'upgrade', query: 'upgrade', above: 0, deny: true }],
  };
  const fine = { alerts: 0, payments: 1, upgrade: 0 };

  it('becomes signals', async () => {
    const found = await ask({ policy, metrics: { ...fine, alerts: 2, payments: 0.9 } });
    expect(found.seen('alerts')).toBe('2 alerts fired in 24 h');
    expect(found.seen('dependencies')).toBe('payments 0.9 is below 0.99');
    expect(found.seen('infrastructure')).toBe('all fine');
    expect(found.answer.answer).toBe('pass');
  });

  it('denies where a hard rule is broken', async () => {
    expect((await ask({ policy, metrics: { ...fine, upgrade: 1 } })).answer).toMatchObject({
      answer: 'deny',
      reasons: expect.arrayContaining(['upgrade 1 is above 0']),
    });
  });

  it('during an outage is unknown and named; only the hard rule could not be judged', async () => {
    const down = new AdapterError('unavailable', 'Prometheus main could not be reached');
    const soft = await ask({ policy, metrics: { ...fine, alerts: down, payments: down } });
    expect(soft.answer.answer).toBe('pass');
    expect(soft.unknown).toEqual([
      'alerts: Prometheus main could not be reached',
      'dependencies: payments: Prometheus main could not be reached',
    ]);
    const hard = await ask({ policy, metrics: { ...fine, upgrade: down } });
    expect(hard.answer).toMatchObject({ answer: 'unknown' });
    expect(hard.answer.reasons[0]).toBe('upgrade could not be read: Prometheus main could not be reached');
    expect((await ask({ policy, metrics: { alerts: 0, payments: 1 } })).answer.answer).toBe('unknown');
  });
});
