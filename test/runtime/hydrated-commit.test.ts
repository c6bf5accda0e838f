import { describe, expect, it } from 'vitest';
import type { GitHost } from '../../src/adapters/git-hosts/git-host.ts';
import { AdapterError } from '../../src/base/adapter-error.ts';
import type { Application } from '../../src/events/application.ts';
import { createDryCommitFinder } from '../../src/runtime/hydrated-commit.ts';

const [DRY, HYDRATED, OTHER] = ['d', 'e', 'f'].map((digit) => digit.repeat(40)) as [string, string, string];
const signal = new AbortController().signal;

function application(hydration?: Partial<NonNullable<Application['hydration']>>): Application {
  return {
    source: { repoUrl: 'https://git.example.com/hydrated', path: 'cart', targetRevision: 'environments/dev' },
    ...(hydration ? { hydration: { phase: 'Hydrated', branch: 'environments/dev', ...hydration } } : {}),
  } as Application;
}

/** A host whose repository has this file at one commit. */
function host(read: (path: string) => string | undefined) {
  return createDryCommitFinder(
    () => ({ readFile: async (_: unknown, revision: string, path: string) => read(`${revision}:${path}`) }) as GitHost,
  );
}

describe('the dry commit of a hydrated one', () => {
  it('is what the application says of its last hydration', async () => {
    const find = host(() => undefined);
    expect(await find(application({ drySha: DRY, hydratedSha: HYDRATED }), HYDRATED, signal)).toBe(DRY);
  });

  it('is read beside the manifests where the last hydration made another commit, as with hydrateTo', async () => {
    const find = host((path) => (path === `${HYDRATED}:hydrator.metadata` ? `{"drySha": "${DRY}"}` : undefined));
    expect(await find(application({ drySha: OTHER, hydratedSha: OTHER }), HYDRATED, signal)).toBe(DRY);
  });

  it.each([
    ['is not there', undefined],
    ['is no JSON', '{'],
    ['names no commit', '{"drySha": "main"}'],
    ['is something else', '[]'],
  ])('stays open when hydrator.metadata %s', async (_, text) => {
    expect(await host(() => text)(application({}), HYDRATED, signal)).toBe('');
  });

  it('stays open when no host has the repository, and waits for one that is out of reach', async () => {
    const failing = (reason: 'not-found' | 'unavailable') =>
      createDryCommitFinder(() => {
        throw new AdapterError(reason, 'no');
      });
    expect(await failing('not-found')(application({}), HYDRATED, signal)).toBe('');
    await expect(failing('unavailable')(application({}), HYDRATED, signal)).rejects.toThrow('no');
  });

  it('does not exist without a hydrator, and cannot be asked for without any Git host', async () => {
    expect(await host(() => '{}')(application(), HYDRATED, signal)).toBeUndefined();
    expect(await createDryCommitFinder(() => undefined)(application({}), HYDRATED, signal)).toBeUndefined();
  });
});
