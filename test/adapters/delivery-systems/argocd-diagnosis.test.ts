import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SandboxArgoCd, SandboxOptions } from '../../../examples/sandbox/argocd/server.ts';
import { freePort } from '../../../examples/sandbox/free-port.ts';
import type { Finding } from '../../../src/events/finding.ts';
import { type FakeArgoCd, fakeArgoCd } from '../../support/argocd-fake.ts';
import { createArgoCd, createGitRepository, LABELS, startArgoCdWorld, TOKEN } from '../../support/argocd-world.ts';
import { certificateFor } from '../../support/certificates.ts';

const repository = createGitRepository();
beforeAll(() => void repository.commit('checkout:1.0.0'));
afterAll(() => repository.remove());

let sandbox: SandboxArgoCd | undefined;
afterEach(async () => {
  await sandbox?.close();
  sandbox = undefined;
});

async function start(options: Partial<SandboxOptions> = {}): Promise<SandboxArgoCd> {
  sandbox = await startArgoCdWorld({ repository, ...options });
  return sandbox;
}

const app = (name: string, labels: Record<string, string>, more: object = {}) => ({
  name,
  project: 'payments',
  labels,
  repoUrl: repository.path,
  path: 'app',
  ...more,
});
const jwt = (claims: object) =>
  ['{"alg":"HS256"}', JSON.stringify(claims), 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
const days = (count: number) => Math.floor(Date.now() / 1000) + count * 86_400;

const diagnose = (url: string, config = {}, token = TOKEN): Promise<Finding[]> =>
  createArgoCd(url, config, token).diagnose?.() ?? Promise.resolve([]);
const bad = (findings: readonly Finding[]) => findings.filter(({ level }) => level !== 'ok');

describe('the diagnosis of a healthy Argo CD', () => {
  it('finds its version, the token and each right in order, and changes nothing', async () => {
    const { url, requests } = await start();
    const findings = await diagnose(url);
    expect(bad(findings)).toEqual([]);
    expect(findings.map(({ check }) => check)).toEqual([
      'address',
      'token',
      'can-i applications get',
      'can-i applications sync',
      'can-i applications override',
      'can-i projects get',
    ]);
    expect(findings[0]?.sentence).toBe('Argo CD v3.5.1+sandbox answers');
    expect(requests.map(({ method }) => method)).toEqual(requests.map(() => 'GET'));
    // Rights are asked for on an application that there is: patterns may grant no more.
    expect(requests.map(({ path }) => path)).toContain('/api/v1/account/can-i/applications/sync/payments/checkout');
  });

  it('asks for the applications outside of the control plane with their namespace', async () => {
    const { url, requests } = await start({ apps: [app('checkout', LABELS, { namespace: 'team' })] });
    expect(bad(await diagnose(url))).toEqual([]);
    expect(requests.map(({ path }) => path)).toContain('/api/v1/account/can-i/applications/get/payments/team/checkout');
  });

  it('asks for one list of what is labelled, not of everything, and for no more than its names', async () => {
    const { url, requests } = await start();
    const system = createArgoCd(url);
    await system.diagnose?.();
    await system.labelled?.();
    const lists = requests.filter(({ path }) => path === '/api/v1/applications');
    expect(lists.map(({ query }) => query['selector'])).toEqual([
      ['lynceus.dev/service'],
      ['lynceus.dev/project,!lynceus.dev/service'],
      ['lynceus.dev/stage,!lynceus.dev/service,!lynceus.dev/project'],
    ]);
    for (const { query } of lists) expect(query['fields']?.join()).toContain('items.metadata.labels');
  });
});

describe('the diagnosis of an Argo CD finds', () => {
  it.each([
    ['sync', 'applications sync', 'problem', 'p, ROLE, applications, sync, payments/*, allow'],
    ['get', 'applications get', 'problem', 'p, ROLE, applications, get, payments/*, allow'],
    ['override', 'applications override', 'warning', 'p, ROLE, applications, override, payments/*, allow'],
    ['read projects', 'projects get', 'warning', 'p, ROLE, projects, get, payments, allow'],
  ])('that we may not %s, with the line that grants it', async (_what, right, level, line) => {
    const { url } = await start({ missingRights: [right] });
    const [finding, ...others] = bad(await diagnose(url));
    expect(finding).toMatchObject({ level, check: `can-i ${right}` });
    expect(finding?.sentence).toMatch(/^may not \w+ \w+ in AppProject payments: Lynceus cannot /);
    expect(finding?.remedy).toBe(`add to argocd-rbac-cm: ${line}`);
    expect(others).toEqual([]);
  });

  it('a token that expired, and says when', async () => {
    const { url } = await start();
    const expired = bad(await diagnose(url, {}, jwt({ exp: days(-3) })));
    expect(expired).toMatchObject([{ level: 'problem', check: 'token' }]);
    expect(expired[0]?.sentence).toBe(`the token expired on ${new Date(days(-3) * 1000).toISOString().slice(0, 10)}`);
    expect(expired[0]?.remedy).toContain('argocd account generate-token');
  });

  it('a token that will expire soon, while it still works', async () => {
    const token = jwt({ exp: days(5) });
    const { url } = await start({ token });
    expect(bad(await diagnose(url, {}, token))).toMatchObject([{ level: 'warning', check: 'token-expiry' }]);
  });

  it.each(['nonsense', jwt({ exp: 'soon' }), jwt({ exp: 1e300 }), 'a.%%%.c'])(
    'a token that it does not take (%s), although Argo CD answers 200 to it',
    async (token) => {
      const { url } = await start();
      const findings = bad(await diagnose(url, {}, token));
      expect(findings).toMatchObject([{ level: 'problem', check: 'token' }]);
      expect(JSON.stringify(findings)).not.toContain(token);
    },
  );

  it('nobody at the address', async () => {
    const findings = await diagnose(`http://127.0.0.1:${await freePort()}`);
    expect(findings).toMatchObject([
      { level: 'problem', check: 'address', remedy: expect.stringContaining('it runs') },
    ]);
  });

  it.each([
    ['a login page', 200, '<html>Log in</html>', 'text/html', /login page or a proxy/],
    ['a page of errors', 502, '<html>Bad gateway</html>', 'text/html', /its log/],
    ['the wrong root path', 404, 'Not Found\n', 'text/plain', /--rootpath/],
    ['something else that speaks JSON', 200, '{"version":"1"}', 'application/json', /argocd-server/],
    ['an empty answer', 200, '', 'application/json', /argocd-server/],
    ['content types that are not let through', 415, 'Invalid content type\n', 'text/plain', /--api-content-types/],
  ])('%s, and says what to do', async (_what, status, text, contentType, remedy) => {
    const { url, faults } = await start();
    faults.next({ path: '/api/version', effect: { kind: 'answer', status, text, contentType } });
    const findings = await diagnose(url);
    expect(findings).toMatchObject([{ level: 'problem', check: 'address' }]);
    expect(findings[0]?.remedy).toMatch(remedy);
    expect(findings[0]?.sentence).not.toContain('<');
  });

  it('rights that cannot be asked for: that is no yes', async () => {
    const { url, faults } = await start();
    const answer = { kind: 'answer', status: 200, text: '{"value":"maybe"}', contentType: 'application/json' } as const;
    faults.next({ path: 'can-i/applications/sync', effect: answer });
    expect(bad(await diagnose(url))).toMatchObject([{ level: 'problem', check: 'can-i applications sync' }]);
  });

  it('that nothing is labelled, or hidden from us without a word', async () => {
    const { url } = await start({ allowedProjects: ['other'] });
    const [finding] = bad(await diagnose(url));
    expect(finding).toMatchObject({ level: 'warning', check: 'applications' });
    expect(finding?.remedy).toContain('applications, get');
  });
});

describe('an Argo CD with a certificate of its own', () => {
  const certificate = certificateFor('localhost');
  let fake: FakeArgoCd;
  const headers: Record<string, string> = {};
  const url = () => fake.url;
  beforeAll(async () => {
    const files = { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) };
    const answer = (path: string) => ({ text: path === '/api/version' ? '{"Version": "v3.5.1"}' : '{}', headers });
    fake = await fakeArgoCd(answer, files);
  });
  afterAll(() => fake[Symbol.asyncDispose]());

  it('is not trusted, and the setting that would help is named', async () => {
    const findings = await diagnose(url());
    expect(findings).toMatchObject([{ level: 'problem', check: 'address' }]);
    expect(findings[0]?.remedy).toContain('"ca"');
  });

  it('is trusted with its authority', async () => {
    expect(await diagnose(url(), { ca: certificate.cert })).toMatchObject([
      { level: 'ok', check: 'address' },
      { level: 'problem', check: 'token' },
    ]);
  });

  it('is warned about when its clock is another', async () => {
    headers['Date'] = new Date(Date.now() - 300_000).toUTCString();
    const clock = (await diagnose(url(), { ca: certificate.cert })).find(({ check }) => check === 'clock');
    expect(clock).toMatchObject({ level: 'warning', remedy: expect.stringContaining('NTP') });
    expect(clock?.sentence).toMatch(/^the clock of Argo CD is 30\d s behind ours, at most 30 s are good$/);
  });
});

describe('what carries labels of ours in Argo CD', () => {
  it('is found whatever of them is missing, each once, with its values as they are written', async () => {
    const { url } = await start({
      apps: [
        app('whole', LABELS),
        app('nothing', { team: 'a' }),
        app('only-service', { 'lynceus.dev/service': 'checkout' }),
        app('only-project', { 'lynceus.dev/project': 'shop' }),
        app('only-stage', { 'lynceus.dev/stage': 'dev' }, { namespace: 'team' }),
      ],
    });
    const labelled = (await createArgoCd(url).labelled?.()) ?? [];
    expect(labelled.map(({ name }) => name).sort()).toEqual(['only-project', 'only-service', 'only-stage', 'whole']);
    expect(labelled.find(({ name }) => name === 'only-stage')).toEqual({
      namespace: 'team',
      name: 'only-stage',
      project: { name: 'lynceus.dev/project' },
      stage: { name: 'lynceus.dev/stage', value: 'dev' },
      service: { name: 'lynceus.dev/service' },
      url: { name: 'lynceus.dev/url' },
      resource: 'application.argoproj.io/only-stage',
    });
  });

  it("may be Keptn's labels alone, where these are allowed", async () => {
    const { url } = await start({
      apps: [app('old', { keptnProject: 'shop', stage: 'dev' }), app('other', { stage: 'dev' })],
    });
    expect(await createArgoCd(url).labelled?.()).toEqual([]);
    expect(await createArgoCd(url, { keptnLabels: true }).labelled?.()).toMatchObject([
      { name: 'old', service: { name: 'keptnService' }, project: { value: 'shop' } },
    ]);
  });
});
