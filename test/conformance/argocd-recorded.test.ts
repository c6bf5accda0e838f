import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SandboxArgoCd, startSandboxArgoCd } from '../../examples/sandbox/argocd/server.ts';
import { toApplication } from '../../src/adapters/delivery-systems/argocd-application.ts';
import { Secret } from '../../src/base/secret.ts';
import { observe } from '../../src/engine/observe.ts';
import type { Application } from '../../src/events/application.ts';
import { argocdSender } from '../../src/http/senders/argocd.ts';
import { hasArgoCdFixtures } from '../support/argocd-fixtures.ts';
import { createSwaggerValidator } from '../support/argocd-swagger.ts';
import { createGitRepository, eventually, type GitRepository, LABELS, QUICK, TOKEN } from '../support/argocd-world.ts';

const FOLDER = new URL('../fixtures/argocd/', import.meta.url);
const recorded = (file: string) => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'));
const CONTEXT = { system: 'main', url: 'https://argocd', labelPrefix: 'lynceus.dev', controlPlaneNamespace: 'argocd' };
const applicationIn = (file: string): Application => toApplication(recorded(`application-${file}.json`), CONTEXT);
const COMMIT = '63c69ed5227cab238d31a74658c0c84bd0729047';
const DRY = '6c1b2ffce14eb5e40d96df2605a521c61791774a';
const HYDRATED = '1e120c27dc629febe5730bd9a764d6d06e360c04';

describe('an application, as a real Argo CD tells of it', () => {
  it('has no commit to deliver while Git cannot be read: what stands there is the name of the branch', () => {
    const raw = recorded('application-git-not-readable.json');
    expect(raw.status.sync).toMatchObject({ status: 'Unknown', revision: 'nobranch' });
    const application = applicationIn('git-not-readable');
    expect(application.targetRevision).toBeUndefined();
    expect(application.conditions.map(({ type }) => type)).toEqual(['ComparisonError']);
    expect(observe(application, { targetRevision: COMMIT }, undefined)).toEqual({ kind: 'same' });
  });

  it('has been synced to a short commit id when that is what was asked for', () => {
    const { operation, targetRevision, history } = applicationIn('short-revision');
    expect(operation).toMatchObject({ phase: 'Succeeded', revision: '63c69ed5', infos: { task: 't-1' } });
    expect(history.at(-1)?.revision).toBe('63c69ed5');
    expect(targetRevision).toBe(COMMIT);
  });

  it('has not deployed anything by a dry run, whose success overwrites the last operation', () => {
    const { operation, history } = applicationIn('dry-run');
    expect(operation).toMatchObject({ phase: 'Succeeded', dryRun: true });
    expect(history.at(-1)?.revision).toBe(COMMIT);
    expect(operation?.revision).not.toBe(COMMIT);
  });

  it('asks for a sync before any state of it is there', () => {
    const { operation, operationRequested } = applicationIn('sync-requested');
    expect(operation).toBeUndefined();
    expect(operationRequested?.infos).toEqual({ task: 't-2' });
  });

  it('is synced with an empty singular revision where there are several sources', () => {
    expect(recorded('application-multi-source-waiting.json').status.operationState.syncResult.revision).toBe('');
    const { operation, targetRevisions } = applicationIn('multi-source-waiting');
    expect(operation).toMatchObject({ phase: 'Running', revisions: [COMMIT, COMMIT] });
    expect(targetRevisions).toEqual([COMMIT, COMMIT]);
  });

  it('has failed when its operation was terminated, or its commit does not exist', () => {
    expect(applicationIn('terminated').operation).toMatchObject({ phase: 'Failed', message: 'Operation terminated' });
    expect(applicationIn('unknown-commit').operation).toMatchObject({ phase: 'Error', revision: 'a'.repeat(40) });
  });

  it('names no commit while it is hydrated, nor where that failed, but still the one that succeeded last', () => {
    const last = { drySha: DRY, hydratedSha: HYDRATED };
    const [running, failed] = [applicationIn('hydrating').hydration, applicationIn('hydration-failed').hydration];
    expect(running).toMatchObject({ phase: 'Hydrating', last });
    expect(failed).toMatchObject({ phase: 'Failed', last });
    for (const hydration of [running, failed]) {
      expect(hydration?.drySha).toBeUndefined();
      expect(hydration?.hydratedSha).toBeUndefined();
    }
    // What went wrong, without the six steps that led there.
    expect(failed?.message).toMatch(/^Failed to unmarshal "cm.yaml": /);
  });

  it('has the same hydrated commit for a dry one that renders to the same', () => {
    const { hydration, targetRevision } = applicationIn('hydrated-to-the-same');
    expect(hydration).toMatchObject({ phase: 'Hydrated', drySha: DRY, hydratedSha: HYDRATED });
    expect(targetRevision).toBe(HYDRATED);
  });

  it('has no commit to deliver before anybody merges what was hydrated to another branch', () => {
    const { hydration, targetRevision, conditions } = applicationIn('hydrated-elsewhere');
    expect(hydration).toMatchObject({ phase: 'Hydrated', hydrateTo: 'environments/dev-next' });
    expect(targetRevision).toBeUndefined();
    expect(conditions[0]?.message).toMatch(/waiting for an external process to update environments\/next/);
  });

  it('is synced more than once by its ApplicationSet for one commit, which pins none', () => {
    const { owner, automated, operation, history } = applicationIn('rolling-sync');
    expect(owner).toEqual({ kind: 'ApplicationSet', name: 'checkout' });
    expect(automated).toBe(false);
    expect(operation).toMatchObject({ automated: true, by: 'applicationset-controller', retryLimit: 5 });
    expect(recorded('application-rolling-sync.json').status.operationState.operation.sync.revision).toBeUndefined();
    const commits = new Set(history.map(({ revision }) => revision));
    expect([commits.size, history.length]).toEqual([3, 7]);
  });

  it('of a chart beside values is deployed as the version and the commit that were asked for', () => {
    const { operation, history, targetRevisions, source } = applicationIn('chart-and-values');
    expect(source).toMatchObject({ kind: 'helm', chart: 'checkout' });
    expect(targetRevisions?.[0]).toBe('1.1.0');
    const deployed = { revision: '1.0.0', revisions: ['1.0.0', targetRevisions?.[1]] };
    expect(operation).toMatchObject({ phase: 'Succeeded', ...deployed });
    expect(history.at(-1)).toMatchObject(deployed);
  });

  it('of an OCI artifact is deployed as the digest that was asked for, though its tag has moved', () => {
    const { operation, history, targetRevision, source } = applicationIn('artifact');
    expect(source.kind).toBe('oci');
    expect(targetRevision).toMatch(/^sha256:a5b4d995/);
    expect(operation).toMatchObject({ phase: 'Succeeded', infos: { 'lynceus.dev/task': 't-1' } });
    expect(operation?.revision).toMatch(/^sha256:8c9c438f/);
    expect(history.at(-1)?.revision).toBe(operation?.revision);
  });

  it.skipIf(!hasArgoCdFixtures()).each(readdirSync(FOLDER).filter((file) => file.startsWith('application-')))(
    'is as its own description has it: %s',
    (file) => {
      const { problemsOf } = createSwaggerValidator();
      const exchange = {
        at: '2026-11-21T16:37:22.000Z',
        method: 'GET',
        path: '/api/v1/applications/checkout',
        query: { project: ['payments'] },
        headers: {},
        bearer: true,
        body: '',
        status: 200,
        contentType: 'application/json',
        responseBody: readFileSync(new URL(file, FOLDER), 'utf8'),
      };
      expect(problemsOf(exchange)).toEqual([]);
    },
  );
});

describe('notifications, as the real controller rendered them', () => {
  const token = 'webhook-token-of-main-1';
  const sender = argocdSender({ sources: [{ system: 'main', tokens: [new Secret(token)] }] });
  const messages: { headers: Record<string, string>; body: string }[] = recorded('notifications.json');

  it.each(
    messages.map((message) => {
      const { trigger, app } = JSON.parse(message.body);
      return [`${trigger} of ${app.metadata.name}`, message] as const;
    }),
  )('are understood, and ask for a look: %s', (_, { headers, body }) => {
    const rawBody = Buffer.from(body);
    expect(sender.authenticate({ headers, rawBody })).toEqual({ source: 'main' });
    const { app } = JSON.parse(body);
    const { namespace, name } = app.metadata;
    const translation = sender.translate('main', rawBody, new Date('2026-11-21T16:40:00Z'));
    expect(translation).toMatchObject({
      ok: true,
      jobs: [{ queue: 'observe', key: `main/${namespace}/${name}` }],
    });
  });
});

interface Recorded {
  name: string;
  method: string;
  path: string;
  body?: string;
  token?: 'none' | 'nonsense' | 'forged';
  contentType?: string | null;
  accept?: string;
  answer: { status: number; contentType: string; body?: { code?: number; message?: string }; text?: string };
}

/** Lynceus asks for none of this, and the sandbox offers it to nobody. */
const NOT_OFFERED = /^(?:rollback|patch|actions|action missing|run unknown action|project windows|sync position zero)/;
/** Each needs something at work, which the tests of the sandbox bring about. */
const AT_WORK = /one is requested|one runs|too early|terminate running/;

describe('the sandbox answers as Argo CD itself did', () => {
  let repository: GitRepository;
  let sandbox: SandboxArgoCd;
  let sha: string;

  beforeAll(async () => {
    repository = createGitRepository();
    repository.commit('checkout:1');
    sha = repository.commit('checkout:2');
    const app = (name: string, more: object = {}) => ({
      name,
      project: 'payments',
      labels: { ...LABELS, owner: 'ada' },
      repoUrl: repository.path,
      path: 'app',
      ...more,
    });
    sandbox = await startSandboxArgoCd({
      token: TOKEN,
      allowedProjects: ['payments'],
      hiddenProjects: ['secret', 'nobody'],
      timing: { ...QUICK, pickUpMs: 2_000, syncMs: 2_000 },
      apps: [
        app('checkout'),
        app('automatic', { automated: true, deployed: true }),
        app('several', { moreSources: [{ repoUrl: repository.path, path: 'app' }] }),
        app('elsewhere', { namespace: 'team-payments' }),
        app('hidden', { project: 'secret' }),
        ...['windowed', 'latched', 'nightly', 'slow'].map((name) => app(name)),
      ],
    });
    const always = { kind: 'deny', schedule: '* * * * *', duration: '1h' } as const;
    sandbox.controller.setWindows('payments', [
      { ...always, applications: ['windowed'], manualSync: false, description: 'Frozen' },
      { ...always, applications: ['latched'], manualSync: true },
      { kind: 'allow', schedule: '0 3 * * *', duration: '1m', applications: ['nightly'] },
    ]);
  });
  afterAll(async () => {
    await sandbox.close();
    repository.remove();
  });

  const answers: Recorded[] = recorded('answers.json');

  it.each(
    answers.filter(({ name }) => !NOT_OFFERED.test(name) && !AT_WORK.test(name)).map((one) => [one.name, one] as const),
  )('%s', async (_, one) => {
    expect(await ask(one)).toEqual(expected(one));
  });

  it('where a sync is at work, too', async () => {
    const one = (name: string) => answers.find((answer) => answer.name === name) as Recorded;
    const isAnsweredAlike = async (name: string) => expect(await ask(one(name))).toEqual(expected(one(name)));
    const slow = () => sandbox.controller.find('slow');
    expect((await ask(one('sync while one is requested'))).status).toBe(200);
    await isAnsweredAlike('terminate too early');
    await isAnsweredAlike('sync while one is requested');
    await eventually(() => slow()?.status.operationState?.phase === 'Running' || undefined);
    await isAnsweredAlike('sync while one runs');
    await isAnsweredAlike('dry run while one runs');
    await isAnsweredAlike('terminate running');
    await eventually(() => slow()?.status.operationState?.phase === 'Failed' || undefined);
    expect(slow()?.status.operationState?.message).toBe(applicationIn('terminated').operation?.message);
  });

  async function ask({ method, path, body, token, contentType, accept }: Recorded) {
    const headers: Record<string, string> = { Accept: accept ?? 'application/json' };
    if (token !== 'none') headers['Authorization'] = `Bearer ${token === undefined ? TOKEN : TOKENS[token]}`;
    if (method !== 'GET' && contentType !== null) headers['Content-Type'] = contentType ?? 'application/json';
    const answer = await fetch(sandbox.url + here(path), {
      method,
      headers,
      // A string would bring a content type of its own.
      ...(body === undefined ? {} : { body: Buffer.from(here(body)) }),
    });
    return read(answer.status, answer.headers.get('content-type') ?? '', await answer.text());
  }

  function expected({ answer }: Recorded) {
    const text = answer.text ?? JSON.stringify(answer.body);
    return read(answer.status, answer.contentType, here(text));
  }

  /** The recorded commit is ours here. */
  function here(text: string): string {
    return text.replaceAll(COMMIT, sha);
  }
});

const TOKENS = { none: '', nonsense: 'nonsense', forged: 'e30.e30.AAAA' };

/** What of an answer has to be the same: of long words of Git only the beginning, of lists only whose they are. */
function read(status: number, contentType: string, text: string) {
  const body = contentType === 'application/json' ? (JSON.parse(text) as Record<string, unknown>) : text;
  if (typeof body === 'string') return { status, contentType, body: beginning(body) };
  const { Version, resourceVersion: _, metadata: __, ...rest } = body;
  const words = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, key === 'message' || key === 'error' ? beginning(value) : value]),
  );
  return { status, contentType, body: Version === undefined ? words : { Version: typeof Version } };
}

function beginning(words: unknown): string {
  return String(words).replace(/((?:Failed to checkout revision [0-9a-f]+)|(?:error parsing [a-z ]+)).*/s, '$1');
}
