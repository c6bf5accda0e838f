import type { Timing } from './argocd/controller.ts';
import type { NotificationOptions } from './argocd/notifier.ts';
import { type SandboxArgoCd, startSandboxArgoCd } from './argocd/server.ts';
import { type FileOptions, filesOf, STAGES, type StageName } from './files.ts';
import { freePort } from './free-port.ts';
import { type BareRepository, createBareRepository } from './git.ts';
import { type RunningPrometheus, startPrometheus } from './prometheus.ts';
import { createShopProcesses, type Ports, type ShopProcesses } from './shop/processes.ts';

export interface WorldOptions {
  /** Where Lynceus will listen: notifications go there. */
  lynceusUrl: string;
  webhookToken: string;
  /** Start a real Prometheus that scrapes the shops. */
  prometheus: boolean;
  timing?: Partial<Timing>;
  notifications?: Partial<NotificationOptions>;
  files?: Partial<FileOptions>;
}

/** A small world around Lynceus: Git, an Argo CD, a Prometheus, and a shop that runs in three stages. */
export interface World {
  repository: BareRepository;
  argocd: SandboxArgoCd;
  prometheus?: RunningPrometheus;
  shops: ShopProcesses;
  /** Commits a version on the first stage's branch, as a developer or a build would; answers the commit. */
  release(version: number, options?: { delayMs?: number }): string;
  /** lynceus.yaml for this world; the tokens are in the environment that goes with it. */
  connections: { text: string; env: Record<string, string> };
  stop(): Promise<void>;
}

const ARGOCD_TOKEN = 'sandbox-argocd-token-0123456789';
/** Who approves in the demo and in tests. */
export const PERSON = { name: 'demo', token: 'sandbox-person-token-0123456789' } as const;

/** Starts the world with nothing deployed yet; every stage's branch begins with version 0. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const repository = createBareRepository('shop-deploy');
  const fileOptions: FileOptions = { prometheus: options.prometheus, testMs: 2_000, settle: '1s', ...options.files };
  const first = repository.commit({
    branch: 'stage/dev',
    files: filesOf(0, 0, fileOptions),
    message: 'Lay out the shop',
  });
  for (const stage of STAGES.slice(1)) repository.git('update-ref', `refs/heads/stage/${stage}`, first);
  const ports = await choosePorts();
  const shops = createShopProcesses(ports);
  const argocd = await startSandboxArgoCd({
    token: ARGOCD_TOKEN,
    apps: STAGES.map((stage) => applicationOf(stage, repository.path, ports)),
    timing: { pickUpMs: 50, syncMs: 200, reconcileMs: 100, healthPollMs: 100, pollMs: 500, ...options.timing },
    deploy: shops.deploy,
    notifications: {
      url: `${options.lynceusUrl}/webhooks/argocd`,
      token: options.webhookToken,
      ...options.notifications,
    },
  });
  const prometheus = options.prometheus
    ? await startPrometheus(STAGES.map((stage) => `127.0.0.1:${ports[stage]}`))
    : undefined;
  return {
    repository,
    argocd,
    shops,
    ...(prometheus ? { prometheus } : {}),
    release: (version, { delayMs = 0 } = {}) =>
      repository.commit({
        branch: 'stage/dev',
        files: filesOf(version, delayMs, fileOptions),
        message: `Release version ${version}`,
      }),
    connections: connectionsOf(argocd.url, repository.path, options.webhookToken, prometheus?.url),
    async stop() {
      await argocd.close();
      await shops.stop();
      await prometheus?.stop();
      repository.remove();
    },
  };
}

function applicationOf(stage: StageName, repoUrl: string, ports: Ports) {
  return {
    name: `checkout-${stage}`,
    labels: { 'lynceus.dev/project': 'shop', 'lynceus.dev/stage': stage, 'lynceus.dev/service': 'checkout' },
    annotations: { 'lynceus.dev/url': `http://127.0.0.1:${ports[stage]}` },
    repoUrl,
    path: '.',
    targetRevision: `stage/${stage}`,
    automated: stage === 'dev',
    deployed: true,
  };
}

function connectionsOf(
  argocdUrl: string,
  repository: string,
  webhookToken: string,
  prometheusUrl: string | undefined,
): World['connections'] {
  const metrics =
    prometheusUrl === undefined ? '' : `metrics:\n  - {name: prometheus, kind: prometheus, url: "${prometheusUrl}"}\n`;
  return {
    text: `apiVersion: lynceus.dev/v1
kind: Connections
deliverySystems:
  - name: sandbox
    kind: argocd
    url: ${argocdUrl}
    token: {env: ARGOCD_TOKEN}
    webhookTokens: [{env: ARGOCD_WEBHOOK_TOKEN}]
gitHosts:
  - {name: local, kind: local, urls: ["${repository}"]}
${metrics}tokens:
  - {name: ${PERSON.name}, token: {env: DEMO_TOKEN}}
`,
    env: { ARGOCD_TOKEN, ARGOCD_WEBHOOK_TOKEN: webhookToken, DEMO_TOKEN: PERSON.token },
  };
}

async function choosePorts(): Promise<Ports> {
  const found = await Promise.all(STAGES.map(async (stage) => [stage, await freePort()] as const));
  return Object.fromEntries(found);
}
