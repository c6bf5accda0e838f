import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ChangeRow } from '../../src/answers/change-row.ts';
import type { Step } from '../../src/answers/step.ts';
import { assertCdEvent, type CdEventJson } from '../support/cd-events.ts';
import { eventually, PERSON_TOKEN, type TestWorld } from '../support/lynceus.ts';
import { deliveryWith, isOver, story } from '../support/story.ts';

const LIMIT = { timeout: 90_000 };
const SOURCE = 'ab'.repeat(20);
const DIGEST = `sha256:${'d'.repeat(64)}`;
const HEADERS = { Authorization: `Bearer ${PERSON_TOKEN}`, 'Content-Type': 'application/json' };

/** What a pipeline says. */
async function report(world: TestWorld, body: object): Promise<void> {
  const answer = await world.ask('/api/v1/events', { method: 'POST', headers: HEADERS, body: JSON.stringify(body) });
  expect(await answer.text()).toBe('');
  expect(answer.status).toBe(202);
}

async function rows(world: TestWorld): Promise<ChangeRow[]> {
  return ((await (await world.ask('/api/v1/changes')).json()) as { rows: ChangeRow[] }).rows;
}

async function stepsOf(world: TestWorld, id: string): Promise<Step[]> {
  return ((await (await world.ask(`/api/v1/changes/${id}`)).json()) as { steps: Step[] }).steps;
}

const own = {
  service: 'checkout',
  commit: SOURCE,
  repository: 'https://github.com/acme/checkout',
  run: { id: '77', url: 'https://ci.example.com/77' },
};
const ADA = { name: 'Ada', login: 'ada' };

describe('a change on its way from the commit to the cluster', () => {
  it('is one row from its build on, and keeps its author, its image and its waits', LIMIT, async () => {
    const sink = await startSink();
    try {
      const delivery = deliveryWith('dev', 'sync: automatic');
      const connections = `eventSinks:\n  - {name: bus, kind: http, url: "${sink.url}"}\n`;
      await story({ delivery, connections }, async ({ world, release, stage }) => {
        await report(world, {
          ...own,
          kind: 'build',
          state: 'started',
          author: ADA,
          title: 'Retry card timeouts',
          team: 'payments',
        });
        const built = await eventually(async () => (await rows(world)).find(({ commit }) => commit.id === SOURCE), {
          within: 20_000,
          what: 'the build is a row of its own',
        });
        expect(built).toMatchObject({
          service: 'checkout',
          author: ADA,
          title: 'Retry card timeouts',
          state: 'running',
        });
        await report(world, { ...own, kind: 'build', state: 'failed', step: { name: 'go test', number: 2, of: 4 } });
        await eventually(
          async () =>
            (await rows(world)).find(
              ({ blocker }) => blocker.kind === 'ci' && /^\w+ failed at step 2 of 4: go test$/.test(blocker.sentence),
            ),
          { within: 20_000, what: 'the failed build is told', otherwise: () => rows(world) },
        );

        const again = { ...own, run: { id: '78', url: 'https://ci.example.com/78' } };
        // In disorder, and twice: networks do that.
        const image = {
          ...again,
          kind: 'image',
          state: 'finished',
          image: 'ghcr.io/acme/checkout:1.8.2',
          digest: DIGEST,
        };
        for (const one of [
          image,
          { ...again, kind: 'build', state: 'finished' },
          { ...again, kind: 'build', state: 'started' },
          image,
        ])
          await report(world, one);
        const manifest = release(1);
        const pullRequest = 'https://github.com/acme/deploy/pull/412';
        await report(world, { ...again, kind: 'manifest', state: 'finished', manifestCommit: manifest, pullRequest });
        await report(world, { kind: 'pull-request', state: 'finished', pullRequest, mergedBy: 'lin' });

        await stage(manifest, 'dev', isOver, 'is delivered');
        const row = await eventually(
          async () => {
            const all = await rows(world);
            return all.length === 1 && all[0]?.version === '1.8.2' ? all[0] : undefined;
          },
          { within: 30_000, what: 'one row tells all of it', otherwise: () => rows(world) },
        );
        expect(row).toMatchObject({
          author: ADA,
          title: 'Retry card timeouts',
          team: 'payments',
          commit: { id: SOURCE },
          pr: { text: 'PR 412', url: pullRequest },
        });
        const steps = await stepsOf(world, row.id);
        expect(steps.map(({ stage: where, key, state }) => [where, key, state])).toEqual(
          expect.arrayContaining([
            [undefined, 'build', 'passed'],
            [undefined, 'image', 'passed'],
            [undefined, 'manifest', 'passed'],
            [undefined, 'review', 'passed'],
            ['dev', 'sync', 'passed'],
          ]),
        );
        expect(steps[0]).toMatchObject({
          key: 'build',
          attempt: 2,
          startedAt: expect.any(String),
          endedAt: expect.any(String),
        });
        expect(steps.find(({ key }) => key === 'image')?.detail).toContain('ghcr.io/acme/checkout:1.8.2@sha256:ddd');
        expect(steps.find(({ key }) => key === 'review')?.detail).toBe('PR 412 merged by lin');

        // Two clusters of a ring that somebody else deploys to, known by the digest.
        for (const [cluster, state] of [
          ['eu-1', 'finished'],
          ['eu-2', 'failed'],
        ])
          await report(world, { kind: 'deploy', state, stage: 'edge', cluster, digest: DIGEST, service: 'checkout' });
        const told = await eventually(
          async () => {
            const found = (await stepsOf(world, row.id)).filter((step) => step.stage === 'edge');
            return found.length === 2 ? found : undefined;
          },
          { within: 20_000, what: 'both clusters are told of' },
        );
        expect(told.map(({ cluster, state }) => [cluster, state])).toEqual([
          ['eu-1', 'passed'],
          ['eu-2', 'failed'],
        ]);

        // Who has kept the address of the build finds the delivery.
        const moved = await world.ask(`/api/v1/changes/${built.id}`, { redirect: 'manual' });
        expect([moved.status, moved.headers.get('location')]).toEqual([302, `/api/v1/changes/${row.id}`]);

        const heard = await eventually(
          async () =>
            sink.events.some(({ context }) => context.type.includes('pipelinerun.finished')) ? sink.events : undefined,
          { within: 20_000, what: 'the sink heard of the end' },
        );
        for (const event of heard) assertCdEvent(event);
        const pulled = (await (await world.ask('/api/v1/events?format=cdevents&limit=1000')).json()) as {
          events: { data: CdEventJson }[];
        };
        for (const { data } of pulled.events) assertCdEvent(data);
        expect(pulled.events.map(({ data }) => data)).toEqual(expect.arrayContaining(heard));
        expect(heard.map(({ context }) => context.type.split('.').slice(2, 4).join('.'))).toContain('service.upgraded');
        expect(new Set(heard.map(({ context }) => context.chainId))).toEqual(new Set([row.id]));
      });
    } finally {
      await sink.close();
    }
  });

  it('has arrived with the newer commit that skipped over its own', LIMIT, async () => {
    await story({ delivery: deliveryWith('dev', 'sync: automatic') }, async ({ world, release, stage }) => {
      const repository = world.repositories.get('checkout');
      const before = repository?.git('rev-parse', 'refs/heads/stage/dev').trim() ?? '';
      // Both before anybody looks: nobody ever sees the first one alone.
      const [skipped, newer] = (() => {
        const first = release(1);
        return [first, release(2)];
      })();
      expect(before).not.toBe(skipped);
      await report(world, { ...own, kind: 'build', state: 'finished' });
      await report(world, { ...own, kind: 'manifest', state: 'finished', manifestCommit: skipped });
      await stage(newer, 'dev', isOver, 'is delivered');
      const all = await eventually(
        async () => {
          const found = await rows(world);
          return found.length === 1 ? found : undefined;
        },
        { within: 40_000, what: 'the skipped one is no row of its own', otherwise: () => rows(world) },
      );
      const steps = await stepsOf(world, all[0]?.id ?? '');
      expect(steps).toContainEqual(
        expect.objectContaining({ key: 'manifest', detail: 'checkout abababab arrived with it' }),
      );
    });
  });
});

/** Somebody who listens. */
async function startSink() {
  const events: CdEventJson[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      events.push((JSON.parse(body) as { data: CdEventJson }).data);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hear`,
    events,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
