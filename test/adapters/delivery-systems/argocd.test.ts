import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SandboxArgoCd } from '../../../examples/sandbox/argocd/server.ts';
import type { Exchange } from '../../../examples/sandbox/exchange.ts';
import type { DeliverySystem } from '../../../src/adapters/delivery-systems/delivery-system.ts';
import type { FailureReason } from '../../../src/base/adapter-error.ts';
import type { Application } from '../../../src/events/application.ts';
import { type DeliverySystemWorld, deliverySystemContract, failureOf } from '../../contracts/delivery-system.ts';
import { fakeArgoCd } from '../../support/argocd-fake.ts';
import { hasArgoCdFixtures, readFixture, readFixtureText } from '../../support/argocd-fixtures.ts';
import { createSwaggerValidator } from '../../support/argocd-swagger.ts';
import {
  createArgoCd,
  createGitRepository,
  type GitRepository,
  LABELS,
  startArgoCdWorld,
  TOKEN,
} from '../../support/argocd-world.ts';

/** Every exchange of this file, held against Argo CD's own description at the end. */
const exchanges: Exchange[] = [];

deliverySystemContract('Argo CD', async (): Promise<DeliverySystemWorld> => {
  const repository = createGitRepository();
  repository.commit('checkout:1.0.0');
  const sandbox = await startArgoCdWorld({ repository });
  let version = 0;
  return {
    system: createArgoCd(sandbox.url),
    impatient: createArgoCd(sandbox.url, { timeout: '200ms' }),
    unreachable: createArgoCd('http://127.0.0.1:1'),
    secret: TOKEN,
    application: { namespace: 'argocd', name: 'checkout', systemProject: 'payments' },
    commit: async () => {
      version += 1;
      return repository.commit(`checkout:1.1.${version}`);
    },
    answerNext: (status, contentType, text) =>
      sandbox.faults.next({ effect: { kind: 'answer', status, contentType, text } }),
    echoNext: () =>
      sandbox.faults.next({
        effect: { kind: 'answer', status: 400, code: 3, message: `bad token ${TOKEN} in request` },
      }),
    hangNext: () => sandbox.faults.next({ effect: { kind: 'hang' } }),
    resetNext: () => sandbox.faults.next({ effect: { kind: 'reset' } }),
    changes: () => sandbox.requests.filter(({ method }) => method !== 'GET').length,
    close: async () => {
      exchanges.push(...sandbox.requests);
      await sandbox.close();
      repository.remove();
    },
  };
});

describe('Argo CD and its quirks', () => {
  let repository: GitRepository;
  let sandbox: SandboxArgoCd;
  let system: DeliverySystem;
  let application: Application;
  const ref = { namespace: 'argocd', name: 'checkout', systemProject: 'payments' };

  beforeEach(async () => {
    repository = createGitRepository();
    repository.commit('checkout:1.0.0');
    const common = { project: 'payments', labels: LABELS, repoUrl: repository.path, path: 'app' };
    sandbox = await startArgoCdWorld({
      repository,
      apps: [
        { ...common, name: 'checkout' },
        { ...common, name: 'automatic', automated: true, deployed: true },
        { ...common, name: 'elsewhere', namespace: 'team-payments' },
        { ...common, name: 'several', moreSources: [{ repoUrl: repository.path, path: 'app' }] },
        { ...common, name: 'unlabelled', labels: {} },
        {
          ...common,
          name: 'keptn',
          project: 'legacy',
          labels: { keptnProject: 'shop', keptnService: 'cart', stage: 'dev' },
        },
      ],
    });
    system = createArgoCd(sandbox.url);
    application = await system.read(ref);
  });
  afterEach(async () => {
    exchanges.push(...sandbox.requests);
    await sandbox.close();
    repository.remove();
  });

  const lastRequest = (method: string) => sandbox.requests.findLast((request) => request.method === method);
  /** By name: the automatic one syncs meanwhile. */
  const lastSync = (of: string) => sandbox.controller.syncs.findLast(({ name }) => name === of);

  it('sends the content type without parameters, also where there is no body', async () => {
    const revision = repository.commit('checkout:1.1.0');
    await system.sync(application.ref, { revision, prune: true, infos: {} });
    await system.terminate(application.ref);
    expect(lastRequest('POST')?.headers['content-type']).toBe('application/json');
    expect(lastRequest('DELETE')?.headers['content-type']).toBe('application/json');
  });

  it('asks for a sync with the pinned commit, the marks and the project, and nothing that unpins it', async () => {
    const revision = repository.commit('checkout:1.1.0');
    await system.sync(application.ref, { revision, prune: true, infos: { context: 'c-1' } });
    expect(JSON.parse(lastRequest('POST')?.body ?? '')).toEqual({
      revision,
      revisions: [revision],
      sourcePositions: [1],
      prune: true,
      infos: [{ name: 'context', value: 'c-1' }],
      project: 'payments',
    });
  });

  it('pins the first source of a multi-source application', async () => {
    const gated = repository.commit('checkout:1.1.0');
    const newer = repository.commit('checkout:1.2.0');
    const several = await system.read({ ...ref, name: 'several' });
    await system.sync(several.ref, { revision: gated, prune: true, infos: {} });
    expect(lastSync('several')?.revisions).toEqual([gated, newer]);
    expect(several.sources).toHaveLength(2);
  });

  it('pins every source by its position, a number from 1, with options and retry where the stage has its own', async () => {
    const gated = repository.commit('checkout:1.1.0');
    repository.commit('checkout:1.2.0');
    const several = await system.read({ ...ref, name: 'several' });
    const policy = { options: ['CreateNamespace=true'], retry: { limit: 2, backoffMs: 1_500, maxBackoffMs: 60_000 } };
    const pins = { revision: gated, revisions: [gated, gated] };
    await system.sync(several.ref, { ...pins, prune: false, policy, infos: {} });
    expect(JSON.parse(lastRequest('POST')?.body ?? '')).toEqual({
      revisions: [gated, gated],
      sourcePositions: [1, 2],
      prune: false,
      infos: [],
      syncOptions: { items: ['CreateNamespace=true'] },
      retryStrategy: { limit: 2, backoff: { duration: '1500ms', maxDuration: '1m' } },
      project: 'payments',
    });
    expect(lastSync('several')?.revisions).toEqual([gated, gated]);
  });

  it('names the namespace of an application outside the control plane, everywhere', async () => {
    const revision = repository.commit('checkout:1.1.0');
    const elsewhere = await system.read({ ...ref, namespace: 'team-payments', name: 'elsewhere' });
    await system.revisionMetadata(elsewhere.ref, revision);
    await system.sync(elsewhere.ref, { revision, prune: true, infos: {} });
    await system.terminate(elsewhere.ref);
    expect(lastRequest('GET')?.query).toEqual({ project: ['payments'], appNamespace: ['team-payments'] });
    expect(JSON.parse(lastRequest('POST')?.body ?? '')).toMatchObject({ appNamespace: 'team-payments' });
    expect(lastRequest('DELETE')?.query).toEqual({ project: ['payments'], appNamespace: ['team-payments'] });
    await expect(system.read({ ...ref, name: 'elsewhere' })).rejects.toMatchObject({ reason: 'not-found' });
  });

  it('finds labelled applications with one list call', async () => {
    const before = sandbox.requests.length;
    const names = (await system.list()).map((one) => one.ref.name);
    expect(names).toEqual(['automatic', 'checkout', 'elsewhere', 'several']);
    expect(sandbox.requests.slice(before).map(({ query }) => query)).toEqual([{ selector: ['lynceus.dev/service'] }]);
  });

  it("finds Keptn's labels too when asked to, still with one list call", async () => {
    const before = sandbox.requests.length;
    const found = await createArgoCd(sandbox.url, { keptnLabels: true }).list();
    expect(found.find((one) => one.ref.name === 'keptn')?.place).toEqual({
      project: 'shop',
      stage: 'dev',
      service: 'cart',
    });
    expect(found.some((one) => one.ref.name === 'unlabelled')).toBe(false);
    expect(sandbox.requests.length - before).toBe(1);
  });

  it('looks only at the configured projects', async () => {
    const legacy = createArgoCd(sandbox.url, { keptnLabels: true, projects: ['legacy', 'none'] });
    expect((await legacy.list()).map((one) => one.ref.name)).toEqual(['keptn']);
  });

  it('says that a missing application may be hidden when no project was named', async () => {
    const failure = await failureOf(system.read({ namespace: 'argocd', name: 'nobody' }));
    expect(failure).toMatchObject({ reason: 'forbidden' });
    expect(failure.message).toContain('or there is no such application');
  });

  it('says that a sync window is closed', async () => {
    sandbox.controller.setWindow('checkout', true);
    const revision = repository.commit('checkout:1.1.0');
    const failure = await failureOf(system.sync(application.ref, { revision, prune: true, infos: {} }));
    expect(failure).toMatchObject({ reason: 'forbidden' });
    expect(failure.message).toContain('blocked by sync window');
  });

  it('is refused for good where Argo CD syncs by itself to something else', async () => {
    const automatic = await system.read({ ...ref, name: 'automatic' });
    const request = { revision: '8a3d1f0c6b7e4d5a9f2b1c0d3e4f5a6b7c8d9e0f', prune: true, infos: {} };
    const failure = await failureOf(system.sync(automatic.ref, request));
    expect(failure).toMatchObject({ reason: 'rejected', retryable: false });
    expect(failure.message).toContain('auto-sync currently set to main');
  });

  it.each([0, 500, 503])('does not know of a sync that was started but answered %i; the marks tell', async (status) => {
    const revision = repository.commit('checkout:1.1.0');
    sandbox.faults.next({ method: 'POST', effect: { kind: 'apply-then-fail', status } });
    const failure = await failureOf(system.sync(application.ref, { revision, prune: true, infos: { task: 't-7' } }));
    expect(failure.reason).toBe('unavailable');
    const seen = await system.read(ref);
    expect(seen.operationRequested?.infos ?? seen.operation?.infos).toEqual({ task: 't-7' });
    expect(sandbox.controller.syncs.filter(({ infos }) => infos['task'] === 't-7')).toHaveLength(1);
  });

  it('does not take an answer that breaks off for one that makes no sense', async () => {
    sandbox.faults.next({ effect: { kind: 'cut-answer' } });
    await expect(system.read(ref)).rejects.toMatchObject({ reason: 'unavailable' });
  });

  it('hides what it was told on the wire when the configuration is wrong', () => {
    expect(() => createArgoCd(sandbox.url, { timeout: 'soon' })).toThrow(/timeout "soon" is not a duration/);
    expect(() => createArgoCd(sandbox.url, { ca: '/nowhere/ca.pem' })).toThrow(/ca\.pem cannot be read/);
    expect(() => createArgoCd('ftp://argocd')).toThrow(/must start with http/);
  });
});

describe.skipIf(!hasArgoCdFixtures())('the errors that Argo CD answers', () => {
  const REASONS: Record<string, FailureReason> = {
    operation_in_progress: 'conflict',
    autosync_other_revision: 'rejected',
    rollback_with_autosync: 'rejected',
    rollback_unknown_id: 'rejected',
    sync_window: 'forbidden',
    denied_or_missing_without_project: 'forbidden',
    missing_with_project: 'not-found',
    no_operation: 'rejected',
    bad_token: 'unauthenticated',
    no_token: 'unauthenticated',
    unmapped: 'timeout',
    wrong_content_type: 'rejected',
  };
  type Recorded = Record<string, { httpStatus: number; body?: { message: string }; bodyText?: string }>;
  const recorded: Recorded = hasArgoCdFixtures() ? readFixture('argocd-api-errors.json') : {};
  const application = { system: 'main', namespace: 'argocd', name: 'checkout', uid: 'u', systemProject: 'payments' };

  it('are all known here', () => {
    expect(Object.keys(recorded).sort()).toEqual(Object.keys(REASONS).sort());
  });

  it.each(Object.entries(recorded))('%s', async (name, { httpStatus, body, bodyText }) => {
    await using server = await fakeArgoCd({ status: httpStatus, text: body ? JSON.stringify(body) : (bodyText ?? '') });
    const syncing = createArgoCd(server.url).sync(application, { revision: 'abc', prune: false, infos: {} });
    const failure = await failureOf(syncing);
    expect(failure.reason).toBe(REASONS[name]);
    expect(failure.message).toContain(String(httpStatus));
    if (body !== undefined) expect(failure.message).toContain(body.message);
    if (httpStatus === 415) expect(failure.message).toContain('--api-content-types');
  });

  it('do not include the end of an operation that has ended already', async () => {
    const answer = recorded['no_operation'];
    await using server = await fakeArgoCd({ status: answer?.httpStatus ?? 0, text: JSON.stringify(answer?.body) });
    await createArgoCd(server.url).terminate(application);
  });
});

describe('the stream of applications', () => {
  const watch = async (url: string, limit = Number.POSITIVE_INFINITY) => {
    const hints: string[] = [];
    for await (const { namespace, name } of createArgoCd(url, { keptnLabels: true }).watch({
      signal: new AbortController().signal,
    })) {
      hints.push(`${namespace}/${name}`);
      if (hints.length === limit) break;
    }
    return hints;
  };
  const frame = (name: string) =>
    `data: ${JSON.stringify({ result: { type: 'MODIFIED', application: { metadata: { name, namespace: 'argocd', labels: LABELS } } } })} \n\n`;

  it.skipIf(!hasArgoCdFixtures())('is read as Argo CD writes it, signs of life included', async () => {
    const text = readFixtureText('argocd-stream-applications.sse.txt').replaceAll('app.example.com/', 'lynceus.dev/');
    await using server = await streaming(text);
    const hints = await watch(server.url);
    expect(hints.length).toBeGreaterThan(0);
    expect(new Set(hints)).toEqual(new Set(['argocd/checkout']));
  });

  it('ends in an error when Argo CD says so in the middle', async () => {
    const error = {
      error: { grpc_code: 16, http_code: 401, message: 'token is expired', http_status: 'Unauthorized' },
    };
    await using server = await streaming(`${frame('one')}data: ${JSON.stringify(error)}\n\n`);
    await expect(watch(server.url)).rejects.toMatchObject({ reason: 'unauthenticated' });
  });

  it('refuses frames that are no applications', async () => {
    await using server = await streaming('data: {"hello":"world"}\n\n', { broken: 'a frame without an application' });
    await expect(watch(server.url)).rejects.toMatchObject({ reason: 'bad-response' });
  });

  it('refuses a frame that does not end', async () => {
    const text = `data: ${'x'.repeat(17 * 1024 * 1024)}`;
    await using server = await streaming(text, { broken: 'a frame without an end' });
    await expect(watch(server.url)).rejects.toMatchObject({ reason: 'bad-response' });
  });

  it('closes the connection when nobody reads on', async () => {
    await using server = await streaming(frame('one') + frame('two'), { stayOpen: true });
    expect(await watch(server.url, 2)).toEqual(['argocd/one', 'argocd/two']);
    await server.closed;
  });

  it('is told apart when it is refused', async () => {
    await using server = await fakeArgoCd({ status: 401, text: '{"code":16,"message":"no session information"}' });
    await expect(watch(server.url)).rejects.toMatchObject({ reason: 'unauthenticated' });
  });
});

describe.skipIf(!hasArgoCdFixtures())("Argo CD's own description of its API", () => {
  let validator: ReturnType<typeof createSwaggerValidator>;
  beforeAll(() => {
    validator = createSwaggerValidator();
  });

  it('knows the requests that it should', () => {
    const example: Exchange = {
      at: '',
      method: 'POST',
      path: '/api/v1/applications/checkout/sync',
      query: {},
      headers: { 'content-type': 'application/json' },
      bearer: true,
      body: JSON.stringify(readFixture('argocd-api-sync-request-multi.json')),
      status: 200,
      contentType: 'application/json',
      responseBody: JSON.stringify(readFixture('argocd-app-sync-requested.json')),
    };
    expect(validator.problemsOf(example)).toEqual([]);
    expect(validator.problemsOf({ ...example, body: '{"syncStrategy":{}}' })).toHaveLength(1);
    expect(validator.problemsOf({ ...example, bearer: false })).toHaveLength(1);
    expect(validator.problemsOf({ ...example, path: '/api/v1/applications/checkout/syncs' })).toHaveLength(1);
  });

  // Runs last in this file: by then everything above has talked to the sandbox.
  it('covers everything that went over the wire here', () => {
    expect(exchanges.length).toBeGreaterThan(100);
    expect([...new Set(exchanges.flatMap(validator.problemsOf))]).toEqual([]);
  });
  afterAll(() => {
    exchanges.length = 0;
  });
});

const streaming = (text: string, more: { stayOpen?: boolean; broken?: string } = {}) =>
  fakeArgoCd({ text, contentType: 'text/event-stream', ...more });
