import { WEBHOOK_TOKEN } from './service.ts';

const TRIGGERS = ['lynceus-sync-running', 'lynceus-sync-finished', 'lynceus-healthy'] as const;
const CONNECTIONS = 20;

/**
 * Tells of applications of the fleet what they are like right now, as the templates in argocd-notifications/ do:
 * half of the messages are of the first `moved`, the other half of all in turn. Rejects when one is refused.
 *
 * @param apps as Argo CD answers them
 */
export async function tellWhatIsKnown(url: string, apps: readonly App[], moved: number, amount: number): Promise<void> {
  let next = 0;
  const work = async () => {
    for (let at = next++; at < amount; at = next++) {
      const half = Math.floor(at / 2);
      const app = apps[at % 2 === 0 ? half % moved : half % apps.length];
      const trigger = TRIGGERS[Math.floor(half / moved) % TRIGGERS.length];
      if (app && trigger) await tell(url, trigger, app);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
}

/** The parts of an Application that a notification tells. */
export interface App {
  metadata: object;
  spec: { project: string };
  status: { operationState?: object };
}

async function tell(url: string, trigger: string, { metadata, spec, status }: App): Promise<void> {
  const app = { metadata, spec: { project: spec.project }, status };
  const answer = await fetch(`${url}/webhooks/argocd`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${WEBHOOK_TOKEN}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ schema: 'argocd.v1', trigger, app }),
  });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`a notification was answered ${answer.status}`);
}
