import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Deploy } from '../argocd/controller.ts';

const SERVER = join(import.meta.dirname, 'server.ts');

/** Where the shop of each stage answers; fixed, as a Service's address is. */
export type Ports = Readonly<Record<string, number>>;

export interface ShopProcesses {
  /** Brings a revision of the manifests to life: the old process ends, the new one takes its port. */
  deploy: Deploy;
  /** The version that really answers in a stage, asked over HTTP. */
  servedVersion(stage: string): Promise<string | undefined>;
  stop(): Promise<void>;
}

/** Runs the shop as real processes, one per stage. */
export function createShopProcesses(ports: Ports): ShopProcesses {
  const running = new Map<string, ChildProcess>();

  async function servedVersion(stage: string): Promise<string | undefined> {
    try {
      const answer = await fetch(`http://127.0.0.1:${ports[stage]}/version`, { signal: AbortSignal.timeout(2_000) });
      return (await answer.text()).trim();
    } catch {
      return undefined;
    }
  }

  return {
    servedVersion,
    async deploy(app, _revision, manifests) {
      const stage = app.labels['lynceus.dev/stage'] ?? '';
      const manifest = JSON.parse(manifests['app.json'] ?? '{}') as { version?: number; delayMs?: number };
      if (manifest.version === undefined) throw new Error('app.json names no version');
      const version = String(manifest.version);
      await end(running.get(stage));
      if (manifest.version === 0) return { healthy: () => true };
      const child = spawn(process.execPath, [SERVER], {
        stdio: 'ignore',
        env: {
          PATH: process.env['PATH'] ?? '',
          VERSION: version,
          STAGE: stage,
          DELAY_MS: String(manifest.delayMs ?? 0),
          PORT: String(ports[stage]),
        },
      });
      running.set(stage, child);
      return { healthy: async () => (await servedVersion(stage)) === version };
    },
    async stop() {
      await Promise.all([...running.values()].map(end));
    },
  };
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await Promise.race([ended, sleep(2_000).then(() => child.kill('SIGKILL'))]);
}
