import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SandboxArgoCd, startSandboxArgoCd } from '../../examples/sandbox/argocd/server.ts';
import { eventually } from '../support/argocd-world.ts';
import { bearer, type HttpWorld, notification, startHttpWorld, TOKENS } from '../support/http-world.ts';

describe('the webhook of an Argo CD that answers nothing itself', () => {
  let argocd: SandboxArgoCd;
  let world: HttpWorld;

  beforeEach(async () => {
    argocd = await startSandboxArgoCd({ token: TOKENS.ARGOCD_TOKEN, apps: [] });
    argocd.faults.next({ times: 1_000, effect: { kind: 'hang' } });
    world = await startHttpWorld({ argocdUrl: argocd.url });
  });
  afterEach(async () => {
    await argocd.close();
    await world.stop();
  });

  const tell = (name: string) =>
    world.post('/webhooks/argocd', JSON.stringify(notification(name)), bearer(TOKENS.WEBHOOK_NEW));

  it('has answered before Argo CD is asked: its notifier has one worker for all, and no time limit', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => tell(`service-${at}`)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(202));
    const asked = () => argocd.requests.filter(({ path }) => path.includes('/applications/service-'));
    await eventually(() => asked().length > 0 || undefined);
    expect(asked().every(({ status }) => status === 0)).toBe(true);
  });
});
