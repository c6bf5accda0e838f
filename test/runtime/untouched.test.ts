import { describe, expect, it } from 'vitest';
import type { GitHost } from '../../src/adapters/git-hosts/git-host.ts';
import { AdapterError } from '../../src/base/adapter-error.ts';
import type { Application } from '../../src/events/application.ts';
import { createUntouchedFinder } from '../../src/runtime/untouched.ts';
import { COMMIT } from '../support/sequence.ts';

const OLD = '1'.repeat(40);
const { signal } = new AbortController();

function application(path = 'envs/prod', changes: Partial<Application> = {}): Application {
  const source = { repoUrl: 'r', path, targetRevision: 'main' };
  return {
    source,
    sources: [source],
    annotations: {},
    targetRevision: COMMIT,
    syncStatus: 'Synced',
    history: [{ revision: OLD, deployedAt: '2026-03-02T10:00:00Z' }],
    ...changes,
  } as Application;
}

function hostWith(files: string[], more: { totalFiles?: number; contains?: boolean; error?: AdapterError } = {}) {
  const asked: string[] = [];
  const host = {
    contains: async () => {
      asked.push('contains');
      if (more.error) throw more.error;
      return more.contains ?? true;
    },
    compare: async () => {
      asked.push('compare');
      return { files: files.map((path) => ({ path })), totalFiles: more.totalFiles ?? files.length };
    },
  } as unknown as GitHost;
  return { asked, find: createUntouchedFinder(() => host) };
}

describe('a commit on a shared branch', () => {
  it('that changes only others is none of an application', async () => {
    const { find } = hostWith(['envs/dev/app.yaml', 'README.md']);
    expect(await find(application(), OLD, signal)).toBe(true);
  });

  it.each([
    ['that changes its files', hostWith(['envs/prod/app.yaml']), application()],
    ['that changes more files than are listed', hostWith(['README.md'], { totalFiles: 301 }), application()],
    ['of a history that was rewritten', hostWith([], { contains: false }), application()],
    [
      'that the host does not know',
      hostWith([], { error: new AdapterError('not-found', 'no such commit') }),
      application(),
    ],
    ['of an application in the root', hostWith(['README.md']), application('.')],
  ])('%s is a change', async (_, { find }, of) => {
    expect(await find(of, OLD, signal)).toBe(false);
  });

  it('is judged by what the team names', async () => {
    const { find } = hostWith(['base/app.yaml']);
    const annotations = { 'argocd.argoproj.io/manifest-generate-paths': '.;/libs' };
    expect(await find(application('envs/prod', { annotations, syncStatus: 'OutOfSync' }), OLD, signal)).toBe(true);
  });

  it('is looked at again when the host cannot be asked now', async () => {
    const { find } = hostWith([], { error: new AdapterError('unavailable', 'away') });
    await expect(find(application(), OLD, signal)).rejects.toThrow('away');
  });

  it('is asked about once for all applications of a repository', async () => {
    const { find, asked } = hostWith(['README.md']);
    await Promise.all(['a', 'b', 'c'].map((path) => find(application(path), OLD, signal)));
    expect(asked).toEqual(['contains', 'compare']);
  });
});
