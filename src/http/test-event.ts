import { createHmac } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { Secret } from '../base/secret.ts';
import { testedJob } from '../runtime/test-events.ts';
import type { Store } from '../store/store.ts';
import { connectionKey } from '../views/connections-screen.ts';
import { Refusal } from './problem.ts';
import type { WebhookSender } from './senders/sender.ts';

/** What calls us in the name of a delivery system. */
export interface TestableSystem {
  name: string;
  kind: string;
  tokens: readonly Secret[];
}

export interface TestEventTools {
  store: Pick<Store, 'receive'>;
  clock: Clock;
  senders: readonly WebhookSender[];
  systems: readonly TestableSystem[];
}

/** An event as a sender of that kind writes it; of an application that does not exist, so that nothing comes of it. */
const BODIES: Readonly<Record<string, (now: string) => object>> = {
  argocd: (now) => ({
    schema: 'argocd.v1',
    trigger: 'lynceus-test-event',
    app: {
      metadata: { name: 'lynceus-test-event', namespace: 'argocd', uid: `lynceus-test-event-${now}` },
      status: {},
    },
  }),
  flux: (now) => ({
    involvedObject: {
      kind: 'TestEvent',
      namespace: 'lynceus',
      name: 'lynceus-test-event',
      uid: `lynceus-test-event-${now}`,
    },
    severity: 'info',
    timestamp: now,
    message: 'A test event, asked for on the page of the connection',
    reason: 'LynceusTestEvent',
    reportingController: 'lynceus',
  }),
};

/** Whether a test event can be sent in the name of a connection. */
export function isTestable({ section, name }: { section: string; name: string }, { systems }: TestEventTools): boolean {
  const system = section === 'deliverySystems' ? systems.find((one) => one.name === name) : undefined;
  return system !== undefined && system.tokens.length > 0 && BODIES[system.kind] !== undefined;
}

/**
 * Has the receiver of a kind take an event in the name of a connection: the same check of the token, the same reading,
 * the same log; what comes out of it is only noted down.
 *
 * @throws {Refusal} there is no such connection, or its receiver did not take it
 */
export async function sendTestEvent(tools: TestEventTools, key: string, by: string): Promise<void> {
  const system = tools.systems.find(({ name }) => connectionKey({ section: 'deliverySystems', name }) === key);
  const [token] = system?.tokens ?? [];
  const body = system && BODIES[system.kind];
  const sender = tools.senders.find(({ path }) => path === `/webhooks/${system?.kind}`);
  if (!system || !token || !body || !sender)
    throw new Refusal(404, 'not-found', `no test event can be sent to ${key}: it has no webhook`);
  const now = tools.clock.now();
  const rawBody = Buffer.from(JSON.stringify(body(now.toISOString())));
  const headers = { 'content-type': 'application/json', ...proofOf(system.kind, token, rawBody) };
  const who = sender.authenticate({ headers, rawBody });
  if (who?.source !== system.name)
    throw new Refusal(
      409,
      'unauthenticated',
      `the webhook token of ${system.name} is not its own: two connections share it`,
    );
  const translation = sender.translate(who.source, rawBody, now, headers);
  if (!translation.ok) throw new Refusal(409, translation.code, translation.detail);
  await tools.store.receive('inbox', translation.event, [testedJob(key, { by, sentAt: now.toISOString() })]);
}

function proofOf(kind: string, token: Secret, rawBody: Buffer): Record<string, string> {
  if (kind !== 'flux') return { authorization: `Bearer ${token.reveal()}` };
  return { 'x-signature': `sha256=${createHmac('sha256', token.reveal()).update(rawBody).digest('hex')}` };
}
