import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type BareRepository, createBareRepository } from '../../../examples/sandbox/git.ts';
import type { GitHost } from '../../../src/adapters/git-hosts/git-host.ts';
import { gitea } from '../../../src/adapters/git-hosts/gitea.ts';
import { gitlab } from '../../../src/adapters/git-hosts/gitlab.ts';
import { AdapterError } from '../../../src/base/adapter-error.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { FakeForge } from '../../support/fake-host-world.ts';
import { startFakeGitea } from '../../support/gitea.ts';
import { startFakeGitLab } from '../../support/gitlab.ts';

const TOKEN = 'token-canary-77aa';
const MARKER = '<!-- lynceus -->';
const HOSTS = [
  { kind: gitea, start: startFakeGitea },
  { kind: gitlab, start: startFakeGitLab },
] as const;

/**
 * A promotion whose every request that changes something is cut off once, before or after the host has done it, and
 * that another process, which remembers only what was answered, goes on with.
 */
describe.each(HOSTS)('a promotion on $kind.kind', ({ kind, start }) => {
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
      const config = { url: fake.url, token: { env: 'TOKEN' } };
      const tools = { secret: () => new Secret(TOKEN), addresses: 'any', cacheDir } as const;
      const newProcess = () => kind.create('forge', config as never, tools);
      origin.commit({ branch: 'main', files: { a: '1\n' } });

      let cut = 0;
      for (let nth = 1; ; nth += 1) {
        const base = `stage/${nth}`;
        origin.git('branch', base, 'main');
        const before = cut;
        cut += await promote(origin, fake, newProcess, { base, nth, afterEffect });
        // The last round ran through: every request was cut off once.
        if (cut === before) break;
      }
      // Pull request, comment, mark, label and merge.
      expect(cut).toBeGreaterThanOrEqual(5);
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
  { base, nth, afterEffect }: { base: string; nth: number; afterEffect: boolean },
): Promise<number> {
  const repository = { url: `${fake.url}/acme/deploy.git` };
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
  await again(newProcess, (host) => host.changeLabels?.(repository, number, { add: [`l${nth}`], remove: [] }));
  const merge = { expectedHeadSha: headSha ?? '', message: 'Promote', by: 'grace' };
  const merged = await again(newProcess, (host) => host.mergePullRequest(repository, number, merge));
  fake.fault = undefined;

  const pulls = fake.pulls.all.filter((pull) => pull.head === head);
  expect(pulls.map(({ state }) => state)).toEqual(['merged']);
  expect(pulls[0]?.comments.map(({ body }) => body)).toEqual([comment.body]);
  expect(pulls[0]?.labels).toEqual([`l${nth}`]);
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
