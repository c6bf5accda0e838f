import { renameSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { FaultEffect } from '../../examples/sandbox/argocd/faults.ts';
import type { ChangeView } from '../../src/views/change.ts';
import { expectUndisturbed, outcomeOf } from '../support/delivery-outcome.ts';
import {
  createTestWorld,
  DELIVERY,
  eventually,
  SLO,
  seeThrough,
  type TestWorld,
  type TestWorldOptions,
  untilSeen,
} from '../support/lynceus.ts';

/** Others run beside it, on a machine that may be busy: only what never ends is cut off. */
const LIMIT_MS = 360_000;
const THROUGH_MS = 240_000;

describe.concurrent('a Git host that is down', () => {
  it('is waited for; the change says so and goes on by itself', { timeout: LIMIT_MS }, async () => {
    await withWorld({ delivery: DELIVERY.replace('requests: 20', 'duration: 3s') }, async (world) => {
      const { path } = world.repositories.get('checkout') as { path: string };
      const commit = world.release(1);
      await eventually(async () => (await world.changes())[0]?.stages[0]?.tasks.some(({ name }) => name === 'test'), {
        within: THROUGH_MS,
        what: 'the test runs',
      });
      renameSync(path, `${path}.gone`);
      const change = await waitingFor(world, commit, 'unreachable');
      expect(change.stages[0]?.tasks.at(-1)).toMatchObject({
        name: 'promotion',
        waitingFor: { sentence: expect.stringMatching(/Git|repository/) },
      });
      renameSync(`${path}.gone`, path);
      expectUndisturbed(outcomeOf(world, await seeThrough(world, commit, THROUGH_MS)));
    });
  });
});

describe.concurrent('an Argo CD in trouble', () => {
  const troubles: [string, FaultEffect][] = [
    ['answers 401', { kind: 'answer', status: 401, code: 16, message: 'no session information' }],
    ['answers 403', { kind: 'answer', status: 403, code: 7, message: 'permission denied' }],
    ['answers 500', { kind: 'answer', status: 500, code: 2, message: 'rpc error' }],
    ['answers HTML', { kind: 'answer', status: 200, text: '<html>sign in</html>', contentType: 'text/html' }],
    ['hangs', { kind: 'hang' }],
    ['cuts the connection', { kind: 'reset' }],
  ];

  it.each(troubles)(
    'that %s is waited for, and nothing is done twice',
    { timeout: LIMIT_MS },
    async (_name, effect) => {
      await withWorld({}, async (world) => {
        const commit = world.release(1);
        world.argocd.faults.next({ path: '/applications/checkout-(dev|staging)', times: 6, effect });
        expectUndisturbed(outcomeOf(world, await seeThrough(world, commit, THROUGH_MS)));
      });
    },
  );

  const unknown: [string, FaultEffect][] = [
    ['answers 500 to a sync that it has started', { kind: 'apply-then-fail', status: 500 }],
    ['answers 504 to a sync that it has started', { kind: 'apply-then-fail', status: 504 }],
    ['cuts the connection after it has started a sync', { kind: 'apply-then-fail', status: 0 }],
    ['breaks off its answer to a sync', { kind: 'cut-answer' }],
  ];

  it.each(unknown)('that %s is read back, not asked again', { timeout: LIMIT_MS }, async (_name, effect) => {
    await withWorld({}, async (world) => {
      const commit = world.release(1);
      world.argocd.faults.next({ method: 'POST', path: '/sync$', times: 2, effect });
      expectUndisturbed(outcomeOf(world, await seeThrough(world, commit, THROUGH_MS)));
    });
  });

  it('whose sync fails stops the change: nothing is promoted', { timeout: LIMIT_MS }, async () => {
    await withWorld({}, async (world) => {
      world.argocd.faults.next({
        method: 'POST',
        path: '/applications/checkout-staging/sync$',
        times: 1,
        effect: { kind: 'answer', status: 400, code: 3, message: 'revision cannot be resolved' },
      });
      const change = await seeThrough(world, world.release(1), THROUGH_MS);
      expect(change.stages.map(({ stage, result }) => [stage, result])).toEqual([
        ['dev', 'pass'],
        ['staging', 'fail'],
      ]);
      expect(change.stages[1]?.message).toContain('revision cannot be resolved');
      expect(world.syncsOf('checkout-production')).toEqual([]);
    });
  });
});

describe.concurrent('a metrics source', () => {
  const vector = (...values: string[]) =>
    JSON.stringify({
      status: 'success',
      data: {
        resultType: 'vector',
        result: values.map((value, at) => ({ metric: { pod: String(at) }, value: [0, value] })),
      },
    });
  const judged: [string, string][] = [
    ['without data', vector()],
    ['with NaN', vector('NaN')],
    ['with infinity', vector('+Inf')],
    ['with several series', vector('0', '0')],
  ];

  it.each(judged)('%s never makes a pass', { timeout: LIMIT_MS }, async (_name, answer) => {
    await withMetrics(async (metrics, world) => {
      metrics.say(200, answer);
      const change = await seeThrough(world, world.release(1), THROUGH_MS);
      expect(change.stages).toHaveLength(1);
      expect(change.stages[0]?.result).toBe('fail');
      expect(change.stages[0]?.pullRequest).toBeUndefined();
    });
  });

  it('that is down is waited for; the change says so and goes on by itself', { timeout: LIMIT_MS }, async () => {
    await withMetrics(async (metrics, world) => {
      metrics.say(503, 'no');
      const commit = world.release(1);
      const change = await waitingFor(world, commit, 'unreachable');
      expect(change.stages[0]?.tasks.at(-1)).toMatchObject({ name: 'evaluation' });
      expect(change.stages[0]?.pullRequest).toBeUndefined();
      metrics.say(200, vector('0'));
      expectUndisturbed(outcomeOf(world, await seeThrough(world, commit, THROUGH_MS)));
    });
  });

  it('that is down holds a check of the error budget, and the change goes on by itself', {
    timeout: LIMIT_MS,
  }, async () => {
    const budget =
      'errorBudget: {errorRatio: "errors:ratio_rate$WINDOW{service=\\"$SERVICE\\"}", target: 0.99, window: 30d, maximumBurnRate: {1h: 14.4}}';
    await withMetrics(
      async (metrics, world) => {
        metrics.say(503, 'no');
        const commit = world.release(1);
        const change = await waitingFor(world, commit, 'data');
        expect(change.stages.at(-1)).toMatchObject({ stage: 'staging', status: 'waiting' });
        expect(world.syncsOf('checkout-staging')).toEqual([]);
        metrics.say(200, vector('0.001'));
        expectUndisturbed(outcomeOf(world, await seeThrough(world, commit, THROUGH_MS)));
      },
      {
        delivery: DELIVERY.replace(
          'checks: {risk: {approvalAbove: 99}}',
          `checks: {risk: {approvalAbove: 99}, ${budget}}`,
        ),
        files: {},
      },
    );
  });
});

interface Metrics {
  say(status: number, body: string): void;
}

/** A world whose SLO is measured by something that speaks Prometheus' API and says what it is told. */
async function withMetrics(
  act: (metrics: Metrics, world: TestWorld) => Promise<void>,
  options: TestWorldOptions = measuredByPrometheus,
): Promise<void> {
  let answer = { status: 200, body: '' };
  const server: Server = createServer((_request, response) => {
    response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const say = (status: number, body: string) => {
    answer = { status, body };
  };
  try {
    await withWorld(
      { ...options, connections: `metrics:\n  - {name: prometheus, kind: prometheus, url: "${url}"}\n` },
      (world) => act({ say }, world),
    );
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const measuredByPrometheus: TestWorldOptions = {
  delivery: DELIVERY.replaceAll('evaluation: {slo: slo.yaml}', 'evaluation: {slo: slo.yaml, sli: sli.yaml}'),
  files: {
    'slo.yaml': SLO,
    'sli.yaml': 'spec_version: "1.0"\nindicators: {error_rate: \'errors:ratio{service="$SERVICE"}\'}\n',
  },
};

async function waitingFor(world: TestWorld, commit: string, kind: string): Promise<ChangeView> {
  return eventually(
    async () => {
      const change = (await world.changes()).find(({ revision }) => revision === commit);
      for (const stage of change?.stages ?? []) {
        if (stage.decide?.what !== 'promotion') continue;
        await world.decide(change?.id ?? '', {
          verdict: 'approve',
          reason: 'ok',
          stage: stage.stage,
          revision: stage.decide.revision,
        });
      }
      return change?.stages.some(({ tasks }) => tasks.at(-1)?.waitingFor?.kind === kind) ? change : undefined;
    },
    { within: THROUGH_MS, what: `${commit} waits because of ${kind}`, otherwise: () => world.changes() },
  );
}

async function withWorld(options: TestWorldOptions, act: (world: TestWorld) => Promise<void>): Promise<void> {
  const world = await createTestWorld(options);
  try {
    await world.start();
    await untilSeen(world);
    await act(world);
  } finally {
    await world.stop();
  }
}
