import { setTimeout as sleep } from 'node:timers/promises';
import { startSandboxArgoCd } from '../../examples/sandbox/argocd/server.ts';
import { freePort } from '../../examples/sandbox/free-port.ts';
import { type BareRepository, createBareRepository } from '../../examples/sandbox/git.ts';
import type { Database } from './databases.ts';
import { ARGOCD_TOKEN, CI_TOKEN, type Service, startService, WEBHOOK_TOKEN } from './service.ts';

const WITHIN_MS = 60_000;
/** Argo CD's times are whole seconds: a second sync within the same one looks like the first. */
const PAUSE_MS = 1_100;

/** An event of the log, as the API tells it. */
export interface LogEvent {
  type: string;
  stream: string;
  sequencenumber: number;
  time: string;
  data: { revision?: string; name?: string; task?: string; result?: string; message?: string; memo?: unknown };
}

export interface Deliveries<T> {
  amount: number;
  /** delivery.yaml of the one service `checkout`, whose first stage is `dev` on the branch `main`. */
  delivery: string;
  /** Branches that begin where `main` does. */
  branches?: readonly string[];
  /** What is measured, out of the events of a sequence so far; `undefined`: not there yet. */
  read(events: readonly LogEvent[]): T | undefined;
}

/** Pushes commits one after another to a sandbox in which everything that takes time takes 1 ms. */
export async function deliver<T>(database: Database, wanted: Deliveries<T>): Promise<T[]> {
  const repository = createBareRepository('deploy');
  commit(repository, wanted.delivery, 0);
  for (const branch of wanted.branches ?? []) repository.git('branch', branch, 'main');
  const port = await freePort();
  const argocd = await startSandboxArgoCd({
    token: ARGOCD_TOKEN,
    timing: { pickUpMs: 1, syncMs: 1, reconcileMs: 1, healthPollMs: 1, pollMs: 50 },
    apps: [
      { name: 'checkout-dev', labels: LABELS, repoUrl: repository.path, path: '.', deployed: true, healthDelayMs: 1 },
    ],
    notifications: { url: `http://127.0.0.1:${port}/webhooks/argocd`, token: WEBHOOK_TOKEN },
  });
  const service = await startService({ database, argocdUrl: argocd.url, repositories: [repository.path], port });
  try {
    const log = readLog(service);
    await untilSeen(log);
    const found: T[] = [];
    for (let at = 1; at <= wanted.amount; at++) {
      await sleep(PAUSE_MS);
      found.push(await deliverOne(log, commit(repository, wanted.delivery, at), wanted.read));
    }
    return found;
  } finally {
    await service.stop();
    await argocd.close();
    repository.remove();
  }
}

const LABELS = { 'lynceus.dev/project': 'shop', 'lynceus.dev/stage': 'dev', 'lynceus.dev/service': 'checkout' };

function commit(repository: BareRepository, delivery: string, version: number): string {
  const files = { 'app.json': `{"version": ${version}}\n`, 'delivery.yaml': delivery };
  return repository.commit({ branch: 'main', files, message: `Release ${version}` });
}

type ReadLog = () => Promise<LogEvent[]>;

/** What is new in the log since the last call. */
function readLog({ url }: Service): ReadLog {
  let upTo = 0;
  return async () => {
    const address = `${url}/api/v1/events?limit=1000&after=${upTo}`;
    const answer = await fetch(address, { headers: { Authorization: `Bearer ${CI_TOKEN}` } });
    const { events } = (await answer.json()) as { events: LogEvent[] };
    upTo = events.at(-1)?.sequencenumber ?? upTo;
    return events;
  };
}

/** The service must have seen the application once: its first sight delivers nothing. */
async function untilSeen(log: ReadLog): Promise<void> {
  await until(async () => (await log()).some(({ type }) => is(type, 'application.changed')) || undefined);
}

async function deliverOne<T>(log: ReadLog, revision: string, read: Deliveries<T>['read']): Promise<T> {
  const events: LogEvent[] = [];
  return until(async () => {
    events.push(...(await log()));
    const first = events.find(({ type, data }) => is(type, 'sequence.triggered') && data.revision === revision);
    return first && read(events.filter(({ stream }) => stream === first.stream));
  });
}

/** Whether an event is of this name. */
export function is(type: string, name: string): boolean {
  return type === `dev.lynceus.${name}.v1`;
}

/** Milliseconds. */
export function between(first: LogEvent, last: LogEvent): number {
  return Date.parse(last.time) - Date.parse(first.time);
}

async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + WITHIN_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`nothing happened within ${WITHIN_MS / 1000} s`);
    await sleep(50);
  }
}
