import { setTimeout as sleep } from 'node:timers/promises';
import type { Controller } from './controller.ts';
import type { ApplicationObject } from './resources.ts';

export interface NotificationOptions {
  /** Where the bodies of argocd-notifications/ are posted. */
  url: string;
  token: string;
  /** Every application is looked at again this often. Default 60 s, as in Argo CD. */
  resyncMs?: number;
  /** First wait between tries of one message; doubles up to five times that. Default 1 s. */
  retryWaitMs?: number;
  /** Losses that the real engine has too (restarts, full queues): they count as sent. */
  drop?: boolean | ((notification: Notification) => boolean);
  /** How often each message is sent on top of the first time. Default 0. */
  duplicates?: number;
}

export interface Notification {
  trigger: string;
  namespace: string;
  name: string;
  body: string;
}

export interface NotificationStats {
  sent: number;
  /** Given up after four tries; marked as sent all the same, as the real engine does with oncePer. */
  lost: number;
  dropped: number;
}

interface Trigger {
  name: string;
  when(app: ApplicationObject): boolean;
  oncePer(app: ApplicationObject): string;
}

/** The same triggers as in argocd-notifications/argocd-notifications-cm.yaml. */
export const TRIGGERS: readonly Trigger[] = [
  {
    name: 'lynceus-sync-running',
    when: (app) => app.status.operationState?.phase === 'Running',
    oncePer: (app) => app.status.operationState?.startedAt ?? 'never',
  },
  {
    name: 'lynceus-sync-finished',
    when: (app) => ['Succeeded', 'Failed', 'Error'].includes(app.status.operationState?.phase ?? ''),
    oncePer: (app) => `${app.status.operationState?.startedAt ?? ''}/${app.status.operationState?.finishedAt ?? ''}`,
  },
  {
    name: 'lynceus-health-degraded',
    when: (app) => app.status.health.status === 'Degraded',
    oncePer: sinceWhen,
  },
  {
    name: 'lynceus-healthy',
    when: (app) => app.status.health.status === 'Healthy',
    oncePer: sinceWhen,
  },
  {
    name: 'lynceus-out-of-sync',
    when: (app) => app.status.sync.status === 'OutOfSync',
    oncePer: (app) => JSON.stringify([app.status.sync.revision ?? '', app.status.sync.revisions ?? []]),
  },
];

const TRIES = 4;

export interface Notifier {
  readonly stats: NotificationStats;
  /** Changes what is lost or repeated from now on. */
  disturb(change: Pick<NotificationOptions, 'drop' | 'duplicates'>): void;
  close(): Promise<void>;
}

/** One worker for everybody, as in Argo CD: a receiver that hangs holds up all applications. */
export function startNotifier(controller: Controller, given: NotificationOptions): Notifier {
  const options = { ...given };
  const stats: NotificationStats = { sent: 0, lost: 0, dropped: 0 };
  const told = new Set<string>();
  const dirty = new Set<string>();
  const stop = new AbortController();
  let working: Promise<void> = Promise.resolve();

  const look = ({ metadata }: ApplicationObject) => {
    const key = `${metadata.namespace}/${metadata.name}`;
    if (dirty.has(key)) return;
    dirty.add(key);
    working = working.then(() => work(key)).catch(() => undefined);
  };
  const onChange = ({ object }: { object: ApplicationObject }) => look(object);
  controller.on('change', onChange);
  const resync = setInterval(() => controller.objects().forEach(look), options.resyncMs ?? 60_000);

  async function work(key: string): Promise<void> {
    dirty.delete(key);
    const [namespace = '', name = ''] = key.split('/');
    const current = controller.find(name, namespace);
    if (current === undefined || stop.signal.aborted) return;
    const app = structuredClone(current);
    if (isOutdated(app)) return;
    for (const trigger of TRIGGERS.filter(({ when }) => when(app))) {
      const mark = `${app.metadata.uid}:${trigger.oncePer(app)}:${trigger.name}`;
      if (told.has(mark)) continue;
      await deliver({ trigger: trigger.name, namespace, name, body: bodyOf(trigger.name, app) });
      told.add(mark);
    }
  }

  async function deliver(notification: Notification): Promise<void> {
    const { drop = false, duplicates = 0 } = options;
    if (typeof drop === 'function' ? drop(notification) : drop) {
      stats.dropped += 1;
      return;
    }
    for (let copy = 0; copy <= duplicates; copy += 1) {
      if (await send(notification)) stats.sent += 1;
      else stats.lost += 1;
    }
  }

  async function send({ body }: Notification): Promise<boolean> {
    const firstWait = options.retryWaitMs ?? 1_000;
    for (let tried = 0; tried < TRIES && !stop.signal.aborted; tried += 1) {
      if (tried > 0)
        await sleep(Math.min(firstWait * 2 ** (tried - 1), firstWait * 5), undefined, { signal: stop.signal });
      const status = await post(body);
      const tryAgain = status === 0 || status === 429 || (status >= 500 && status !== 501);
      if (!tryAgain) return status >= 200 && status < 300;
    }
    return false;
  }

  /** The answer's status; 0 when there was none. */
  async function post(body: string): Promise<number> {
    try {
      const answer = await fetch(options.url, {
        method: 'POST',
        headers: { Authorization: `Bearer ${options.token}`, 'Content-Type': 'application/json' },
        body,
        signal: stop.signal,
      });
      await answer.arrayBuffer();
      return answer.status;
    } catch {
      return 0;
    }
  }

  return {
    stats,
    disturb: (change) => void Object.assign(options, change),
    async close() {
      stop.abort();
      clearInterval(resync);
      controller.off('change', onChange);
      await working;
    },
  };
}

function sinceWhen(app: ApplicationObject): string {
  return app.status.health.lastTransitionTime ?? app.status.operationState?.startedAt ?? 'never';
}

/** An operation has just ended and nothing was compared since: the real controller waits, too. */
function isOutdated({ status }: ApplicationObject): boolean {
  const run = status.operationState;
  if (run === undefined || !['Succeeded', 'Failed', 'Error'].includes(run.phase)) return false;
  return (run.finishedAt ?? '') > (status.reconciledAt ?? '');
}

/** What the templates of argocd-notifications/ render. */
function bodyOf(trigger: string, { metadata, spec, status }: ApplicationObject): string {
  const run = status.operationState;
  return JSON.stringify({
    schema: 'argocd.v1',
    trigger,
    app: {
      metadata: {
        labels: metadata.labels,
        name: metadata.name,
        namespace: metadata.namespace,
        resourceVersion: metadata.resourceVersion,
        uid: metadata.uid,
      },
      spec: { project: spec.project },
      status: {
        reconciledAt: status.reconciledAt ?? '',
        sync: {
          status: status.sync.status,
          revision: status.sync.revision ?? '',
          revisions: status.sync.revisions ?? [],
        },
        health: { status: status.health.status, lastTransitionTime: status.health.lastTransitionTime ?? '' },
        operationState: {
          phase: run?.phase ?? '',
          message: run?.message ?? '',
          startedAt: run?.startedAt ?? '',
          finishedAt: run?.finishedAt ?? '',
          syncResult: { revision: run?.syncResult?.revision ?? '', revisions: run?.syncResult?.revisions ?? [] },
          operation: { info: run?.operation.info ?? [] },
        },
      },
    },
  });
}
