import { describe, expect, it } from 'vitest';
import type { Application, Hydration } from '../../src/events/application.ts';
import { whatToPromote } from '../../src/tasks/promotion-hydrated.ts';
import type { TaskInput, TaskTools } from '../../src/tasks/task.ts';

const [OURS, NEWER, OLDER] = ['1', '2', '3'].map((digit) => digit.repeat(40)) as [string, string, string];
const [RENDERED, OTHER] = ['a', 'b'].map((digit) => digit.repeat(40)) as [string, string];
const DRY = 'https://git.example.com/dry';
const RENDERED_TO = 'https://git.example.com/rendered';

/** What goes to staging, where NEWER comes after OURS, and RENDERED was made of `madeOf`. */
function promoted(hydration: Partial<Hydration>, madeOf = NEWER) {
  const application = {
    ref: { system: 'main', name: 'checkout' },
    source: { repoUrl: RENDERED_TO },
    hydration: { phase: 'Hydrated', branch: 'env/staging', hydrateTo: 'env/staging-next', ...hydration },
  } as Application;
  const asked: string[] = [];
  const host = {
    contains: async ({ url }: { url: string }, descendant: string, ancestor: string) => {
      asked.push(url);
      return descendant === NEWER && ancestor === OURS;
    },
    readFile: async ({ url }: { url: string }, revision: string, path: string) =>
      url === RENDERED_TO && revision === RENDERED && path === 'hydrator.metadata'
        ? JSON.stringify({ drySha: madeOf })
        : undefined,
  };
  const tools = {
    history: { applications: async () => [application.ref] },
    deliverySystem: () => ({ read: async () => application }),
    gitHost: () => host,
  } as unknown as TaskTools;
  const triggered = { place: {}, source: { repoUrl: DRY, path: '.' }, revision: OURS };
  const target = { to: 'staging', branch: 'env/staging' };
  const input = { triggered, signal: AbortSignal.timeout(5_000) } as unknown as TaskInput;
  return whatToPromote(input, tools, target as Parameters<typeof whatToPromote>[2], {}).then((what) => ({
    what,
    asked,
  }));
}

const ours = { repository: { url: RENDERED_TO }, revision: RENDERED };

describe('what is promoted to a stage whose manifests are hydrated to a branch of their own', () => {
  it('is what was rendered from the verified commit', async () => {
    const last = { drySha: OURS, hydratedSha: RENDERED };
    expect((await promoted({ drySha: OURS, hydratedSha: RENDERED, last })).what).toEqual(ours);
  });

  it.each(['Hydrating', 'Failed'] as const)('is that also when a newer commit is %s', async (phase) => {
    expect((await promoted({ phase, last: { drySha: OURS, hydratedSha: RENDERED } })).what).toEqual(ours);
  });

  it('is that also when newer commits rendered to the same', async () => {
    const last = { drySha: NEWER, hydratedSha: RENDERED };
    expect((await promoted({ ...last, last }, OURS)).what).toEqual(ours);
    expect((await promoted({ phase: 'Failed', last }, OURS)).what).toEqual(ours);
  });

  it('is nothing any more once something newer is there instead', async () => {
    const last = { drySha: NEWER, hydratedSha: RENDERED };
    for (const hydration of [{ ...last, last }, { phase: 'Failed', last } as const])
      expect((await promoted(hydration)).what).toMatchObject({
        kind: 'finished',
        message: 'env/staging-next holds a newer commit than 11111111',
      });
  });

  it('is waited for while it is at work, without asking the Git host', async () => {
    const { what, asked } = await promoted({ phase: 'Hydrating', last: { drySha: OLDER, hydratedSha: OTHER } });
    expect(what).toMatchObject({ blocker: { sentence: 'Argo CD is hydrating the commit for env/staging' } });
    expect(asked).toEqual([]);
  });

  it('is waited for where it could not be, with the reason', async () => {
    const { what } = await promoted({
      phase: 'Failed',
      message: 'no such chart',
      last: { drySha: OLDER, hydratedSha: OTHER },
    });
    expect(what).toMatchObject({ blocker: { sentence: 'Argo CD could not hydrate the commit: no such chart' } });
  });
});
