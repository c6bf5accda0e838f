import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { accessSync, chmodSync, chownSync, constants, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';

const START_TIMEOUT_MS = 30_000;

/** The folder with PostgreSQL's programs; absent when it is not installed. */
export const binaries = findBinaries();

export interface PostgresCluster {
  url: string;
  /** Like a power cut followed by a start: connections break, nothing acknowledged is lost. */
  crashAndRestart(): Promise<void>;
  stop(): Promise<void>;
}

/** Owned by the global setup: starts the cluster when a worker asks for it, and stops it at the end. */
export async function startPostgresBroker(): Promise<{ url: string; stop: () => Promise<void> }> {
  let cluster: Promise<PostgresCluster> | undefined;
  const server = createServer((_request, response) => {
    cluster ??= startPostgres();
    cluster.then(
      ({ url }) => response.end(url),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  const port = await listening(server);
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await (await cluster?.catch(() => undefined))?.stop();
    },
  };
}

/** Starts a private cluster in a temporary folder; most tests share one through `withPostgres`. */
export async function startPostgres(): Promise<PostgresCluster> {
  if (binaries === undefined) throw new Error('PostgreSQL is needed: install version 15 or newer');
  const folder = mkdtempSync(join(tmpdir(), 'lynceus-postgres-'));
  const user = unprivilegedUser();
  if (user !== undefined) {
    chownSync(folder, user.uid, user.gid);
    chmodSync(folder, 0o700);
  }
  const options = { cwd: folder, ...user };
  const data = join(folder, 'data');
  await promisify(execFile)(
    join(binaries, 'initdb'),
    ['-D', data, '-U', 'lynceus', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    options,
  );
  const port = await freePort();
  const start = () => spawnServer(join(binaries, 'postgres'), data, folder, port, options);
  let server = await start();
  return {
    url: `postgresql://lynceus@127.0.0.1:${port}/postgres`,
    async crashAndRestart() {
      await ended(server, 'SIGQUIT');
      server = await start();
    },
    async stop() {
      await ended(server, 'SIGQUIT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function spawnServer(
  postgres: string,
  data: string,
  sockets: string,
  port: number,
  options: { cwd: string; uid?: number; gid?: number },
): Promise<ChildProcess> {
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${sockets}`, 'fsync=on'];
  const server = spawn(postgres, ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
    ...options,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  server.stderr.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-4000);
  });
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await answers(port))) {
    if (server.exitCode !== null || Date.now() > deadline) {
      server.kill('SIGQUIT');
      throw new Error(`PostgreSQL did not start:\n${log}`);
    }
    await sleep(50);
  }
  return server;
}

async function answers(port: number): Promise<boolean> {
  const client = new pg.Client(`postgresql://lynceus@127.0.0.1:${port}/postgres`);
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill(signal);
  });
}

/** PostgreSQL refuses to run as root; inside a container we often are. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function findBinaries(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return [...folders, ...packagedFolders()].find(
    (folder) => isExecutable(join(folder, 'initdb')) && isExecutable(join(folder, 'postgres')),
  );
}

/** Debian keeps the server's programs off the PATH. */
function packagedFolders(): string[] {
  try {
    const versions = readdirSync('/usr/lib/postgresql').sort((one, other) => Number(other) - Number(one));
    return versions.map((version) => join('/usr/lib/postgresql', version, 'bin'));
  } catch {
    return [];
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  const port = await listening(server);
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}
