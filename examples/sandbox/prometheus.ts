import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

const START_LIMIT_MS = 30_000;

/** Whether a Prometheus is installed on this machine. */
export function hasPrometheus(): boolean {
  try {
    execFileSync('prometheus', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export interface RunningPrometheus {
  url: string;
  /** Asks it directly, for tests that wait until a scrape has arrived. */
  query(promql: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]>;
  stop(): Promise<void>;
}

/**
 * Starts a real Prometheus on a free port that scrapes the targets (`host:port`) and evaluates the
 * recording rules (name -> PromQL) every second.
 */
export async function startPrometheus(
  targets: readonly string[],
  rules: Readonly<Record<string, string>> = {},
): Promise<RunningPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'lynceus-prometheus-'));
  writeFileSync(join(folder, 'prometheus.yml'), configFor(targets));
  writeFileSync(join(folder, 'rules.yml'), rulesFile(rules));
  const port = await freePort();
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { stdio: 'ignore' },
  );
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(url, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop, query: (promql) => ask(url, promql) };
}

function configFor(targets: readonly string[]): string {
  const job = { job_name: 'test', scrape_interval: '1s', scrape_timeout: '1s', static_configs: [{ targets }] };
  return JSON.stringify({
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ['rules.yml'],
    scrape_configs: targets.length === 0 ? [] : [job],
  });
}

function rulesFile(rules: Readonly<Record<string, string>>): string {
  const recorded = Object.entries(rules).map(([record, expr]) => ({ record, expr }));
  return JSON.stringify({ groups: recorded.length === 0 ? [] : [{ name: 'rules', rules: recorded }] });
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`Prometheus ended with exit code ${child.exitCode}`);
    const answer = await fetch(`${url}/-/ready`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(50);
  }
  throw new Error('Prometheus did not start in time');
}

async function ask(
  url: string,
  promql: string,
): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
  const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(promql)}`);
  const body = (await answer.json()) as {
    data?: { result: { metric: Record<string, string>; value: [number, string] }[] };
  };
  return body.data?.result ?? [];
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(killer);
}
