import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { AcceptedSync, Timing } from '../../examples/sandbox/argocd/controller.ts';
import type { NotificationOptions } from '../../examples/sandbox/argocd/notifier.ts';
import { type SandboxArgoCd, type SandboxOptions, startSandboxArgoCd } from '../../examples/sandbox/argocd/server.ts';
import { freePort } from '../../examples/sandbox/free-port.ts';
import { type BareRepository, createBareRepository, REMOVAL } from '../../examples/sandbox/git.ts';
import { type App, startApp } from '../../src/app.ts';
import type { Clock } from '../../src/base/clock.ts';
import { parseEnvironment } from '../../src/config/environment.ts';
import type { ChangeView } from '../../src/views/change.ts';

import { SECRETS } from './git-webhooks.ts';
import { type FakeGitHub, startFakeGitHub } from './github.ts';

export const PERSON_TOKEN = 'person-token-for-tests-0123456789';
const ARGOCD_TOKEN = 'argocd-token-for-tests-0123456789';
const GITHUB_TOKEN = 'github-token-for-tests-0123456789';
const WEBHOOK_TOKEN = 'webhook-token-for-tests-0123456789';
const MAIN = join(import.meta.dirname, '../../src/main.ts');

/** Three stages; promotions merge themselves; production wants a person. */
export const DELIVERY = `apiVersion: lynceus.dev/v1
kind: Delivery
metadata: {name: shop}
spec:
  stages:
    - name: dev
      branch: stage/dev
      sync: automatic
      rollout: {settle: 100ms}
      tests: [{http: {path: /, requests: 20, concurrency: 2, expect: {status: 200}}}]
      evaluation: {slo: slo.yaml}
      promotion: {onPass: automatic}
    - name: staging
      branch: stage/staging
      sync: gated
      checks: {risk: {approvalAbove: 99}}
      rollout: {settle: 100ms}
      tests: [{http: {path: /, requests: 20, concurrency: 2, expect: {status: 200}}}]
      evaluation: {slo: slo.yaml}
      soak: 200ms
      promotion: {onPass: manual}
    - name: production
      branch: stage/production
      sync: gated
      approval: {quorum: 1}
      rollout: {settle: 100ms}
`;

export const SLO = `spec_version: "1.0"
comparison: {compare_with: single_result, aggregate_function: avg}
objectives:
  - sli: error_rate
    pass: [{criteria: ["<=0.01"]}]
total_score: {pass: "90%"}
`;

export const STAGES = ['dev', 'staging', 'production'] as const;

export interface TestWorldOptions {
  /** Files of every stage's branch besides delivery.yaml and slo.yaml. */
  files?: Record<string, string>;
  delivery?: string;
  services?: readonly string[];
  timing?: Partial<Timing>;
  notifications?: Partial<NotificationOptions>;
  databaseUrl?: string;
  env?: Record<string, string>;
  /** All services are in one repository, on `main`, each stage of each in a folder: `envs/<stage>/<service>`. */
  monorepo?: boolean;
  /** The repository is on a (fake) GitHub, where people review; only for one service. */
  github?: boolean;
  /** More of lynceus.yaml. */
  connections?: string;
  /** How the sandbox Argo CD is different. */
  sandbox?: Partial<SandboxOptions>;
  /** The applications belong to this ApplicationSet. */
  applicationSet?: string;
}

/** Everything around Lynceus, and Lynceus as a process of its own that can be killed at any time. */
export interface TestWorld {
  repositories: ReadonlyMap<string, BareRepository>;
  argocd: SandboxArgoCd;
  github: FakeGitHub | undefined;
  url: string;
  dataDir: string;
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** Another replica listens on a port of its own. */
  start(env?: Record<string, string>, port?: number): Promise<LynceusProcess>;
  /** The same service in this process, with a clock that the test sets. */
  startHere(clock: Clock): Promise<App>;
  release(version: number, service?: string): string;
  /** All of them, or those of a commit. */
  changes(commit?: string): Promise<ChangeView[]>;
  decide(change: string, body: object): Promise<Response>;
  /** Real, full syncs of a commit that were accepted. */
  syncsOf(application: string, commit?: string): AcceptedSync[];
  stop(): Promise<void>;
}

export interface LynceusProcess {
  child: ChildProcess;
  url: string;
  stderr(): string;
  /** Resolves with the exit code, or the signal that ended it. */
  ended: Promise<number | string>;
  kill(signal: NodeJS.Signals): void;
}

export async function createTestWorld(options: TestWorldOptions = {}): Promise<TestWorld> {
  const services = options.services ?? ['checkout'];
  const folder = mkdtempSync(join(tmpdir(), 'lynceus-test-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const application = await startApplication();
  const shared = options.monorepo ? createRepository(options) : undefined;
  const repositories = new Map(services.map((service) => [service, shared ?? createRepository(options)] as const));
  const [first] = repositories.values();
  const github = options.github && first ? await startFakeGitHub(first, GITHUB_TOKEN) : undefined;
  const repoUrl = github && `${github.url}/acme/deploy.git`;
  const argocd = await startSandboxArgoCd({
    token: ARGOCD_TOKEN,
    timing: { pickUpMs: 20, syncMs: 80, reconcileMs: 50, healthPollMs: 50, pollMs: 150, ...options.timing },
    apps: services.flatMap((service) =>
      STAGES.map((stage) =>
        sandboxApp(service, stage, repoUrl ?? repositories.get(service)?.path ?? '', application.url),
      ).map((app, at) => ({
        ...app,
        ...(options.monorepo ? { path: `envs/${STAGES[at]}/${service}`, targetRevision: 'main' } : {}),
        ...(options.applicationSet ? { applicationSet: options.applicationSet } : {}),
      })),
    ),
    aliases: repoUrl === undefined ? {} : { [repoUrl]: first?.path ?? '' },
    notifications: { url: `${url}/webhooks/argocd`, token: WEBHOOK_TOKEN, retryWaitMs: 50, ...options.notifications },
    ...options.sandbox,
  });
  const configFile = join(folder, 'lynceus.yaml');
  writeFileSync(
    configFile,
    connections(argocd.url, gitHosts([...new Set(repositories.values())], github), options.connections),
  );
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    ARGOCD_TOKEN,
    WEBHOOK_TOKEN,
    PERSON_TOKEN,
    GITHUB_TOKEN,
    GITHUB_WEBHOOK: SECRETS.github,
    LYNCEUS_CONFIG: configFile,
    LYNCEUS_DATA_DIR: join(folder, 'data'),
    LYNCEUS_PUBLIC_URL: url,
    LYNCEUS_ALLOW_LOOPBACK: 'true',
    LYNCEUS_RECONCILE_EVERY: '3s',
    LYNCEUS_LEASE: '2s',
    ...(options.databaseUrl === undefined ? {} : { DATABASE_URL: options.databaseUrl }),
    ...options.env,
  };
  const running = new Set<LynceusProcess>();
  const urls = new Set<string>();
  const apps = new Set<App>();
  let stopped = false;

  /** By whichever replica answers: one may be dead or frozen. */
  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    let last: unknown;
    for (const one of urls) {
      try {
        return await fetch(one + path, { ...init, signal: AbortSignal.timeout(3_000) });
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }

  return {
    repositories,
    argocd,
    github,
    url,
    dataDir: env.LYNCEUS_DATA_DIR,
    ask,
    async start(extra = {}, ownPort = port) {
      urls.add(`http://127.0.0.1:${ownPort}`);
      const process = await startLynceus({ LYNCEUS_LISTEN: `127.0.0.1:${ownPort}`, ...env, ...extra });
      running.add(process);
      if (stopped) process.kill('SIGKILL');
      void process.ended.then(() => running.delete(process));
      return process;
    },
    async startHere(clock) {
      const readFile = (path: string) => readFileSync(path, 'utf8');
      const here = { ...env, LYNCEUS_LISTEN: `127.0.0.1:${port}`, LYNCEUS_LOG_LEVEL: 'warn' };
      const environment = parseEnvironment(here, readFile);
      if (!environment.ok) throw new Error(environment.problems.join('\n'));
      urls.add(url);
      const app = await startApp({
        environment: environment.value,
        sources: { env: here, readFile },
        clock,
        pollMs: 20,
      });
      apps.add(app);
      return app;
    },
    release(version, service = services[0] ?? '') {
      const repository = repositories.get(service);
      if (!repository) throw new Error(`no service ${service}`);
      return repository.commit({
        branch: 'stage/dev',
        files: { 'app.json': `{"version": ${version}}\n` },
        message: `Release ${version} of ${service}`,
      });
    },
    async changes(commit) {
      const which = commit === undefined ? '' : `&q=${commit}`;
      const changes: ChangeView[] = [];
      for (let cursor: string | undefined = ''; cursor !== undefined; ) {
        const answer = await ask(`/api/v1/changes?limit=200&journeys=1${which}&cursor=${encodeURIComponent(cursor)}`);
        const page = (await answer.json()) as { changes: ChangeView[]; next?: string };
        changes.push(...page.changes);
        cursor = page.next;
      }
      return changes;
    },
    decide: (change, body) =>
      ask(`/api/v1/changes/${change}/decisions`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${PERSON_TOKEN}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
    syncsOf: (name, commit) =>
      argocd.controller.syncs.filter(
        (one) => one.name === name && !one.dryRun && (commit === undefined || one.revisions.includes(commit)),
      ),
    async stop() {
      stopped = true;
      for (const app of apps) await app.stop();
      for (const process of running) process.kill('SIGKILL');
      await Promise.all([...running].map(({ ended }) => ended));
      await argocd.close();
      await github?.close();
      await application.close();
      for (const repository of new Set(repositories.values())) repository.remove();
      rmSync(folder, REMOVAL);
    },
  };
}

function createRepository(options: TestWorldOptions): BareRepository {
  const repository = createBareRepository('deploy');
  const files = {
    'app.json': '{"version": 0}\n',
    'delivery.yaml': options.delivery ?? DELIVERY,
    'slo.yaml': SLO,
    ...options.files,
  };
  const first = repository.commit({ branch: 'stage/dev', files, message: 'Lay out' });
  const branches = options.monorepo ? ['main'] : STAGES.slice(1).map((stage) => `stage/${stage}`);
  for (const branch of branches) repository.git('update-ref', `refs/heads/${branch}`, first);
  return repository;
}

function sandboxApp(service: string, stage: string, repoUrl: string, url: string) {
  return {
    name: `${service}-${stage}`,
    labels: { 'lynceus.dev/project': 'shop', 'lynceus.dev/stage': stage, 'lynceus.dev/service': service },
    annotations: { 'lynceus.dev/url': url },
    repoUrl,
    path: '.',
    targetRevision: `stage/${stage}`,
    automated: stage === 'dev',
    // What fails has failed, unless a test says otherwise with `setRetry`.
    retry: {},
    deployed: true,
    healthDelayMs: 100,
  };
}

function gitHosts(repositories: readonly BareRepository[], github: FakeGitHub | undefined): string {
  if (github)
    return `{name: github, kind: github, url: "${github.url}", token: {env: GITHUB_TOKEN}, writeIntervalMs: 0, webhookTokens: [{env: GITHUB_WEBHOOK}]}`;
  return `{name: local, kind: local, urls: ${JSON.stringify(repositories.map(({ path }) => path))}}`;
}

function connections(argocdUrl: string, gitHost: string, more = ''): string {
  return `apiVersion: lynceus.dev/v1
kind: Connections
deliverySystems:
  - {name: main, kind: argocd, url: "${argocdUrl}", token: {env: ARGOCD_TOKEN}, timeout: 2s, webhookTokens: [{env: WEBHOOK_TOKEN}]}
gitHosts:
  - ${gitHost}
tokens:
  - {name: ada, token: {env: PERSON_TOKEN}}
${more}`;
}

/** What the tests of the delivery call: always well. */
async function startApplication(): Promise<{ url: string; close(): Promise<void> }> {
  const server: Server = createServer((_request, response) => response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Starts `lynceus serve` and waits until it is ready, or has ended. */
export async function startLynceus(env: Record<string, string>): Promise<LynceusProcess> {
  const child = spawn(process.execPath, [MAIN, 'serve'], {
    env: { ...env, ...(await compiledCode()) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr = (stderr + String(chunk)).slice(-200_000);
  });
  const ended = new Promise<number | string>((resolve) =>
    child.once('exit', (code, signal) => resolve(signal ?? code ?? -1)),
  );
  const over = { yes: false };
  void ended.then(() => {
    over.yes = true;
  });
  const url = `http://${env['LYNCEUS_LISTEN']}`;
  for (let waited = 0; waited < 300 && !over.yes; waited++) {
    const ready = await fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) break;
    await sleep(50);
  }
  return { child, url, ended, stderr: () => stderr, kill: (signal) => void child.kill(signal) };
}

/** Whoever is killed keeps nothing of what was compiled: a process that ends by itself does it for all others. */
async function compiledCode(): Promise<{ NODE_COMPILE_CACHE?: string }> {
  const folder = process.env['NODE_COMPILE_CACHE'];
  if (folder === undefined) return {};
  const marker = join(folder, 'lynceus');
  if (!existsSync(marker)) {
    // It loads everything before it says that it cannot listen there.
    const env = { NODE_COMPILE_CACHE: folder, LYNCEUS_LISTEN: 'nowhere' };
    await promisify(execFile)(process.execPath, [MAIN, 'serve'], { env }).catch(() => {});
    mkdirSync(folder, { recursive: true });
    writeFileSync(marker, '');
  }
  return { NODE_COMPILE_CACHE: folder };
}

/** Asks until the answer is there; fails with what was seen last. */
export async function eventually<T>(
  ask: () => Promise<T | undefined | false>,
  options: { within: number; what: string; otherwise?: () => Promise<unknown> },
): Promise<T> {
  const deadline = Date.now() + options.within;
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) {
      const seen = await options.otherwise?.().catch((error: unknown) => String(error));
      throw new Error(
        `not within ${options.within} ms: ${options.what}${seen === undefined ? '' : `\n${JSON.stringify(seen, null, 2)}`}`,
      );
    }
    await sleep(100);
  }
}

/** Lynceus has looked at every application once, as in any installation that is not brand new. */
export async function untilSeen(world: TestWorld): Promise<void> {
  await eventually(async () => (await seenApplications(world)) === STAGES.length, {
    within: 60_000,
    what: 'the applications are seen',
    otherwise: async () => ({
      applications: world.argocd.controller.objects().map(({ metadata, status }) => [metadata.name, status.sync]),
      queue: (await (await world.ask('/metrics')).text()).match(/^lynceus_(?:queue_jobs|jobs_total)\{.*[1-9]\d*$/gm),
    }),
  });
}

async function seenApplications(world: TestWorld): Promise<number> {
  const answers = await Promise.all(
    STAGES.map((stage) => world.ask(`/api/v1/events?stream=application/main/argocd/checkout-${stage}`)),
  );
  const logs = await Promise.all(
    answers.map(async (answer) => ((await answer.json()) as { events: unknown[] }).events),
  );
  return logs.filter((events) => events.length > 0).length;
}

/** Says yes to everything a change asks of a person, until it is through its last stage or has failed. */
export async function seeThrough(world: TestWorld, commit: string, within: number): Promise<ChangeView> {
  return eventually(
    async () => {
      const change = (await world.changes(commit)).find(({ revision }) => revision === commit);
      if (!change) return undefined;
      for (const stage of change.stages) {
        if (!stage.decide) continue;
        const { revision, evidence } = stage.decide;
        await world.decide(change.id, {
          verdict: 'approve',
          reason: 'looks good',
          stage: stage.stage,
          revision,
          evidence,
        });
      }
      const last = change.stages.at(-1);
      const over = change.stages.every(({ status }) => status === 'finished');
      return over && (last?.stage === STAGES.at(-1) || last?.result === 'fail') ? change : undefined;
    },
    {
      within,
      what: `${commit} through all stages`,
      otherwise: async () =>
        (await world.changes()).map(({ revision, stages }) => ({
          revision,
          stages: stages.map(({ stage, status, result, message, tasks }) => ({
            stage,
            status,
            result,
            message,
            last: tasks.at(-1),
          })),
        })),
    },
  );
}
