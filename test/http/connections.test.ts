import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SandboxArgoCd } from '../../examples/sandbox/argocd/server.ts';
import type { ConnectionsView } from '../../src/views/connections.ts';
import { createGitRepository, LABELS, startArgoCdWorld } from '../support/argocd-world.ts';
import { bearer, type HttpWorld, notification, problemOf, startHttpWorld, TOKENS } from '../support/http-world.ts';
import { eventually } from '../support/lynceus.ts';

interface FleetAnswer {
  groups: { services: { cells: { revision?: string }[] }[] }[];
}

describe('the connections of a running service', () => {
  const repository = createGitRepository();
  let sandbox: SandboxArgoCd;
  let world: HttpWorld;
  const read = async (query = ''): Promise<ConnectionsView> =>
    (await (await world.get(`/api/v1/connections${query}`, bearer(TOKENS.READER))).json()) as ConnectionsView;
  const app = (name: string, labels: Record<string, string>) => ({
    name,
    project: 'payments',
    labels,
    repoUrl: repository.path,
    path: 'app',
  });

  beforeAll(async () => {
    repository.commit('checkout:1.0.0');
    sandbox = await startArgoCdWorld({
      repository,
      token: TOKENS.ARGOCD_TOKEN,
      missingRights: ['applications sync'],
      apps: [app('checkout', LABELS), app('half', { 'lynceus.dev/stage': 'dev' })],
    });
    world = await startHttpWorld({
      argocdUrl: sandbox.url,
      flux: 'unreachable',
      diagnoseAfterMs: 0,
      env: { LYNCEUS_RECONCILE_EVERY: '1s' },
      connections: 'metrics:\n  - {name: prom, kind: prometheus, url: "http://127.0.0.1:9"}\n',
    });
    await eventually(async () => (await read()).connections.every(({ level }) => level !== 'unchecked'), {
      within: 20_000,
      what: 'a look at each connection',
    });
  });
  afterAll(async () => {
    await world.stop();
    await sandbox.close();
    repository.remove();
  });

  it('are told of with the changes where what they bring may be out of date, and only there', async () => {
    const page = await (await world.get('/changes', bearer(TOKENS.READER))).text();
    expect(page).toMatch(
      /\beu\b[^<]*\(looked at \d\d:\d\d UTC\): stages may be out of date \(<a href="\/connections">/,
    );
    expect(page).toMatch(/\bprom\b[^<]*ECONNREFUSED[^<]*: evaluations may be missing/);
    // It answers: a right that is missing makes nothing older.
    expect(page).not.toMatch(/\bmain\b[^<]*out of date/);
  });

  it('are each as they were found, with the remedy', async () => {
    const { connections } = await read();
    expect(connections.map(({ section, kind, name, level }) => `${section} ${kind} ${name} ${level}`)).toEqual([
      'deliverySystems argocd main problem',
      'deliverySystems flux eu problem',
      'metrics prometheus prom problem',
    ]);
    const [main, eu, prom] = connections;
    expect(main?.findings.filter(({ level }) => level === 'problem')).toMatchObject([
      { check: 'can-i applications sync', remedy: expect.stringContaining('argocd-rbac-cm') },
    ]);
    expect(main?.labelled).toBe(2);
    for (const one of [eu, prom]) expect(one?.findings).toMatchObject([{ level: 'problem', check: 'address' }]);
  });

  it('name the application that lacks labels, and the one that is well', async () => {
    await eventually(async () => (await read()).applications.length === 2, {
      within: 10_000,
      what: 'both applications',
    });
    const { applications } = await read();
    expect(applications.map(({ name, state }) => `${name} ${state}`)).toEqual(['half incomplete', 'checkout ok']);
    expect(applications[0]?.problems).toHaveLength(2);
    expect(await read('?limit=1')).toMatchObject({ applications: [{ name: 'half' }], more: 1 });
  });

  it('say when an application was last heard of, and why one could not be read', async () => {
    const tell = async (name: string) =>
      expect(
        (await world.post('/webhooks/argocd', JSON.stringify(notification(name)), bearer(TOKENS.WEBHOOK_NEW))).status,
      ).toBe(202);
    await tell('checkout');
    await tell('nowhere');
    await eventually(
      async () => (await read()).applications.filter(({ heardAt }) => heardAt !== undefined).length === 2,
      { within: 10_000, what: 'both heard of' },
    );
    const { applications, connections } = await read();
    expect(applications[0]).toMatchObject({ name: 'nowhere', state: 'unreadable' });
    expect(applications[0]?.problems[0]?.sentence).toMatch(/permission denied/);
    expect(connections[0]?.heardAt).toBe(
      applications
        .map(({ heardAt }) => heardAt ?? '')
        .sort()
        .at(-1),
    );
  });

  it('say when an application changed, also where no notification told of it', async () => {
    const before = Date.now();
    repository.commit('checkout:1.1.0');
    await sandbox.controller.refresh('checkout', 'argocd');
    await eventually(
      async () => (await read()).applications.some(({ changedAt }) => Date.parse(changedAt ?? '') >= before),
      { within: 15_000, what: 'the change' },
    );
  });

  it('bring what their applications run into the fleet', async () => {
    const fleet = async () =>
      (await (await world.get('/api/v1/fleet?q=check', bearer(TOKENS.READER))).json()) as FleetAnswer;
    const cells = async () => (await fleet()).groups[0]?.services[0]?.cells ?? [];
    await eventually(async () => (await cells())[0]?.revision !== undefined, { within: 15_000, what: 'a cell' });
    expect(await cells()).toMatchObject([{ system: 'main', name: 'checkout', cluster: expect.stringMatching(/./) }]);
  });

  it('were logged once, and kept nobody from starting', () => {
    const problems = world.log.filter(({ msg }) => msg === 'a connection has a problem');
    expect(problems.map(({ section, connection, check }) => `${section} ${connection} ${check}`).sort()).toEqual([
      'deliverySystems eu address',
      'deliverySystems main can-i applications sync',
      'metrics prom address',
    ]);
    for (const token of Object.values(TOKENS)) expect(JSON.stringify(problems)).not.toContain(token);
  });

  it.each(['0', '-1', '1.5', 'all', '10001', ''])('are not listed with a limit of %j', async (limit) => {
    const answer = await world.get(`/api/v1/connections?limit=${limit}`, bearer(TOKENS.READER));
    expect(await problemOf(answer)).toMatchObject({ status: 400, code: 'invalid-request' });
  });
});
