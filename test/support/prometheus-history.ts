import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../examples/sandbox/free-port.ts';

/** Counts of one step, added up to counters. */
export interface Step {
  good: number;
  bad: number;
}

export interface History {
  url: string;
  stop(): Promise<void>;
}

interface Rule {
  record: string;
  expr: string;
  labels?: Record<string, string>;
}

/**
 * A real Prometheus that has already seen a service's past: `requests_total{code}` by service, one
 * sample per step until `endMs`; recording rules are evaluated every five seconds from now on.
 */
export async function startPrometheusWithPast(
  services: Readonly<Record<string, readonly Step[]>>,
  { stepMs, endMs, rules }: { stepMs: number; endMs: number; rules: readonly Rule[] },
): Promise<History> {
  const folder = mkdtempSync(join(tmpdir(), 'lynceus-past-'));
  writeFileSync(join(folder, 'past.txt'), openMetrics(services, stepMs, endMs));
  execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', 'past.txt', 'data'], {
    cwd: folder,
    stdio: 'ignore',
  });
  writeFileSync(join(folder, 'rules.yml'), JSON.stringify({ groups: [{ name: 'slo', interval: '5s', rules }] }));
  writeFileSync(
    join(folder, 'prometheus.yml'),
    JSON.stringify({ global: { scrape_interval: '1s' }, rule_files: ['rules.yml'] }),
  );
  const port = await freePort();
  const child = spawn(
    'prometheus',
    [
      '--config.file=prometheus.yml',
      '--storage.tsdb.path=data',
      '--storage.tsdb.retention.time=1y',
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { cwd: folder, stdio: 'ignore' },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  for (let left = 300; left > 0; left--) {
    const answer = await fetch(`${url}/-/ready`).catch(() => undefined);
    if (answer?.ok) return { url, stop };
    await sleep(100);
  }
  await stop();
  throw new Error('Prometheus did not start in time');
}

function openMetrics(services: Readonly<Record<string, readonly Step[]>>, stepMs: number, endMs: number): string {
  const lines = ['# TYPE requests counter'];
  for (const [service, steps] of Object.entries(services)) {
    for (const code of ['200', '500'] as const) {
      let sum = 0;
      steps.forEach(({ good, bad }, at) => {
        sum += code === '200' ? good : bad;
        const seconds = (endMs - (steps.length - 1 - at) * stepMs) / 1000;
        lines.push(`requests_total{service="${service}",code="${code}"} ${sum} ${seconds}`);
      });
    }
  }
  return `${lines.join('\n')}\n# EOF\n`;
}
