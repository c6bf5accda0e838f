import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../examples/sandbox/free-port.ts';
import type { Database } from './databases.ts';
import { end } from './processes.ts';

export const ARGOCD_TOKEN = 'argocd-token-for-benchmarks-0123456789';
export const WEBHOOK_TOKEN = 'webhook-token-for-benchmarks-0123456789';
export const CI_TOKEN = 'ci-token-for-benchmarks-0123456789';
/** Of somebody who may do everything. */
export const ADA_TOKEN = 'ada-token-for-benchmarks-0123456789';

export interface ServiceOptions {
  database: Database;
  argocdUrl: string;
  /** Addresses of local repositories. */
  repositories?: readonly string[];
  /** Follow the event stream of Argo CD; default false. */
  watch?: boolean;
  /** Default: any free one. */
  port?: number;
  env?: Record<string, string>;
}

export interface Service {
  url: string;
  pid: number;
  stop(): Promise<void>;
}

/** As `npm start` and the image have it. */
const FLAGS = ['--max-semi-space-size=8'];
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const READY_WITHIN_MS = 15_000;
let built = false;

/** `lynceus serve` as a process of its own, built and started as an operator would. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { database, argocdUrl, repositories = [], watch = false } = options;
  build();
  const configFile = join(database.dataDir, 'lynceus.yaml');
  writeFileSync(configFile, connections(argocdUrl, repositories, watch));
  const listen = `127.0.0.1:${options.port ?? (await freePort())}`;
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: database.dataDir,
    NODE_ENV: 'production',
    ARGOCD_TOKEN,
    WEBHOOK_TOKEN,
    CI_TOKEN,
    ADA_TOKEN,
    LYNCEUS_LISTEN: listen,
    LYNCEUS_CONFIG: configFile,
    LYNCEUS_DATA_DIR: database.dataDir,
    LYNCEUS_ALLOW_LOOPBACK: 'true',
    LYNCEUS_LOG_LEVEL: 'error',
    ...(database.databaseUrl === undefined ? {} : { DATABASE_URL: database.databaseUrl }),
    ...options.env,
  };
  const child = spawn(process.execPath, [...FLAGS, join(ROOT, 'dist/main.js'), 'serve'], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://${listen}`;
  await untilReady(child, url);
  return { url, pid: child.pid ?? 0, stop: () => end(child) };
}

/** Into dist/, as `npm run build` does. */
function build(): void {
  if (built) return;
  execFileSync('npm', ['run', '--silent', 'build'], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  built = true;
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (child.exitCode === null && Date.now() < deadline) {
    const { ok } = await fetch(`${url}/readyz`).catch(() => ({ ok: false }));
    if (ok) return;
    await sleep(50);
  }
  await end(child);
  throw new Error('the service did not become ready: what it said stands above');
}

function connections(argocdUrl: string, repositories: readonly string[], watch: boolean): string {
  const hosts =
    repositories.length === 0
      ? ''
      : `gitHosts:\n  - {name: local, kind: local, urls: ${JSON.stringify(repositories)}}\n`;
  return `apiVersion: lynceus.dev/v1
kind: Connections
deliverySystems:
  - {name: main, kind: argocd, url: "${argocdUrl}", token: {env: ARGOCD_TOKEN}, webhookTokens: [{env: WEBHOOK_TOKEN}], watch: ${watch}}
${hosts}tokens:
  - {name: ci, token: {env: CI_TOKEN}, may: [report, read]}
  - {name: ada, token: {env: ADA_TOKEN}, roles: [admin], groups: [release-managers]}
`;
}

const ANSWERS: Readonly<Record<string, object>> = {
  '/api/v1/session/userinfo': { loggedIn: true, username: 'lynceus', iss: 'argocd' },
  '/api/v1/account/can-i/': { value: 'yes' },
  '/api/version': { Version: 'v3.4.0' },
};
const NO_APPLICATIONS = { metadata: {}, items: [] };

function answerTo(path: string): object | undefined {
  if (path === '/api/v1/applications') return NO_APPLICATIONS;
  return Object.entries(ANSWERS).find(([begin]) => path.startsWith(begin))?.[1];
}

/** An Argo CD that has no applications, and says so after `delayMs`. */
export async function startEmptyArgoCd(delayMs: number): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    await sleep(delayMs);
    const found = answerTo(request.url?.split('?')[0] ?? '');
    response.writeHead(found ? 200 : 403, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(found ?? { code: 7, message: 'permission denied' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
