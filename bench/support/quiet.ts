import { setTimeout as sleep } from 'node:timers/promises';
import { CI_TOKEN, type Service } from './service.ts';

const WITHIN_MS = 300_000;

/** Waits until no job is due or running, three looks in a row. */
export async function untilQuiet(service: Service): Promise<void> {
  const deadline = Date.now() + WITHIN_MS;
  for (let quiet = 0; quiet < 3; ) {
    if (Date.now() > deadline) throw new Error(`the queue is not empty after ${WITHIN_MS / 1000} s`);
    const metrics = await metricsOf(service);
    const busy = [...metrics.matchAll(/^lynceus_queue_jobs\{[^}]*state="(?:due|running)"\} (\d+)$/gm)];
    quiet = busy.every(([, count]) => count === '0') ? quiet + 1 : 0;
    await sleep(100);
  }
}

export async function metricsOf({ url }: Service): Promise<string> {
  const answer = await fetch(`${url}/metrics`, { headers: { Authorization: `Bearer ${CI_TOKEN}` } });
  if (!answer.ok) throw new Error(`/metrics answered ${answer.status}`);
  return answer.text();
}

/** @param name with its labels, as the line begins */
export function numberOf(metrics: string, name: string): number {
  const line = metrics.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
}
