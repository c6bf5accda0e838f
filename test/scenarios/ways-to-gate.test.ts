import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { RunHook } from '../../examples/sandbox/argocd/manifests.ts';
import type { WindowSpec } from '../../examples/sandbox/argocd/windows.ts';
import { waitForGate } from '../../src/cli/gate.ts';
import { eventually, PERSON_TOKEN } from '../support/lynceus.ts';
import { deliveryWith, isOver, last, type Story, story, waitsAt } from '../support/story.ts';

const LIMIT = { timeout: 120_000 };
const examples = path.resolve(import.meta.dirname, '../../examples/ways-to-gate');
const example = (file: string) => readFileSync(path.join(examples, file), 'utf8');
const APPROVED = 'approval: {quorum: 1}';

const asked = (told: Story, application: string) =>
  told.world.argocd.requests
    .filter(({ method, path: address }) => method === 'POST' && address.endsWith(`${application}/sync`))
    .map(({ body }) => JSON.parse(body) as { revision: string });
const operationOf = (told: Story, application: string) =>
  told.world.argocd.controller.find(application)?.status.operationState;
const livesOn = (told: Story, application: string) =>
  told.world.argocd.controller.find(application)?.status.history.at(-1)?.revision;

describe.concurrent('manual sync', () => {
  it('deploys nothing before the gate is open, and then exactly the commit that was let through', LIMIT, async () => {
    await story({ delivery: deliveryWith('dev', `sync: gated\n      ${APPROVED}`) }, async (told) => {
      told.world.argocd.controller.setAutomated('checkout-dev', false);
      const commit = told.release(1);
      await told.stage(commit, 'dev', waitsAt('approval'), 'waits for a person');
      expect(told.world.syncsOf('checkout-dev')).toEqual([]);
      await told.decide(commit, 'dev', 'approve');
      await told.stage(commit, 'dev', isOver, 'is delivered');
      expect(asked(told, 'checkout-dev').map(({ revision }) => revision)).toEqual([commit]);
    });
  });
});

describe.concurrent('branch', () => {
  it('leaves syncing to Argo CD, which sees nothing before the pull request is merged', LIMIT, async () => {
    const delivery = deliveryWith('dev', 'sync: automatic\n      promotion: {onPass: manual}').replace(
      'sync: gated\n      promotion: {onPass: automatic}',
      'sync: automatic',
    );
    await story({ delivery }, async (told) => {
      told.world.argocd.controller.setAutomated('checkout-staging', true);
      const commit = told.release(1);
      await told.stage(commit, 'dev', waitsAt('promotion'), 'waits for its review');
      expect(told.world.syncsOf('checkout-staging')).toEqual([]);
      await told.decide(commit, 'dev', 'approve');
      expect(await told.stage(commit, 'staging', isOver, 'is synced by Argo CD')).toMatchObject({ result: 'pass' });
      expect(asked(told, 'checkout-staging')).toEqual([]);
      expect(told.world.syncsOf('checkout-staging').map(({ automated }) => automated)).toEqual([true]);
    });
  });
});

/** Runs the Job's own command, as the cluster would; the address and the token are the test's. */
function jobs(timeout: () => string): { run: RunHook; codes: number[]; url: { value: string } } {
  const [codes, url] = [[] as number[], { value: '' }];
  const run: RunHook = async ({ manifest }) => {
    const { template } = manifest.spec as { template: { spec: { containers: { args: string[] }[] } } };
    const [gate, wait, ...args] = template.spec.containers[0]?.args ?? [];
    expect([gate, wait]).toEqual(['gate', 'wait']);
    const flags = Object.fromEntries(
      args.flatMap((arg, at) => (arg.startsWith('--') ? [[arg.slice(2), args[at + 1] ?? '']] : [])),
    );
    expect(Object.keys(flags)).toEqual(['app', 'namespace', 'until', 'timeout']);
    const terminal = {
      out: () => undefined,
      err: () => undefined,
      env: { LYNCEUS_URL: url.value, LYNCEUS_TOKEN: PERSON_TOKEN },
      stop: new AbortController().signal,
    };
    const options = { ...flags, app: 'checkout-dev', kind: 'change', timeout: timeout(), interval: '300ms' };
    const code = await waitForGate(terminal as never, options as never);
    codes.push(code);
    return code === 0;
  };
  return { run, codes, url };
}

const HOOKED = deliveryWith('dev', `sync: automatic\n      ${APPROVED}\n      promotion: {onPass: automatic}`);

async function hooked(timeout: () => string, tell: (told: Story, codes: number[]) => Promise<void>): Promise<void> {
  const { run, codes, url } = jobs(timeout);
  const files = { 'gate.yaml': example('presync-job.yaml') };
  await story({ delivery: HOOKED, files, sandbox: { runHook: run } }, async (told) => {
    url.value = told.world.url;
    await tell(told, codes);
  });
}

describe.concurrent('PreSync hook', () => {
  it('lets the sync that runs it go on once the gate is open, without being told its commit', LIMIT, async () => {
    await hooked(
      () => '60s',
      async (told, codes) => {
        const before = livesOn(told, 'checkout-dev');
        const commit = told.release(1);
        await told.stage(commit, 'dev', waitsAt('approval'), 'waits for a person');
        await eventually(async () => operationOf(told, 'checkout-dev')?.message.includes('lynceus-gate'), {
          within: 20_000,
          what: 'the hook waits',
        });
        expect(livesOn(told, 'checkout-dev')).toBe(before);
        await told.decide(commit, 'dev', 'approve');
        expect(await told.stage(commit, 'dev', isOver, 'is delivered')).toMatchObject({ result: 'pass' });
        expect(codes).toEqual([0]);
        expect(asked(told, 'checkout-dev')).toEqual([]);
      },
    );
  });

  it('that was denied is started by us once the gate opens, because Argo CD never tries again', LIMIT, async () => {
    let timeout = '1s';
    await hooked(
      () => timeout,
      async (told, codes) => {
        const commit = told.release(1);
        await told.stage(commit, 'dev', waitsAt('approval'), 'waits for a person');
        await eventually(async () => operationOf(told, 'checkout-dev')?.phase === 'Failed', {
          within: 30_000,
          what: 'the hook gives up',
        });
        // Closed, and Argo CD does not try again.
        expect(codes).toEqual([3]);
        await told.world.argocd.controller.refresh('checkout-dev');
        expect(told.world.syncsOf('checkout-dev')).toHaveLength(1);
        timeout = '60s';
        await told.decide(commit, 'dev', 'approve');
        const over = await told.stage(commit, 'dev', isOver, 'is started and delivered');
        expect(over).toMatchObject({ result: 'pass' });
        // With auto-sync on, Argo CD takes nothing but its target.
        expect(asked(told, 'checkout-dev').map(({ revision }) => revision)).toEqual(['stage/dev']);
        expect(livesOn(told, 'checkout-dev')).toBe(commit);
        expect(codes).toEqual([3, 0]);
      },
    );
  });

  it('lets one commit through that a person lets through, and everybody can see who and why', LIMIT, async () => {
    await hooked(
      () => '60s',
      async (told, codes) => {
        const commit = told.release(1);
        await told.stage(commit, 'dev', waitsAt('approval'), 'waits for a person');
        expect((await told.decide(commit, 'dev', 'override')).status).toBe(201);
        const over = await told.stage(commit, 'dev', isOver, 'is let through');
        expect(over).toMatchObject({ result: 'warning', override: { actor: 'ada', reason: 'told so' } });
        expect(codes).toEqual([0]);
        const page = await (await told.world.ask(`/changes/${(await told.change(commit))?.id}`)).text();
        expect(page).toContain('Let through by ada, past checks and approval');
        const next = told.release(2);
        await told.stage(next, 'dev', waitsAt('approval'), 'the next one waits again');
      },
    );
  });

  it('that was denied for a change that is over is started once somebody lets that through', LIMIT, async () => {
    let timeout = '1s';
    await hooked(
      () => timeout,
      async (told, codes) => {
        const commit = told.release(1);
        await told.stage(commit, 'dev', waitsAt('approval'), 'waits for a person');
        await told.decide(commit, 'dev', 'reject');
        await told.stage(commit, 'dev', isOver, 'is rejected');
        await eventually(async () => operationOf(told, 'checkout-dev')?.phase === 'Failed', {
          within: 30_000,
          what: 'the hook gives up',
        });
        timeout = '60s';
        expect((await told.decide(commit, 'dev', 'override')).status).toBe(201);
        const over = await told.stage(commit, 'dev', (view) => view.asked && isOver(view), 'is delivered after all');
        expect(over).toMatchObject({ result: 'warning', asked: { what: 'override' } });
        expect(asked(told, 'checkout-dev').map(({ revision }) => revision)).toEqual(['stage/dev']);
        expect(livesOn(told, 'checkout-dev')).toBe(commit);
        expect(codes.at(-1)).toBe(0);
      },
    );
  });

  it('is not asked by a sync without hooks, such as a rollback: that is what it cannot stop', LIMIT, async () => {
    await hooked(
      () => '60s',
      async (told, codes) => {
        const { controller } = told.world.argocd;
        controller.setAutomated('checkout-dev', false);
        const commit = told.release(1);
        await told.stage(commit, 'dev', waitsAt('approval'), 'waits for a person');
        await controller.requestSync('checkout-dev', 'argocd', { revision: commit, strategy: { apply: {} } }, 'bob');
        await eventually(async () => livesOn(told, 'checkout-dev') === commit, {
          within: 20_000,
          what: 'it is deployed',
        });
        expect(codes).toEqual([]);
      },
    );
  });
});

describe.concurrent('PreSync hook that is a suspended Job', () => {
  const files = { 'gate.yaml': example('suspended-job.yaml') };
  const untilHeld = (told: Story) =>
    eventually(async () => operationOf(told, 'checkout-dev')?.message.includes('lynceus-gate'), {
      within: 20_000,
      what: 'the Job holds the sync',
    });

  it('is resumed once the gate is open', LIMIT, async () => {
    await story({ delivery: HOOKED, files }, async (told) => {
      const commit = told.release(1);
      await told.stage(commit, 'dev', waitsAt('approval'), 'waits for a person');
      await untilHeld(told);
      await told.decide(commit, 'dev', 'approve');
      expect(await told.stage(commit, 'dev', isOver, 'is delivered')).toMatchObject({ result: 'pass' });
      expect(told.world.argocd.controller.actions).toEqual(['resume Job/lynceus-gate']);
    });
  });

  it('is terminated when the change is rejected, so that it blocks no other sync', LIMIT, async () => {
    await story({ delivery: HOOKED, files }, async (told) => {
      const before = livesOn(told, 'checkout-dev');
      const commit = told.release(1);
      await told.stage(commit, 'dev', waitsAt('approval'), 'waits for a person');
      await untilHeld(told);
      await told.decide(commit, 'dev', 'reject');
      await eventually(async () => operationOf(told, 'checkout-dev')?.phase === 'Failed', {
        within: 20_000,
        what: 'the sync ends',
      });
      expect(told.world.argocd.controller.actions).toEqual(['terminate Job/lynceus-gate']);
      expect(livesOn(told, 'checkout-dev')).toBe(before);
    });
  });
});

describe.concurrent('deny window', () => {
  const standing = () => {
    const { spec } = parse(example('deny-window.yaml')) as { spec: { syncWindows: WindowSpec[] } };
    return spec.syncWindows.map((window) => ({ ...window, applications: ['*-dev'] }));
  };

  it('that is always on holds auto-sync, and lets our sync pass once the gate is open', LIMIT, async () => {
    await story({ delivery: deliveryWith('dev', `sync: gated\n      ${APPROVED}`) }, async (told) => {
      told.world.argocd.controller.setWindows('default', standing());
      const commit = told.release(1);
      await told.stage(commit, 'dev', waitsAt('approval'), 'waits for a person');
      await told.world.argocd.controller.refresh('checkout-dev');
      expect(told.world.syncsOf('checkout-dev')).toEqual([]);
      await told.decide(commit, 'dev', 'approve');
      expect(await told.stage(commit, 'dev', isOver, 'is delivered')).toMatchObject({ result: 'pass' });
      expect(asked(told, 'checkout-dev').map(({ revision }) => revision)).toEqual(['stage/dev']);
      expect(livesOn(told, 'checkout-dev')).toBe(commit);
    });
  });

  it('that is not there leaves nothing to gate: the stage says so', LIMIT, async () => {
    await story({ delivery: deliveryWith('dev', 'sync: gated') }, async (told) => {
      const over = await told.stage(told.release(1), 'dev', isOver, 'fails');
      expect(over).toMatchObject({ result: 'fail', message: expect.stringMatching(/Argo CD sync(s|ed) .* by itself/) });
    });
  });
});

describe.concurrent('RollingSync step', () => {
  it('with maxUpdate 0 waits until we sync it; the steps before it are left to Argo CD', LIMIT, async () => {
    const { spec, metadata } = parse(example('rolling-sync.yaml')) as {
      metadata: { name: string };
      spec: { strategy: { rollingSync: { steps: { matchExpressions: object[]; maxUpdate?: number }[] } } };
    };
    const maxUpdates = spec.strategy.rollingSync.steps.map(({ maxUpdate }) => maxUpdate);
    expect(maxUpdates).toEqual([undefined, 0]);
    const steps = maxUpdates.map((maxUpdate, at) => ({
      match: { 'lynceus.dev/stage': [['dev', 'staging'][at] ?? ''] },
      ...(maxUpdate === undefined ? {} : { maxUpdate }),
    }));
    const rollingSync = { applicationSet: metadata.name, steps };
    const delivery = deliveryWith('staging', `sync: gated\n      ${APPROVED}`);
    await story({ delivery, sandbox: { rollingSync }, applicationSet: metadata.name }, async (told) => {
      told.world.argocd.controller.setAutomated('checkout-dev', false);
      const commit = told.release(1);
      await told.stage(commit, 'dev', isOver, 'is synced by the ApplicationSet');
      expect(asked(told, 'checkout-dev')).toEqual([]);
      const held = await told.stage(commit, 'staging', waitsAt('approval'), 'waits for a person');
      expect(last(held).name).toBe('approval');
      expect(told.world.syncsOf('checkout-staging')).toEqual([]);
      await told.decide(commit, 'staging', 'approve');
      expect(await told.stage(commit, 'staging', isOver, 'is released by our sync')).toMatchObject({ result: 'pass' });
      expect(asked(told, 'checkout-staging')).toHaveLength(1);
    });
  });
});

it('the examples are what the scenarios play', () => {
  for (const file of ['presync-job.yaml', 'suspended-job.yaml']) {
    const job = parse(example(file)) as { metadata: { name: string }; spec: object };
    expect(job.metadata.name).toBe('lynceus-gate');
    expect(stringify(job)).toContain('PreSync');
  }
});
