import { globSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXCHANGES, type SandboxArgoCd } from '../../../examples/sandbox/argocd/server.ts';
import type { Exchange } from '../../../examples/sandbox/exchange.ts';
import type { DeliverySystem } from '../../../src/adapters/delivery-systems/delivery-system.ts';
import type { ApplicationRef } from '../../../src/events/application.ts';
import { hasArgoCdFixtures } from '../../support/argocd-fixtures.ts';
import { createSwaggerValidator } from '../../support/argocd-swagger.ts';
import { excuse, unwitnessed, witnessed } from '../../support/argocd-witness.ts';
import {
  createArgoCd,
  createGitRepository,
  eventually,
  type GitRepository,
  startArgoCdWorld,
} from '../../support/argocd-world.ts';

const SOURCES = join(import.meta.dirname, '../../../src/adapters/delivery-systems');

describe.skipIf(!hasArgoCdFixtures())('what goes over the wire to Argo CD', () => {
  let repository: GitRepository;
  let sandbox: SandboxArgoCd;
  let system: DeliverySystem;
  let ref: ApplicationRef;

  beforeAll(async () => {
    repository = createGitRepository();
    repository.commit('checkout:1.0.0');
    // What asks a project for its windows, and tries the older address of actions, is seen as well.
    sandbox = await startArgoCdWorld({ repository, olderActions: true });
    sandbox.controller.setWindows('payments', [
      { kind: 'allow', schedule: '* * * * *', duration: '1h', applications: ['*'] },
    ]);
    system = createArgoCd(sandbox.url);
    ({ ref } = await system.read({ namespace: 'argocd', name: 'checkout', systemProject: 'payments' }));
  });
  afterAll(async () => {
    await sandbox.close();
    repository.remove();
  });

  /** Whether Argo CD answers or refuses matters elsewhere: here it has to be asked. */
  const CALLS: Record<string, () => Promise<unknown> | undefined> = {
    list: () => system.list(),
    read: () => system.read(ref, { refresh: true }),
    sync: () => system.sync(ref, { revision: repository.commit('checkout:1.1.0'), prune: true, infos: {} }),
    terminate: () => system.terminate(ref),
    revisionMetadata: () => system.revisionMetadata(ref, repository.commit('checkout:1.2.0')),
    windows: () => system.windows?.(ref),
    resources: () => system.resources?.(ref),
    act: () => system.act?.(ref, ROLLOUT, 'resume'),
    labelled: () => system.labelled?.(),
    diagnose: () => system.diagnose?.(),
    watch: () => firstOf(system),
  };

  it('is all seen here: no method of the adapter is left out', () => {
    const methods = Object.entries(system).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []));
    expect(methods.filter((name) => CALLS[name] === undefined)).toEqual([]);
  });

  it('is held to the swagger, every operation that the adapter can make', async () => {
    for (const call of Object.values(CALLS)) await call()?.catch(() => undefined);
    // A stream counts once it is over.
    await eventually(() => [...witnessed().keys()].some((operation) => operation.includes('/stream/')) || undefined);
    const asked = [...witnessed().keys()].map((operation) => withoutNames(operation.slice(operation.indexOf(' ') + 1)));
    expect([...new Set(asked)].sort()).toEqual(pathsOfAdapter());
    expect([...witnessed().values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(5);
  });

  it('changes nothing but by syncs, their end, and actions: no patch, no rollback, no project', () => {
    const changing = [...witnessed().keys()].filter((operation) => !operation.startsWith('GET '));
    expect(changing.sort()).toEqual([
      'DELETE /api/v1/applications/{name}/operation',
      'POST /api/v1/applications/{name}/resource/actions',
      'POST /api/v1/applications/{name}/resource/actions/v2',
      'POST /api/v1/applications/{name}/sync',
    ]);
  });

  it.each<[string, Partial<Exchange>, string]>([
    ['an unknown field', { body: '{"syncStrategy":{}}' }, 'additional'],
    ['a position that is a text', { body: '{"revisions":["a"],"sourcePositions":["1"]}' }, 'integer'],
    ['a content type with a parameter', { headers: { 'content-type': 'application/json; charset=utf-8' } }, 'exactly'],
    ['a path that Argo CD does not have', { path: '/api/v1/applications/checkout/syncs' }, 'no operation'],
    ['an unknown parameter', { query: { wait: ['true'] } }, 'unknown query parameter'],
    ['no token', { bearer: false }, 'no bearer token'],
    ['an answer that Argo CD does not give', { responseBody: '{"status":{"sync":{"state":"Synced"}}}' }, 'additional'],
  ])('would fail the tests: %s', (_, flaw, words) => {
    const sound: Exchange = {
      at: '2026-03-02T10:00:00.000Z',
      method: 'POST',
      path: '/api/v1/applications/checkout/sync',
      query: {},
      headers: { 'content-type': 'application/json' },
      bearer: true,
      body: '{"revision":"main"}',
      status: 200,
      contentType: 'application/json',
      responseBody: '{}',
    };
    const { problemsOf } = createSwaggerValidator();
    expect(problemsOf(sound)).toEqual([]);
    expect(problemsOf({ ...sound, ...flaw }).join()).toContain(words);
  });

  it('would fail the tests when a fake answers what Argo CD does not, unless that is said to be broken', () => {
    const { problemsOf } = createSwaggerValidator();
    const odd: Exchange = {
      at: '2026-03-02T10:00:00.000Z',
      method: 'GET',
      path: '/api/version',
      query: {},
      headers: {},
      bearer: false,
      body: '',
      status: 200,
      contentType: 'application/json',
      responseBody: '<html>',
    };
    expect(problemsOf(odd)).toEqual(['GET /api/version: answer is no JSON']);
    expect(problemsOf({ ...odd, broken: 'a proxy in between' })).toEqual([]);
    expect(problemsOf({ ...odd, broken: 'a proxy in between', path: '/api/versions' })).toHaveLength(1);
  });

  it('is watched in every test', () => {
    expect(EXCHANGES.hasSubscribers).toBe(true);
  });

  it('would be missed where an Argo CD is nobody that tells what it is asked', async () => {
    const server = createServer((_request, response) => response.end('{"Version": "v3.5.1"}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    await createArgoCd(`http://${host}`).diagnose?.();
    expect(unwitnessed()).toEqual([`${host}: GET /api/version`]);
    excuse(host);
    server.close();
  });
});

const ROLLOUT = { group: 'argoproj.io', version: 'v1alpha1', kind: 'Rollout', namespace: 'checkout', name: 'checkout' };

async function firstOf(system: DeliverySystem): Promise<void> {
  const stop = new AbortController();
  for await (const _ of system.watch({ signal: stop.signal })) stop.abort();
}

/** Every path below `/api/` that stands in the adapter's code, names as `*`; a path may end in more than one name. */
function pathsOfAdapter(): string[] {
  const texts = globSync('argocd*.ts', { cwd: SOURCES }).map((file) => readFileSync(join(SOURCES, file), 'utf8'));
  const paths = texts.flatMap((text) => [...text.matchAll(/[`'](\/api\/[^`']*)[`']/g)].map(([, one = '']) => one));
  return [...new Set(paths.map((one) => withoutNames(one.replaceAll('$', ''))))].sort();
}

function withoutNames(template: string): string {
  return template.replace(/\{[^}]*\}/g, '*').replace(/(?:\/\*)+$/, '/*');
}
