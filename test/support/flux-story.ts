import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { freePort } from '../../examples/sandbox/free-port.ts';
import { type BareRepository, createBareRepository } from '../../examples/sandbox/git.ts';
import type { FluxTiming, SandboxFlux } from '../../examples/sandbox/kubernetes/flux.ts';
import type { Manifest } from '../../examples/sandbox/kubernetes/objects.ts';
import type { ChangeRow } from '../../src/answers/change-row.ts';
import { type App, startApp } from '../../src/app.ts';
import { parseEnvironment } from '../../src/config/environment.ts';
import type { ChangeView, StageView } from '../../src/views/change.ts';
import { gitRepository, kustomization, patchProblems, READY_EXPR, startFluxWorld } from './flux-world.ts';
import { eventually, PERSON_TOKEN } from './lynceus.ts';

export type FluxStage = 'dev' | 'production';

export interface FluxStoryOptions {
  delivery: string;
  /** The objects of the cluster, for this repository and the address of the service. */
  manifests: (repository: BareRepository, url: string) => Manifest[];
  /** Of every stage's branch, besides delivery.yaml. */
  files?: Record<string, string>;
  timing?: Partial<FluxTiming>;
  /** Applications that are seen before the story begins. */
  applications: readonly string[];
  /** More of the delivery system's entry in lynceus.yaml. */
  system?: string;
  env?: Record<string, string>;
}

export interface FluxStory {
  flux: SandboxFlux;
  repository: BareRepository;
  /** Commits a version to a stage's branch; answers the commit. */
  release(version: number, stage?: FluxStage): string;
  stage(commit: string, stage: string, is: (view: StageView) => unknown, what: string): Promise<StageView>;
  change(commit: string): Promise<ChangeView | undefined>;
  /** Its row of the list. */
  row(commit: string): Promise<ChangeRow | undefined>;
  decide(commit: string, stage: string, verdict: string): Promise<Response>;
  /** Commits that a Kustomization has applied, oldest first. */
  applied(name: string): string[];
}

const SOON_MS = 30_000;

/**
 * Tells a story with the whole service, real Git, and Flux by its API alone: no event is ever sent. At the end every
 * patch of the story is held to the rules.
 */
export async function fluxStory(options: FluxStoryOptions, tell: (story: FluxStory) => Promise<void>): Promise<void> {
  const closers: (() => unknown)[] = [];
  try {
    const folder = mkdtempSync(join(tmpdir(), 'lynceus-flux-story-'));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    const repository = layOut(options);
    closers.push(() => repository.remove());
    const service = await startService();
    closers.push(service.close);
    const flux = await startFluxWorld({
      manifests: options.manifests(repository, service.url),
      ...(options.timing ? { timing: options.timing } : {}),
    });
    closers.push(() => flux.close());
    const app = await startHere(options, folder, flux, repository);
    closers.push(() => app.stop());
    const story = storyOf(app, flux, repository);
    await untilSeen(app, story, options.applications);
    await tell(story);
    expect(patchProblems(flux)).toEqual([]);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

function layOut({ delivery, files = {} }: FluxStoryOptions): BareRepository {
  const repository = createBareRepository('deploy');
  const first = repository.commit({
    branch: 'stage/dev',
    files: { 'delivery.yaml': delivery, 'app.json': '{"version": 0}\n', ...files },
    message: 'Lay out',
  });
  repository.git('update-ref', 'refs/heads/stage/production', first);
  return repository;
}

async function startHere(
  options: FluxStoryOptions,
  folder: string,
  flux: SandboxFlux,
  repository: BareRepository,
): Promise<App> {
  const configFile = join(folder, 'lynceus.yaml');
  writeFileSync(
    configFile,
    `apiVersion: lynceus.dev/v1
kind: Connections
deliverySystems:
  - {name: eu, kind: flux, kubeconfig: {file: "${flux.kubeconfig}"}, timeout: 5s${options.system ?? ''}}
gitHosts:
  - {name: local, kind: local, urls: ["${repository.path}"]}
tokens:
  - {name: ada, token: {env: PERSON_TOKEN}}
`,
  );
  const readFile = (path: string) => readFileSync(path, 'utf8');
  const env = {
    PERSON_TOKEN,
    LYNCEUS_LISTEN: `127.0.0.1:${await freePort()}`,
    LYNCEUS_CONFIG: configFile,
    LYNCEUS_DATA_DIR: join(folder, 'data'),
    LYNCEUS_LOG_LEVEL: 'warn',
    LYNCEUS_ALLOW_LOOPBACK: 'true',
    LYNCEUS_RECONCILE_EVERY: '300ms',
    ...options.env,
  };
  const environment = parseEnvironment(env, readFile);
  if (!environment.ok) throw new Error(environment.problems.join('\n'));
  return startApp({ environment: environment.value, sources: { env, readFile }, pollMs: 20 });
}

function storyOf(app: App, flux: SandboxFlux, repository: BareRepository): FluxStory {
  const changes = async () =>
    ((await (await fetch(`${app.address}/api/v1/changes?limit=100&journeys=1`)).json()) as { changes: ChangeView[] })
      .changes;
  const change = async (commit: string) => (await changes()).find(({ revision }) => revision === commit);
  return {
    flux,
    repository,
    change,
    async row(commit) {
      const answer = await fetch(`${app.address}/api/v1/changes?limit=100`);
      const { rows } = (await answer.json()) as { rows: ChangeRow[] };
      return rows.find((one) => one.commit.id === commit);
    },
    release: (version, stage = 'dev') =>
      repository.commit({
        branch: `stage/${stage}`,
        files: { 'app.json': `{"version": ${version}}\n` },
        message: `Release ${version}`,
      }),
    stage: (commit, stage, is, what) =>
      eventually(
        async () => {
          const view = (await change(commit))?.stages.findLast((one) => one.stage === stage);
          return view && is(view) ? view : undefined;
        },
        {
          within: SOON_MS,
          what: `${stage}: ${what}`,
          otherwise: async () => ({
            changes: (await changes()).map(({ revision, stages }) => ({
              revision,
              stages: stages.map(({ tasks, ...rest }) => ({ ...rest, last: tasks.at(-1) })),
            })),
            objects: flux.store.all('Kustomization').map(({ metadata, status }) => ({ name: metadata.name, status })),
          }),
        },
      ),
    async decide(commit, stage, verdict) {
      // The list learns of a change a moment after it has begun.
      const found = await eventually(() => change(commit), { within: SOON_MS, what: 'the change is listed' });
      const view = found.stages.findLast((one) => one.stage === stage);
      return fetch(`${app.address}/api/v1/changes/${found.id}/decisions`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${PERSON_TOKEN}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ verdict, reason: 'told so', stage, revision: view?.revision }),
      });
    },
    applied: (name) => appliedCommits(flux, name),
  };
}

function appliedCommits({ store }: SandboxFlux, name: string): string[] {
  const revisions = (store.since(0) ?? [])
    .filter(({ object }) => object.kind === 'Kustomization' && object.metadata.name === name)
    .map(({ object }) => String(object.status['lastAppliedRevision'] ?? '').slice(-40))
    .filter((commit) => commit !== '');
  return revisions.filter((commit, at) => commit !== revisions[at - 1]);
}

/** Each was looked at once, as in any installation that is not brand new. */
async function untilSeen(app: App, told: FluxStory, applications: readonly string[]): Promise<void> {
  await eventually(
    async () => {
      const logs = await Promise.all(
        applications.map(async (name) => {
          const answer = await fetch(`${app.address}/api/v1/events?stream=application/eu/shop/${name}`);
          return ((await answer.json()) as { events: unknown[] }).events.length;
        }),
      );
      const names = applications.map((name) => name.split('/')).filter(([kind]) => kind === 'kustomization');
      const applied = names.every(([, name = '']) => told.applied(name).length > 0);
      return applied && logs.every((events) => events > 0);
    },
    { within: 30_000, what: `${applications.join(', ')} are seen` },
  );
}

async function startService(): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((_request, response) => response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function labelsOf(stage: FluxStage): Record<string, string> {
  return { 'lynceus.dev/project': 'shop', 'lynceus.dev/stage': stage, 'lynceus.dev/service': 'checkout' };
}

/** A stage that Flux applies by itself. */
export function automaticStage(stage: FluxStage, { path }: BareRepository, spec = {}, annotations = {}): Manifest[] {
  return [
    gitRepository(stage, path, `stage/${stage}`),
    kustomization(`checkout-${stage}`, `GitRepository/${stage}`, {
      labels: labelsOf(stage),
      annotations,
      spec: { path: './', ...spec },
    }),
  ];
}

/** A stage whose source only Lynceus moves. */
export function sourceGatedStage(stage: FluxStage, repository: BareRepository): Manifest[] {
  const first = repository.sha(`stage/${stage}`) ?? '';
  const annotations = { 'lynceus.dev/gate': 'source', 'lynceus.dev/follows': `GitRepository/${stage}` };
  return [
    gitRepository(stage, repository.path, `stage/${stage}`),
    gitRepository(`${stage}-gated`, repository.path, `stage/${stage}`, {
      ref: { branch: `stage/${stage}`, commit: first },
    }),
    kustomization(`checkout-${stage}`, `GitRepository/${stage}-gated`, {
      labels: labelsOf(stage),
      annotations,
      spec: { path: './' },
    }),
  ];
}

/** A stage that depends on a gate which only Lynceus opens. */
export function dependencyGatedStage(stage: FluxStage, { path }: BareRepository): Manifest[] {
  return [
    gitRepository(stage, path, `stage/${stage}`),
    kustomization(`${stage}-gate`, `GitRepository/${stage}`, { labels: {}, spec: { path: './nothing', wait: false } }),
    kustomization(`checkout-${stage}`, `GitRepository/${stage}`, {
      labels: labelsOf(stage),
      annotations: { 'lynceus.dev/gate': 'dependency', 'lynceus.dev/health': 'applied' },
      spec: { path: './', dependsOn: [{ name: `${stage}-gate`, readyExpr: READY_EXPR }] },
    }),
  ];
}

/** delivery.yaml of two stages, with what each demands. */
export function deliveryOf(demands: Record<FluxStage, string>): string {
  const stages = Object.entries(demands).map(
    ([stage, words]) =>
      `    - name: ${stage}\n      branch: stage/${stage}\n      rollout: {settle: 100ms}\n      ${words}\n`,
  );
  return `apiVersion: lynceus.dev/v1\nkind: Delivery\nmetadata: {name: shop}\nspec:\n  stages:\n${stages.join('')}`;
}
