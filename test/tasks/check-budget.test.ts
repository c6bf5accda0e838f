import { describe, expect, it } from 'vitest';
import type { CommitInfo, GitHost } from '../../src/adapters/git-hosts/git-host.ts';
import type { MetricQuery, MetricsSource } from '../../src/adapters/metrics/metrics-source.ts';
import { AdapterError } from '../../src/base/adapter-error.ts';
import type { ErrorBudgetPolicy } from '../../src/definitions/delivery-budget.ts';
import { fold, type SequenceState } from '../../src/engine/sequence.ts';
import type { BudgetObjective } from '../../src/slo/budget-objective.ts';
import { withBurnedBudget } from '../../src/tasks/attribute-budget.ts';
import { checkBudget } from '../../src/tasks/check-budget.ts';
import { pass, type TaskInput, type TaskTools, waiting } from '../../src/tasks/task.ts';
import { counted, DAY, objective, policy } from '../support/budgets.ts';
import { COMMIT, minute, planned, step, taskFinished, taskTriggered, triggered } from '../support/sequence.ts';

const BEFORE = 'b'.repeat(40);

interface Around {
  /** By a part of the query; an error is an outage. */
  metrics?: (query: MetricQuery) => number | Error | undefined;
  /** None: nothing is configured. */
  source?: { kind: string; name: string } | 'none';
  commits?: Partial<CommitInfo>[];
  message?: string;
  contained?: boolean;
  git?: Error;
  past?: SequenceState[];
  /** Minutes since the sync. */
  at?: number;
}

function world(asked: ErrorBudgetPolicy, around: Around) {
  const sequence = fold([
    triggered({ previousRevision: BEFORE }),
    ...planned(step('checks', { errorBudget: asked }), step('sync')).slice(1),
    taskTriggered(1, 'sync'),
    taskFinished('sync', 'pass'),
    taskTriggered(2, 'soak'),
  ]);
  const queries: MetricQuery[] = [];
  const { kind = 'prometheus', name = 'main' } = around.source === 'none' ? {} : (around.source ?? {});
  const source = {
    kind,
    name,
    read: (query: MetricQuery) => {
      queries.push(query);
      const value = around.metrics?.(query);
      if (value instanceof Error) return Promise.reject(value);
      const none = { ok: false, missing: 'no-data', message: 'the query gives no data' };
      return Promise.resolve(value === undefined ? none : { ok: true, value });
    },
  } as MetricsSource;
  const git = <T>(answer: T) => (around.git ? Promise.reject(around.git) : Promise.resolve(answer));
  const commits = (around.commits ?? []).map((commit) => ({ sha: COMMIT, author: 'Ada', ...commit }));
  const host = {
    contains: () => git(around.contained ?? false),
    compare: () => git({ commits, totalCommits: commits.length, files: [], totalFiles: 0 }),
    commitMessage: () => git(around.message ?? ''),
  } as unknown as GitHost;
  const tools = {
    gitHost: () => host,
    metricsSource: (wanted?: string) =>
      around.source === 'none' || (wanted !== undefined && wanted !== name) ? undefined : source,
    history: { sequences: () => Promise.resolve(around.past ?? []) },
  } as unknown as TaskTools;
  const task = sequence.tasks.at(-1);
  if (!task || !sequence.triggered) throw new Error('there is no task');
  const input = {
    sequence,
    triggered: sequence.triggered,
    task,
    now: new Date(minute(around.at ?? 30)),
    signal: new AbortController().signal,
  } as unknown as TaskInput;
  return { input, tools, queries };
}

const inline = (changes: Partial<ErrorBudgetPolicy> = {}) =>
  policy({ errorRatio: 'e{service="$SERVICE"}[$WINDOW]', target: 0.999, windowMs: 30 * DAY, ...changes });
const check = (asked: ErrorBudgetPolicy, around: Around) => {
  const { input, tools } = world(asked, around);
  return checkBudget(input, tools, asked);
};
const of = (changes: Partial<BudgetObjective>, more: Partial<ErrorBudgetPolicy> = {}) =>
  policy({ objectives: [objective(changes)], ...more });

describe('the check of an error budget', () => {
  it('fills placeholders and asks each source for the range', async () => {
    const asked = inline();
    const { input, tools, queries } = world(asked, { metrics: () => 0.0005 });
    expect((await checkBudget(input, tools, asked)).answer).toBe('pass');
    expect(queries).toMatchObject([
      { query: asked.errorRatio, variables: { WINDOW: '30d', SERVICE: 'checkout', STAGE: 'staging' }, end: minute(30) },
    ]);
  });

  it.each([
    ['without any source', { source: 'none' }, inline(), 'no metrics source is configured'],
    [
      'without the source that it names',
      {},
      inline({ provider: 'other' }),
      'the metrics source other is not configured',
    ],
    [
      'without the source that OpenSLO names',
      {},
      of({ source: { name: 'dd' } }),
      'the metrics source dd is not configured',
    ],
    [
      'without a source of the type that OpenSLO names',
      {},
      of({ source: { type: 'Datadog' } }),
      'no metrics source of type "Datadog" is known',
    ],
    [
      'of slices, at a source that speaks no PromQL',
      { source: { kind: 'datadog', name: 'dd' } },
      of({ method: 'ratio-timeslices', slices: { widthMs: 60_000 } }),
      'which dd (datadog) does not speak',
    ],
    [
      'in an outage',
      { metrics: () => new AdapterError('unavailable', 'Prometheus main cannot be reached') },
      inline(),
      'cannot be reached',
    ],
    ['without a budget', {}, policy(), 'names no OpenSLO file, no recording rules and no error ratio'],
  ] as const)('%s could not be judged, and says why', async (_what, around, asked, reason) => {
    const said = await check(asked, around);
    expect(said).toMatchObject({ answer: 'unknown', reasons: [expect.stringContaining(reason)] });
  });

  it('finds a source by the type that OpenSLO writes', async () => {
    const around = { source: { kind: 'cloudwatch', name: 'aws' }, metrics: () => 0 };
    expect((await check(of({ source: { type: 'CloudWatch' } }), around)).answer).toBe('pass');
  });

  it('is given up when we are', async () => {
    const gone = { metrics: () => new AdapterError('cancelled', 'stopped') };
    await expect(check(inline(), gone)).rejects.toThrow('stopped');
  });

  it('knows what failed deployments cost here', async () => {
    const failed = (sequence: string, burned: number) =>
      fold([
        triggered({ sequence }),
        ...planned(step('sync'), step('soak')).slice(1),
        taskTriggered(1, 'sync'),
        taskFinished('sync', 'pass'),
        taskTriggered(2, 'soak'),
        taskFinished('soak', 'fail', { data: { errorBudget: { burned } } }),
        {
          name: 'sequence.finished',
          at: minute(9),
          data: { status: 'succeeded', result: 'fail', reason: 'failed', message: '' },
        },
      ]);
    const past = [failed('one', 0.1), failed('two', 0.5), failed('three', 0.2)];
    // (3 + 1.5) / (3 + 10) = 34.6 %; the median of 10, 20 and 50 % is 20 %: 6.92 %.
    const said = await check(inline(), { metrics: () => 0.00095, past });
    expect(said.figures['expectedCost']).toMatchObject({ costOfFailure: 0.2, cost: expect.closeTo(0.0692, 4) });
    expect(said).toMatchObject({
      answer: 'needs-approval',
      reasons: [expect.stringContaining('expected to cost 6.92 %'), expect.anything()],
    });
  });
});

describe('a change that an error budget denies', () => {
  const spent = { metrics: () => 0.01 };
  const exempt = inline({ exempt: ['rollback', 'fix', 'security'] });

  it.each([
    ['passes as a rollback that we see ourselves', { contained: true }, 'pass', 'is part of what runs already'],
    [
      'goes to a person as a fix',
      { commits: [{ subject: 'fix: leak' }] },
      'needs-approval',
      'the prefix of its commit',
    ],
    [
      'goes to a person as a security change',
      { commits: [{ subject: 'Raise openssl' }], message: 'Raise openssl\n\nLynceus-Exempt: security' },
      'needs-approval',
      "trailer of Ada's commit",
    ],
  ])('%s', async (_what, around, answer, by) => {
    const said = await check(exempt, { ...spent, ...around });
    expect(said).toMatchObject({ answer, figures: { exemption: { insteadOf: 'deny' } } });
    expect(said.reasons[0]).toContain(by);
    expect(said.reasons[1]).toContain('it is spent');
  });

  it.each([
    ['brings a feature', exempt, { commits: [{ subject: 'feat: more' }] }],
    ['is a fix, where the stage exempts nothing', inline(), { commits: [{ subject: 'fix: leak' }] }],
    ['cannot be looked at', exempt, { git: new AdapterError('unavailable', 'no Git') }],
  ])('stays denied when it %s', async (_what, asked, around) => {
    expect((await check(asked, { ...spent, ...around })).answer).toBe('deny');
  });

  it('and could not be judged, goes to a person even as a rollback', async () => {
    expect((await check(exempt, { contained: true })).answer).toBe('needs-approval');
  });
});

describe('what a deployment burned', () => {
  const finish = async (asked: ErrorBudgetPolicy, around: Around, outcome = pass('stayed healthy')) => {
    const { input, tools, queries } = world(asked, around);
    return { outcome: await withBurnedBudget(input, tools, outcome), queries };
  };
  /** 60 of 10,000 failed since the sync, 10 of 10,000 in as long before; 1,000,000 in the month. */
  const metrics = ({ query, variables, end }: MetricQuery) => {
    if (query.startsWith('all')) return variables['WINDOW'] === '30d' ? 1_000_000 : 10_000;
    return end === minute(30) ? 60 : 10;
  };

  it('stands in what it leaves behind', async () => {
    // (60 - 0.001 * 10,000) / (0.001 * 1,000,000) = 5 %.
    const { outcome, queries } = await finish(policy({ objectives: [counted()] }), { metrics });
    expect(outcome).toMatchObject({
      result: 'pass',
      data: { errorBudget: { burned: expect.closeTo(0.05, 9), method: 'occurrences', watchedMs: 1_800_000 } },
    });
    expect(queries.map(({ variables, end }) => [variables['WINDOW'], end])).toContainEqual(['30m', minute(0)]);
  });

  it('goes by time where events are not counted', async () => {
    // (0.02 - 0.01) * (30 min / 30 d) / 0.001 = 0.69 %.
    const { outcome } = await finish(inline(), {
      metrics: ({ end }: MetricQuery): number => (end === minute(30) ? 0.02 : 0.01),
    });
    expect(outcome).toMatchObject({
      data: { errorBudget: { burned: expect.closeTo((0.01 * 30) / (30 * 24 * 60) / 0.001, 9) } },
    });
  });

  it('is read from the shortest rule of Sloth for any length of time', async () => {
    const { outcome, queries } = await finish(policy({ sloth: 'x' }), {
      metrics: ({ query, end }: MetricQuery): number => {
        if (query.startsWith('slo:objective')) return 0.999;
        if (query.startsWith('slo:time_period')) return 30;
        return query.startsWith('slo:period') ? 0.5 : end === minute(30) ? 0.02 : 0.01;
      },
    });
    expect(outcome).toMatchObject({ data: { errorBudget: { method: 'Sloth: mean of 5-minute ratios' } } });
    expect(queries.map(({ query }) => query)).toContain(
      'avg_over_time(slo:sli_error:ratio_rate5m{sloth_id="$SLOTH_ID"}[$WINDOW])',
    );
  });

  it.each([
    ['nothing can be read', inline(), {}],
    ['the source is down', inline(), { metrics: () => new AdapterError('unavailable', 'down') }],
    ['it ran for seconds only', inline(), { metrics: () => 0, at: 0.5 }],
  ] satisfies [string, ErrorBudgetPolicy, Around][])(
    'is left out when %s, and the verdict stays',
    async (_what, asked, around) => {
      expect((await finish(asked, around)).outcome).toEqual(pass('stayed healthy'));
    },
  );

  it('is not asked while a task waits', async () => {
    const wait = waiting({ kind: 'soak', sentence: 'soaking' }, 1000);
    const { outcome, queries } = await finish(inline(), { metrics: () => 0 }, wait);
    expect([outcome, queries]).toEqual([wait, []]);
  });
});
