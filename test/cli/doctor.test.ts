import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SandboxArgoCd, SandboxOptions } from '../../examples/sandbox/argocd/server.ts';
import type { ConnectionsView } from '../../src/views/connections.ts';
import { createGitRepository, LABELS, startArgoCdWorld, TOKEN } from '../support/argocd-world.ts';
import { lynceus } from '../support/cli.ts';
import { bearer, startHttpWorld, TOKENS } from '../support/http-world.ts';
import { eventually } from '../support/lynceus.ts';

const folder = mkdtempSync(join(tmpdir(), 'lynceus-doctor-'));
const repository = createGitRepository();
const config = join(folder, 'lynceus.yaml');

const DELIVERY = `apiVersion: lynceus.dev/v1
kind: Delivery
metadata: {name: shop}
spec:
  stages:
    - {name: dev, branch: main, sync: automatic}
`;

beforeAll(() => {
  repository.commit('checkout:1.0.0');
  const work = join(folder, 'work');
  const git = (...args: string[]) => execFileSync('git', args, { cwd: work, stdio: 'ignore' });
  execFileSync('git', ['clone', '--quiet', repository.path, work], { stdio: 'ignore' });
  writeFileSync(join(work, 'delivery.yaml'), DELIVERY);
  git('add', '.');
  git('-c', 'user.name=Jane', '-c', 'user.email=jane@example.com', 'commit', '-m', 'Deliver');
  git('push', 'origin', 'HEAD:main');
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  repository.remove();
});

let sandbox: SandboxArgoCd | undefined;
afterEach(async () => {
  await sandbox?.close();
  sandbox = undefined;
});

const app = (name: string, labels: Record<string, string>) => ({
  name,
  project: 'payments',
  labels,
  repoUrl: repository.path,
  path: 'app',
});

async function start(options: Partial<SandboxOptions> = {}): Promise<SandboxArgoCd> {
  sandbox = await startArgoCdWorld({ repository, apps: [app('checkout', LABELS)], ...options });
  writeConfig(sandbox.url);
  return sandbox;
}

const writeConfig = (url: string) =>
  writeFileSync(
    config,
    `apiVersion: lynceus.dev/v1
kind: Connections
deliverySystems: [{name: main, kind: argocd, url: "${url}", token: {env: ARGOCD_TOKEN}}]
gitHosts: [{name: here, kind: local, urls: [${repository.path}]}]
`,
  );
const doctor = (...args: string[]) =>
  lynceus(['doctor', ...args], { ARGOCD_TOKEN: TOKEN, LYNCEUS_CONFIG: config, LYNCEUS_DATA_DIR: join(folder, 'data') });

describe('lynceus doctor', () => {
  it('says that all is well, and lists what it found', async () => {
    const { requests } = await start();
    const { code, out, err } = await doctor();
    expect(err).toBe('');
    expect(out).toMatch(/^main +argocd +ok +Argo CD v3\.5\.1\+sandbox answers; 1 labelled$/m);
    // It is no lie that nothing of a plain Git repository is tried before it is used.
    expect(out).toMatch(/^here +local +unchecked +cannot be checked before it is used$/m);
    expect(out).toMatch(/^main\/argocd\/checkout +shop\/dev\/checkout +ok$/m);
    expect(out).toMatch(/All that could be checked is well\.$/m);
    expect(code).toBe(0);
    expect(new Set(requests.map(({ method }) => method))).toEqual(new Set(['GET']));
  });

  it('prints each problem with what to do under it, and fails', async () => {
    await start({
      missingRights: ['applications sync'],
      apps: [app('checkout', LABELS), app('half', { 'lynceus.dev/service': 'half', 'lynceus.dev/project': 'shop' })],
    });
    const { code, out } = await doctor();
    expect(out).toContain('argocd main: problem (can-i applications sync)');
    expect(out).toContain('  → add to argocd-rbac-cm: p, ROLE, applications, sync, payments/*, allow');
    expect(out).toContain('main/argocd/half: incomplete');
    expect(out).toContain('the label lynceus.dev/stage is missing');
    expect(out).toMatch(/^Problems with connections: 1\. Applications with something wrong: 1\.$/m);
    expect(code).toBe(1);
  });

  it('finds the label that names a stage which delivery.yaml does not have', async () => {
    await start({ apps: [app('checkout', { ...LABELS, 'lynceus.dev/stage': 'prod' })] });
    const { code, out } = await doctor();
    expect(out).toMatch(/has no stage "prod", which the application's label names/);
    expect(code).toBe(1);
  });

  it('takes a list that fails for no empty list', async () => {
    const { faults } = await start();
    const broken = { kind: 'answer', status: 500, text: 'x', contentType: 'text/plain' } as const;
    faults.next({ path: '^/api/v1/applications$', times: 9, effect: broken });
    const { code, out } = await doctor();
    expect(out).toContain('argocd main: problem (applications)');
    expect(code).toBe(1);
  });

  it('answers programs in JSON', async () => {
    await start();
    const { code, out } = await doctor('--output', 'json');
    const { connections, applications } = JSON.parse(out) as ConnectionsView;
    expect(connections.map(({ name, level }) => `${name} ${level}`)).toEqual(['main ok', 'here unchecked']);
    expect(applications).toMatchObject([{ name: 'checkout', state: 'ok' }]);
    expect(code).toBe(0);
  });

  it('never shows a secret', async () => {
    await start({ token: 'another-token-0123456789' });
    const { code, out, err } = await doctor();
    expect(out).toContain('argocd main: problem (token)');
    expect(out + err).not.toContain(TOKEN);
    expect(code).toBe(1);
  });

  it('names what is wrong with the configuration itself', async () => {
    const missing = await doctor('--config', join(folder, 'nowhere.yaml'));
    expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('nowhere.yaml cannot be read') });
    const wrong = join(folder, 'wrong.yaml');
    writeFileSync(wrong, 'apiVersion: lynceus.dev/v1\nkind: Connections\nmetrics: [{name: p, kind: promethius}]\n');
    expect(await doctor('--config', wrong)).toMatchObject({ code: 1, err: expect.stringContaining('"prometheus"') });
  });

  it.each([
    [['--url', 'lynceus.example.com'], /--url: write a URL/],
    [['--url', 'http://127.0.0.1:1', '--config', 'x.yaml'], /either --config or --url/],
    [['--config', ''], /--config: is empty/],
    [['--output', 'yaml'], /Allowed choices are text, json/],
    [['now'], /too many arguments/],
  ])('answers %j with 64', async (args, message) => {
    const { code, err } = await doctor(...args);
    expect(err).toMatch(message);
    expect(code).toBe(64);
  });

  it('asks a service for what it knows', async () => {
    sandbox = await startArgoCdWorld({ repository, token: TOKENS.ARGOCD_TOKEN, missingRights: ['applications get'] });
    const world = await startHttpWorld({
      argocdUrl: sandbox.url,
      diagnoseAfterMs: 0,
      env: { LYNCEUS_ANONYMOUS_READ: 'false' },
    });
    try {
      const checked = async () => {
        const answer = await world.get('/api/v1/connections', bearer(TOKENS.READER));
        return ((await answer.json()) as ConnectionsView).connections[0]?.level === 'problem';
      };
      await eventually(checked, { within: 15_000, what: 'the look at Argo CD' });
      const { code, out } = await doctor('--url', world.url, '--token', TOKENS.READER);
      expect(out).toContain('argocd main: problem (can-i applications get)');
      expect(code).toBe(1);
      const stranger = await doctor('--url', world.url);
      expect(stranger).toMatchObject({ code: 1, out: '', err: expect.stringContaining('answered 401') });
    } finally {
      await world.stop();
    }
  });

  it('says so when no Lynceus answers at --url', async () => {
    const { url } = await start();
    expect(await doctor('--url', 'http://127.0.0.1:1')).toMatchObject({
      code: 1,
      err: expect.stringContaining('cannot be reached'),
    });
    expect(await doctor('--url', `${url}/api/version#`)).toMatchObject({ code: 1 });
  });

  it('fits the terminal, and breaks remedies into lines instead of cutting them', async () => {
    await start({ missingRights: ['applications sync', 'projects get'] });
    const { out } = await doctor();
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
    expect(out.replace(/\s+/g, ' ')).toContain('add to argocd-rbac-cm: p, ROLE, projects, get, payments, allow');
  });
});
