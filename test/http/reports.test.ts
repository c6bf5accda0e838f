import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assertCdEvent, type CdEventJson, conformanceEvents } from '../support/cd-events.ts';
import { bearer, type HttpWorld, problemOf, startHttpWorld, TOKENS } from '../support/http-world.ts';

let world: HttpWorld;
beforeAll(async () => {
  world = await startHttpWorld();
});
afterAll(() => world.stop());

const send = (body: unknown, headers: Record<string, string> = { 'Content-Type': 'application/json' }) =>
  world.post('/api/v1/events', typeof body === 'string' ? body : JSON.stringify(body), {
    ...headers,
    ...bearer(TOKENS.REPORTER),
  });

/** A CDEvent as the HTTP binding of CloudEvents carries it. */
const inCloudEvent = (event: CdEventJson, id: string) => ({
  specversion: '1.0',
  id,
  source: event.context.source,
  type: event.context.type,
  time: event.context.timestamp,
  datacontenttype: 'application/json',
  data: event,
});

describe('CDEvents', () => {
  const examples = conformanceEvents();

  it.skipIf(examples.length === 0)('are accepted, all that the specification has, in each of three forms', async () => {
    expect(examples.length).toBe(45);
    for (const [name, event] of examples) {
      assertCdEvent(event);
      const plain = { ...event, context: { ...event.context, id: `plain-${name}` } };
      expect((await send(plain)).status, name).toBe(202);
      const structured = await send(inCloudEvent(event, `structured-${name}`), {
        'Content-Type': 'application/cloudevents+json',
      });
      expect(structured.status, name).toBe(202);
      const binary = await send(event, {
        'Content-Type': 'application/json',
        'ce-specversion': '1.0',
        'ce-id': `binary-${name}`,
        'ce-source': event.context.source,
        'ce-type': event.context.type,
      });
      expect(binary.status, name).toBe(202);
    }
    const batch = examples.map(([name, event]) => inCloudEvent(event, `batch-${name}`));
    expect((await send(batch, { 'Content-Type': 'application/cloudevents-batch+json' })).status).toBe(202);
  });

  it.each([
    [
      'no timestamp',
      { context: { id: 'x', source: '/ci', type: 'dev.cdevents.build.started.0.3.0' }, subject: { id: 'b' } },
      'context.timestamp',
    ],
    ['a type of nobody', cd('dev.cdevents.build', {}), 'context.type'],
    ['an incident nowhere', cd('dev.cdevents.incident.detected.0.3.0', { description: 'slow' }), 'environment'],
    ['an outcome that is no text', cd('dev.cdevents.pipelinerun.finished.0.3.0', { outcome: { ok: true } }), 'outcome'],
    [
      'a commit of ours that is none',
      cd('dev.cdevents.build.started.0.3.0', {}, { lynceus: { commit: 'main' } }),
      'commit',
    ],
    ['our own name', cd('dev.cdevents.build.started.0.3.0', {}, {}, 'lynceus'), 'reserved'],
  ])('are refused with %s, and the field is named', async (_, event, field) => {
    const answer = await send(event);
    expect(await problemOf(answer)).toMatchObject({
      status: 400,
      code: 'invalid-event',
      detail: expect.stringContaining(field),
    });
  });

  it('of a kind that nobody knows yet are kept', async () => {
    expect((await send(cd('dev.cdevents.rocket.launched.0.1.0', { altitude: 3 }))).status).toBe(202);
  });
});

function cd(type: string, content: object, customData: object = {}, source = '/ci/acme'): CdEventJson {
  return {
    context: { id: `own-${type}`, source, type, timestamp: '2026-03-02T12:00:00Z' },
    subject: { id: 'run-1', content: content as Record<string, unknown> },
    customData,
  };
}

describe('reports of the short form', () => {
  const commit = 'a1'.repeat(20);

  it('are taken once, with whatever they say', async () => {
    const report = {
      kind: 'build',
      state: 'started',
      service: 'checkout',
      commit,
      repository: 'https://github.com/acme/checkout.git',
      run: { id: '77', url: 'https://ci.example.com/77' },
      author: { name: 'Ada', login: 'ada' },
      at: '2026-03-02T12:00:00Z',
    };
    const before = await world.events();
    expect((await send(report)).status).toBe(202);
    expect((await send(report)).status).toBe(202);
    expect(await world.events()).toBe(before + 1);
  });

  it.each<[string, unknown, string]>([
    ['a kind that there is not', { kind: 'lunch', state: 'started' }, 'kind must be one of build, image'],
    ['no state', { kind: 'build' }, 'state is missing'],
    ['a field that there is not', { kind: 'build', state: 'started', sha: commit }, 'sha is not known here'],
    ['a tag for a digest', { kind: 'image', state: 'finished', digest: '1.8.2' }, 'digest must be sha256:'],
    ['a branch for a commit', { kind: 'build', state: 'started', commit: 'main' }, 'commit must be'],
    [
      'a link that runs code',
      { kind: 'build', state: 'started', run: { id: '1', url: 'javascript:alert(1)' } },
      'run.url',
    ],
    [
      'a pull request that is none',
      { kind: 'pull-request', state: 'started', pullRequest: 'https://x.example/1' },
      'pullRequest must be the address',
    ],
    [
      'a password',
      { kind: 'build', state: 'started', repository: 'https://me:pw@github.com/a/b' },
      'repository must not',
    ],
    ['neither form', { hello: 'world' }, 'docs/report.md'],
    ['a list', [], 'docs/report.md'],
    ['a time that is none', { kind: 'build', state: 'started', at: 'yesterday' }, 'at must'],
    [
      'a name without end',
      { kind: 'build', state: 'started', service: 'x'.repeat(5_000) },
      'service must NOT have more than 100',
    ],
  ])('are refused with %s, and told what would be right', async (_, report, words) => {
    const answer = await send(report);
    expect(await problemOf(answer)).toMatchObject({
      status: 400,
      code: 'invalid-event',
      detail: expect.stringContaining(words),
    });
  });

  it('need a token that may report', async () => {
    const headers = { 'Content-Type': 'application/json', ...bearer(TOKENS.READER) };
    const answer = await world.post('/api/v1/events', JSON.stringify({ kind: 'build', state: 'started' }), headers);
    expect(answer.status).toBe(403);
  });
});
