import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type BareRepository, createBareRepository } from '../../../examples/sandbox/git.ts';
import { azureDevOps } from '../../../src/adapters/git-hosts/azure-devops.ts';
import { bitbucket } from '../../../src/adapters/git-hosts/bitbucket.ts';
import type { GitHost } from '../../../src/adapters/git-hosts/git-host.ts';
import { gitea } from '../../../src/adapters/git-hosts/gitea.ts';
import { gitlab } from '../../../src/adapters/git-hosts/gitlab.ts';
import { AdapterError } from '../../../src/base/adapter-error.ts';
import { Secret } from '../../../src/base/secret.ts';
import { startFakeAzureDevOps } from '../../support/azure-devops.ts';
import { startFakeBitbucket } from '../../support/bitbucket.ts';
import type { FakeForge } from '../../support/fake-host-world.ts';
import { startFakeGitea } from '../../support/gitea.ts';
import { startFakeGitLab } from '../../support/gitlab.ts';

const TOKEN = 'token-canary-77aa';
const MARKER = '<!-- lynceus -->';
const plain = (url: string) => ({ url });
const HOSTS = [
  { kind: gitea, start: startFakeGitea, settings: plain, path: '/acme/deploy.git', changes: 5 },
  { kind: gitlab, start: startFakeGitLab, settings: plain, path: '/acme/deploy.git', changes: 5 },
  {
    kind: azureDevOps,
    start: startFakeAzureDevOps,
    settings: (url: string) => ({ url: `${url}/acme` }),
    path: '/acme/shop%20floor/_git/deploy',
    changes: 5,
  },
  // It knows no labels, and its merge is a push.
  {
    kind: bitbucket,
    start: startFakeBitbucket,
    settings: (url: string) => ({ url, apiUrl: `${url}/2.0` }),
    path: '/acme/deploy.git',
    changes: 3,
  },
] as const;

/**
 * A promotion whose every request that changes something is cut off once, before or after the host has done it, and
 * that another process, which remembers only what was answered, goes on with.
 */
describe.each(HOSTS)('a promotion on $kind.kind', ({ kind, start, settings, path, changes }) => {
  it.each([
    { when: 'before it was done', afterEffect: false },
    { when: 'after it was done', afterEffect: true },
  ])(
    'has one pull request and one merge when a request is cut off $when',
    { timeout: 240_000 },
    async ({ afterEffect }) => {
      const origin = createBareRepository();
      const fake = await start(origin, TOKEN);
      const cacheDir = mkdtempSync(join(tmpdir(), 'lynceus-cache-'));
      const config = { ...settings(fake.url), token: { env: 'TOKEN' } };
      const tools = { secret: () => new Secret(TOKEN), addresses: 'any', cacheDir } as const;
      const newProcess = () => kind.create('forge', config as never, tools);
      origin.commit({ branch: 'main', files: { a: '1\n' } });

      let cut = 0;
      for (let nth = 1; ; nth += 1) {
        const base = `stage/${nth}`;
        origin.git('branch', base, 'main');
        const before = cut;
        cut += await promote(origin, fake, newProcess, { url: `${fake.url}${path}`, base, nth, afterEffect });
        // The last round ran through: every request was cut off once.
        if (cut === before) break;
      }
      // Pull request, comment, mark, label and merge.
      expect(cut).toBeGreaterThanOrEqual(changes);
      expect(fake.unknown).toEqual([]);
      await fake.close();
      origin.remove();
      rmSync(cacheDir, { recursive: true, force: true });
    },
  );
});

/** Answers how many requests were cut off: one, or none when there were fewer than `nth`. */
async function promote(
  origin: BareRepository,
  fake: FakeForge,
  newProcess: () => GitHost,
  { url, base, nth, afterEffect }: { url: string; base: string; nth: number; afterEffect: boolean },
): Promise<number> {
  const repository = { url };
  const head = `lynceus/shop/${nth}`;
  let seen = 0;
  let cut = 0;
  fake.fault = (line) => {
    if (line.startsWith('GET ')) return undefined;
    seen += 1;
    if (seen !== nth) return undefined;
    cut += 1;
    return { status: 502, body: 'bad gateway', ...(afterEffect ? { afterEffect } : {}) };
  };
  const headSha = await again(newProcess, (host) =>
    host.commitFiles?.(repository, {
      branch: head,
      parent: origin.sha(base) ?? '',
      edits: [{ kind: 'write', path: 'a', content: `${nth + 1}\n` }],
      message: 'Promote',
      at: '2026-03-02T10:00:00Z',
    }),
  );
  const wanted = { headBranch: head, headSha: headSha ?? '', baseBranch: base, title: 't', body: 'b' };
  const { number } = await again(newProcess, (host) => host.openPullRequest(repository, wanted));
  const comment = { marker: MARKER, body: `${MARKER}\nIt passed.` };
  await again(newProcess, (host) => host.putComment?.(repository, number, comment));
  const mark = { name: 'lynceus/evaluation', state: 'success', description: 'passed' } as const;
  await again(newProcess, (host) => host.setStatus?.(repository, headSha ?? '', mark));
  const labels = newProcess().changeLabels === undefined ? [] : [`l${nth}`];
  if (labels.length > 0)
    await again(newProcess, (host) => host.changeLabels?.(repository, number, { add: labels, remove: [] }));
  const merge = { expectedHeadSha: headSha ?? '', message: 'Promote', by: 'grace' };
  const merged = await again(newProcess, (host) => host.mergePullRequest(repository, number, merge));
  fake.fault = undefined;

  const pulls = fake.pulls.all.filter((pull) => pull.head === head);
  expect(pulls.map(({ state }) => state)).toEqual(['merged']);
  // Each host hides the marker in its own way.
  expect(pulls[0]?.comments.map(({ body }) => body.split('\n').at(-1))).toEqual(['It passed.']);
  expect(pulls[0]?.labels).toEqual(labels);
  expect(origin.sha(base)).toBe(merged.mergeSha);
  expect(origin.git('rev-list', '--count', '--first-parent', `main..${base}`)).toBe('1');
  return cut;
}

/** Until it is answered, by a new process each time. */
async function again<T>(newProcess: () => GitHost, work: (host: GitHost) => Promise<T> | undefined): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answered = work(newProcess());
      if (answered === undefined) throw new Error('the host cannot do this');
      return await answered;
    } catch (error) {
      if (!(error instanceof AdapterError) || attempt === 3) throw error;
    }
  }
}
