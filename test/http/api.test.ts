import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChangeView } from '../../src/views/change.ts';
import {
  bearer,
  type HttpWorld,
  notification,
  problemOf,
  startHttpWorld,
  story,
  TOKENS,
  YEARS,
} from '../support/http-world.ts';
import { eventually } from '../support/lynceus.ts';
import { COMMIT, minute, planned, step, taskFinished, taskTriggered, triggered } from '../support/sequence.ts';

const waiting = (groups: string[] = [], quorum = 1) => [
  ...planned(step('approval', { always: true, groups, quorum }), step('sync'), step('rollout')),
  taskTriggered(1, 'approval', YEARS),
];
const promoting = (reviews: 'lynceus' | 'host') => [
  ...planned(step('promotion')),
  taskTriggered(1, 'promotion', YEARS),
  {
    name: 'task.waiting' as const,
    at: minute(5),
    data: {
      task: 'seq.1-promotion',
      blocker: { kind: 'review' as const, sentence: 'waiting for a review of pull request 7' },
      memo: { pullRequest: 7, url: 'https://git.example.com/shop/pulls/7', reviews },
    },
  },
];
const syncing = [...planned(step('sync')), taskTriggered(1, 'sync', YEARS)];
const finished = [
  ...planned(),
  {
    name: 'sequence.finished' as const,
    at: minute(9),
    data: { status: 'succeeded' as const, result: 'pass' as const, reason: 'completed' as const, message: 'all well' },
  },
];

async function startWorld(): Promise<HttpWorld> {
  return startHttpWorld({
    sequences: [
      ...['open', 'payments', 'stale', 'idempotent', 'paused', 'seen'].map((id) =>
        story(id, waiting(id === 'payments' ? ['payments'] : [])),
      ),
      story('syncing', syncing),
      story('finished', finished),
      story('reviewed-here', promoting('lynceus')),
      story('reviewed-there', promoting('host')),
      story('approved-twice', waiting([], 2)),
    ],
  });
}

describe('a decision', () => {
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.stop());

  const decisionFor = async (id: string, changes: object = {}) => {
    const { decide, revision } = (await world.change(`ctx-${id}`)).stages[0]!;
    return { verdict: 'approve', reason: 'tested by hand', revision, evidence: decide?.evidence, ...changes };
  };
  const made = async (id: string) => {
    const answer = await world.get(`/api/v1/events?stream=sequence/${id}`);
    const { events } = (await answer.json()) as { events: { type: string; data: Record<string, unknown> }[] };
    return events.filter(({ type }) => type === 'dev.lynceus.decision.made.v1').map(({ data }) => data);
  };

  it('is kept with who made it, why, and what was seen', async () => {
    const decision = await decisionFor('open');
    const answer = await world.decide('ctx-open', decision);
    expect(answer.status).toBe(201);
    const { stages } = (await answer.json()) as ChangeView;
    const approval = stages[0]?.tasks.find(({ name }) => name === 'approval');
    expect(approval?.decisions).toMatchObject([{ actor: 'approver', verdict: 'approve', reason: 'tested by hand' }]);
    expect(await made('open')).toMatchObject([
      { actor: 'approver', method: 'token', revision: COMMIT, evidence: decision.evidence },
    ]);
  });

  it('moves the change on', async () => {
    await eventually(
      async () => (await world.change('ctx-open')).stages[0]?.tasks.some(({ name }) => name === 'sync'),
      { within: 5_000, what: 'the sync after the approval' },
    );
    // No application of this service was ever seen, so there is nothing to sync: that is a failure, and counted.
    await eventually(
      async () =>
        (await (await world.get('/metrics')).text()).includes(
          'lynceus_tasks_total{task="sync",status="errored",result="fail"} 1',
        ),
      { within: 5_000, what: 'the sync among the finished tasks' },
    );
  });

  it.each([
    ['another commit than the one under way', 'stale', { revision: 'b'.repeat(40) }, 409, 'stale'],
    ['evidence that changed', 'stale', { evidence: 'something else' }, 409, 'stale'],
    ['a change that is over', 'finished', {}, 409, 'over'],
    ['a change that waits for nobody', 'syncing', {}, 409, 'nothing-to-decide'],
    ['a pull request that its host reviews', 'reviewed-there', {}, 409, 'decided-elsewhere'],
    ['a stage that the change is not in', 'stale', { stage: 'production' }, 404, 'not-found'],
    ['no reason', 'stale', { reason: undefined }, 400, 'invalid-request'],
    ['an empty reason', 'stale', { reason: ' \n' }, 400, 'invalid-request'],
    ['an endless reason', 'stale', { reason: 'x'.repeat(2001) }, 400, 'invalid-request'],
    ['no commit', 'stale', { revision: undefined }, 400, 'invalid-request'],
    ['an unknown verdict', 'stale', { verdict: 'maybe' }, 400, 'invalid-request'],
    ['a verdict that is no text', 'stale', { verdict: ['approve'] }, 400, 'invalid-request'],
    ['evidence that is no text', 'stale', { evidence: { $ne: null } }, 400, 'invalid-request'],
  ])('is refused for %s', async (_what, id, changes, status, code) => {
    const answer = await world.decide(`ctx-${id}`, await decisionFor(id, changes));
    expect(await problemOf(answer)).toMatchObject({ status, code });
    expect(await made(id)).toEqual([]);
  });

  it('is refused on a revision that has moved, whatever is decided, and taken on the one that is shown', async () => {
    const { row } = (await (await world.get('/api/v1/changes/ctx-seen')).json()) as { row: { rev: number } };
    for (const verdict of ['approve', 'pause', 'abort', 'override']) {
      const answer = await world.decide('ctx-seen', await decisionFor('seen', { verdict, rev: row.rev - 1 }));
      expect(await problemOf(answer)).toMatchObject({ status: 409, code: 'changed' });
    }
    expect(await problemOf(await world.decide('ctx-seen', await decisionFor('seen', { rev: 'now' })))).toMatchObject({
      status: 400,
      detail: 'rev: must be the number that the change shows',
    });
    expect(await made('seen')).toEqual([]);
    // Of several at once on the same revision one is first, and the others are told.
    const pause = await decisionFor('seen', { verdict: 'pause', rev: row.rev });
    const answers = await Promise.all([1, 2, 3].map(() => world.decide('ctx-seen', pause)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    expect(await made('seen')).toHaveLength(1);
  });

  it('belongs to the groups that the stage names', async () => {
    const decision = await decisionFor('payments');
    const outside = await world.decide('ctx-payments', decision, bearer(TOKENS.OUTSIDER));
    expect(await problemOf(outside)).toMatchObject({
      status: 403,
      code: 'not-allowed',
      detail: 'outsider is in none of the groups that decide here: payments',
    });
    expect(await made('payments')).toEqual([]);
    expect((await world.decide('ctx-payments', decision)).status).toBe(201);
  });

  it('belongs to tokens that may decide', async () => {
    for (const token of [TOKENS.READER, TOKENS.REPORTER]) {
      const answer = await world.decide('ctx-stale', await decisionFor('stale'), bearer(token));
      expect(await problemOf(answer)).toMatchObject({ status: 403, code: 'forbidden' });
    }
    expect(await made('stale')).toEqual([]);
  });

  it('can be to merge the pull request, where Lynceus reviews it', async () => {
    const { decide } = (await world.change('ctx-reviewed-here')).stages[0]!;
    expect(decide).toMatchObject({ what: 'promotion', quorum: 1 });
    expect((await world.decide('ctx-reviewed-here', await decisionFor('reviewed-here'))).status).toBe(201);
  });

  it('is kept once, when somebody approves again before anything happened', async () => {
    const decision = await decisionFor('approved-twice');
    for (let time = 0; time < 3; time++) expect((await world.decide('ctx-approved-twice', decision)).status).toBe(201);
    expect(await made('approved-twice')).toHaveLength(1);
    const other = { ...decision, reason: 'looked closer' };
    expect((await world.decide('ctx-approved-twice', other)).status).toBe(201);
    expect(await made('approved-twice')).toHaveLength(2);
  });

  it('counts once under one Idempotency-Key, however often it is sent', async () => {
    const decision = await decisionFor('idempotent', { verdict: 'approve' });
    const headers = { ...bearer(TOKENS.APPROVER), 'Idempotency-Key': 'release-42' };
    const answers = await Promise.all([1, 2, 3].map(() => world.decide('ctx-idempotent', decision, headers)));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    // By now the change waits for nobody any more: a repetition is still the decision that was taken.
    await eventually(
      async () => (await world.change('ctx-idempotent')).stages[0]?.tasks.some(({ name }) => name === 'sync'),
      { within: 5_000, what: 'the sync after the approval' },
    );
    expect((await world.decide('ctx-idempotent', decision, headers)).status).toBe(201);
    expect(await made('idempotent')).toHaveLength(1);
  });

  it('does not pause again what was resumed, when an old pause is sent once more', async () => {
    const send = (verdict: string, key: string) =>
      world.decide(
        'ctx-paused',
        { verdict, reason: 'looking into it', revision: COMMIT },
        { ...bearer(TOKENS.APPROVER), 'Idempotency-Key': key },
      );
    const paused = async (answer: Response) => ((await answer.json()) as ChangeView).stages[0]?.paused;
    expect(await paused(await send('pause', 'one'))).toEqual({ actor: 'approver', reason: 'looking into it' });
    expect(await paused(await send('resume', 'two'))).toBeUndefined();
    expect(await paused(await send('pause', 'one'))).toBeUndefined();
    expect(await made('paused')).toHaveLength(2);
  });
});

describe('the list of changes', () => {
  const PLACES = [
    { project: 'shop', stage: 'dev', service: 'checkout' },
    { project: 'shop', stage: 'staging', service: 'basket' },
    { project: 'bank', stage: 'dev', service: 'checkout' },
  ];
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startHttpWorld({
      sequences: Array.from({ length: 9 }, (_, at) =>
        // Every three are triggered at one moment, so that pages end in the middle of ties.
        story(`s${at}`, [triggered()], { place: PLACES[at % 3]!, at: minute(Math.floor(at / 3)) }),
      ),
    });
  });
  afterAll(() => world.stop());
  const list = async (query: string) =>
    (await (await world.get(`/api/v1/changes?journeys=1&${query}`)).json()) as { changes: ChangeView[]; next?: string };

  it('comes in pages without gaps and repetitions, the newest first', async () => {
    const seen: ChangeView[] = [];
    let cursor = '';
    for (let pages = 0; pages < 10; pages++) {
      const { changes, next } = await list(`limit=2&cursor=${encodeURIComponent(cursor)}`);
      seen.push(...changes);
      if (next === undefined) break;
      cursor = next;
    }
    expect(new Set(seen.map(({ id }) => id)).size).toBe(9);
    expect(seen).toHaveLength(9);
    const times = seen.map(({ updatedAt }) => updatedAt);
    expect(times).toEqual(times.toSorted().reverse());
  });

  it.each([
    ['project=shop', 6],
    ['project=bank', 3],
    ['service=checkout', 6],
    ['stage=staging', 3],
    ['project=shop&service=checkout', 3],
    ['project=nobody', 0],
    ['project=', 9],
    ["project=' or 1=1 --", 0],
  ])('is filtered by %s', async (query, count) => {
    expect((await list(query)).changes).toHaveLength(count);
  });

  it('is bounded', async () => {
    expect((await list('limit=1')).changes).toHaveLength(1);
    expect((await world.get('/api/v1/changes?limit=201')).status).toBe(400);
  });

  it('reads the log from any place on', async () => {
    const page = async (query: string) =>
      (await (await world.get(`/api/v1/events?${query}`)).json()) as {
        events: { sequencenumber: number; stream: string }[];
        next?: number;
      };
    const first = await page('limit=4');
    const second = await page(`limit=100&after=${first.next}`);
    const numbers = [...first.events, ...second.events].map(({ sequencenumber }) => sequencenumber);
    expect(numbers).toHaveLength(9);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect((await page('stream=sequence/s3')).events).toMatchObject([{ stream: 'sequence/s3' }]);
  });
});

describe('the metrics', () => {
  it('have the documented names, and count what comes in by what became of it', async () => {
    const world = await startHttpWorld({ sequences: [story('one', [...waiting(), taskFinished('approval', 'pass')])] });
    try {
      const send = (token: string, body: string) => world.post('/webhooks/argocd', body, bearer(token));
      const body = JSON.stringify(notification('checkout'));
      await send(TOKENS.WEBHOOK_NEW, body);
      await send(TOKENS.WEBHOOK_NEW, body);
      await send('wrong-token-0123456789', body);
      await send(TOKENS.WEBHOOK_NEW, '{');
      const metrics = await (await world.get('/metrics')).text();
      for (const name of [
        'lynceus_queue_jobs gauge',
        'lynceus_received_total counter',
        'lynceus_append_seconds histogram',
        'lynceus_tasks_total counter',
        'lynceus_task_run_seconds histogram',
        'lynceus_task_duration_seconds histogram',
        'lynceus_task_failures_total counter',
        'lynceus_sequences_total counter',
        'lynceus_jobs_total counter',
      ])
        expect(metrics).toContain(`# TYPE ${name}\n`);
      for (const outcome of ['stored', 'duplicate', 'unauthenticated', 'not-json'])
        expect(metrics).toContain(`lynceus_received_total{sender="argocd",outcome="${outcome}"} 1\n`);
      expect(metrics).toMatch(/lynceus_append_seconds_count\{operation="receive"\} 2\n/);
      expect(metrics).toMatch(/lynceus_queue_jobs\{queue="reconcile",state="\w+"\} 1\n/);
    } finally {
      await world.stop();
    }
  });
});
