import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startSandboxArgoCd } from '../../examples/sandbox/argocd/server.ts';
import { createBareRepository } from '../../examples/sandbox/git.ts';
import type { ChangeView } from '../../src/views/change.ts';
import { bearer, type HttpWorld, notification, startHttpWorld, TOKENS } from '../support/http-world.ts';
import { eventually, SLO } from '../support/lynceus.ts';

/** One per integration, besides those of every HTTP world. */
const CANARIES = {
  GITHUB_TOKEN: 'canary-github-4c1d8a7be2',
  GIT_PASSWORD: 'canary-git-9e\\0"f2b6c1d4',
  PROMETHEUS_TOKEN: 'canary-prometheus-7a3f5e',
  MIMIR_PASSWORD: 'canary-mimir-1b9c8d2e4f',
} as const;

/** In whatever form they travel: as they are, inside JSON, inside a URL, as a basic login. */
const FORMS = [
  ...[...Object.values(CANARIES), ...Object.values(TOKENS)].flatMap((secret) => [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
  ]),
  basic('git', CANARIES.GIT_PASSWORD),
  basic('tenant', CANARIES.MIMIR_PASSWORD),
];

const DELIVERY = `apiVersion: lynceus.dev/v1
kind: Delivery
metadata: {name: shop}
spec:
  stages:
    - name: dev
      branch: main
      sync: automatic
      rollout: {settle: 100ms}
      evaluation: {slo: slo.yaml, sli: sli.yaml, provider: PROVIDER, window: 1m}
`;
const SLI = 'spec_version: "1.0"\nindicators: {error_rate: \'sum(rate(errors[1m]))\'}\n';

function basic(user: string, password: string): string {
  return Buffer.from(`${user}:${password}`).toString('base64');
}

describe('secrets', () => {
  it('turn up nowhere, even when everybody we talk to sends them back', async () => {
    const [gossip, other] = [await startGossip(), await startGossip()];
    const repositories = ['plain', 'mimir'].map((service) => ({ service, repository: repositoryFor(service) }));
    const local = repositories.map(({ repository }) => repository.path);
    const urls: Record<string, string> = {
      plain: local[0] ?? '',
      mimir: local[1] ?? '',
      hub: `${gossip.url}/acme/hub.git`,
      remote: `${other.url}/git/remote.git`,
    };
    const argocd = await startSandboxArgoCd({
      token: TOKENS.ARGOCD_TOKEN,
      aliases: { [urls['hub'] ?? '']: local[0] ?? '', [urls['remote'] ?? '']: local[1] ?? '' },
      timing: { pickUpMs: 20, syncMs: 50, reconcileMs: 30, healthPollMs: 30, pollMs: 100 },
      apps: Object.entries(urls).map(([service, repoUrl]) => ({
        name: service,
        labels: { 'lynceus.dev/project': 'shop', 'lynceus.dev/stage': 'dev', 'lynceus.dev/service': service },
        repoUrl,
        automated: true,
        deployed: true,
        healthDelayMs: 50,
      })),
    });
    const world = await startHttpWorld({
      argocdUrl: argocd.url,
      env: { ...CANARIES, LYNCEUS_LOG_LEVEL: 'debug', LYNCEUS_RECONCILE_EVERY: '200ms' },
      connections: `gitHosts:
  - {name: disk, kind: local, urls: ${JSON.stringify(local)}}
  - {name: hub, kind: github, url: "${gossip.url}", token: {env: GITHUB_TOKEN}}
  - {name: remote, kind: local, urls: ["${other.url}/git"], credentials: {username: git, password: {env: GIT_PASSWORD}}}
metrics:
  - {name: plain, kind: prometheus, url: "${gossip.url}", token: {env: PROMETHEUS_TOKEN}}
  - {name: mimir, kind: prometheus, url: "${gossip.url}", basicAuth: {username: tenant, password: {env: MIMIR_PASSWORD}}}
`,
    });
    try {
      await eventually(async () => argocd.requests.length > 3, { within: 5_000, what: 'a first look' });
      for (const status of [500, 401, 403, 200])
        argocd.faults.next({ effect: { kind: 'answer', status, text: `no: Bearer ${TOKENS.ARGOCD_TOKEN}` } });
      for (const { repository } of repositories)
        repository.commit({ branch: 'main', files: { 'app.json': '{"version": 1}\n' }, message: 'Release 1' });
      for (const service of Object.keys(urls))
        await world.post('/webhooks/argocd', JSON.stringify(notification(service)), bearer(TOKENS.WEBHOOK_NEW));
      await badRequests(world);
      // Everybody was asked often enough to have answered in every manner.
      await eventually(
        async () => {
          const { changes } = (await (await world.get('/api/v1/changes?journeys=1')).json()) as {
            changes: ChangeView[];
          };
          const seen = [...gossip.heard, ...other.heard].join('\n');
          return (
            changes.length === 4 && Object.values(SENT).every((form) => seen.includes(form)) && gossip.heard.length > 12
          );
        },
        {
          within: 25_000,
          what: 'every secret used',
          otherwise: async () => await (await world.get('/api/v1/changes')).json(),
        },
      );
      expect(await leaks(world)).toEqual([]);
    } finally {
      await world.stop();
      for (const one of [gossip, other, argocd]) await one.close();
      for (const { repository } of repositories) repository.remove();
    }
  }, 60_000);
});

/** That these went over the wire proves that the others below could have leaked. */
const SENT = {
  github: CANARIES.GITHUB_TOKEN,
  git: basic('git', CANARIES.GIT_PASSWORD),
  prometheus: CANARIES.PROMETHEUS_TOKEN,
  mimir: basic('tenant', CANARIES.MIMIR_PASSWORD),
};

function repositoryFor(service: string) {
  const repository = createBareRepository(service);
  const files = {
    'app.json': '{"version": 0}\n',
    'delivery.yaml': DELIVERY.replace('PROVIDER', service),
    'slo.yaml': SLO,
    'sli.yaml': SLI,
  };
  repository.commit({ branch: 'main', files, message: 'Lay out' });
  return repository;
}

/** Requests with a right token and a wrong rest, and with a token in the wrong place. */
async function badRequests(world: HttpWorld): Promise<void> {
  await world.post('/webhooks/argocd', `{"token": "${TOKENS.WEBHOOK_NEW}"`, bearer(TOKENS.WEBHOOK_NEW));
  await world.post('/api/v1/events', TOKENS.REPORTER, bearer(TOKENS.REPORTER));
  await world.decide('nothing', { verdict: TOKENS.APPROVER });
  await world.get('/changes', { Authorization: `Basic ${basic('x', TOKENS.READER)}` });
}

/** Everything that people, programs and thieves can read afterwards. */
async function leaks(world: HttpWorld): Promise<string[]> {
  const { changes } = (await (await world.get('/api/v1/changes?journeys=1')).json()) as { changes: ChangeView[] };
  const places: [string, string][] = [['the log', world.logText()]];
  const paths = [
    '/changes',
    '/api/v1/changes',
    '/api/v1/events?limit=1000',
    '/metrics',
    '/api/v1/openapi.json',
    '/readyz',
  ];
  for (const path of [...paths, ...changes.flatMap(({ id }) => [`/changes/${id}`, `/api/v1/changes/${id}`])])
    places.push([path, await (await world.get(path)).text()]);
  for (const name of readdirSync(world.dataDir, { recursive: true, encoding: 'utf8' })) {
    const file = join(world.dataDir, name);
    if (statSync(file).isFile()) places.push([name, readFileSync(file, 'latin1')]);
  }
  expect(places.length).toBeGreaterThan(15);
  expect(places[0]?.[1]).toContain('Lynceus is ready');
  return places.flatMap(([place, text]) =>
    FORMS.filter((form) => text.includes(form)).map((form) => {
      const at = text.indexOf(form);
      return `${place}: ${text.slice(Math.max(0, at - 120), at + form.length + 20)}`;
    }),
  );
}

/** A server that fails in turn in every manner, and each time repeats what it was told. */
async function startGossip(): Promise<{ url: string; heard: string[]; close(): Promise<void> }> {
  const heard: string[] = [];
  const server: Server = createServer((request, response) => {
    const told = saying(request.headers);
    heard.push(told);
    const status = [500, 401, 403, 404, 200][heard.length % 5] ?? 500;
    response.writeHead(status, { 'Content-Type': 'application/json', 'WWW-Authenticate': 'Basic realm="gossip"' });
    response.end(JSON.stringify({ status: 'error', errorType: told, error: told, message: told }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The headers, and a login in clear. */
function saying(headers: IncomingHttpHeaders): string {
  const login = /^Basic (\S+)$/.exec(headers.authorization ?? '')?.[1];
  return `${headers.authorization} ${login === undefined ? '' : Buffer.from(login, 'base64').toString()}`;
}
