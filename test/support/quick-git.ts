import type { BareRepository } from '../../examples/sandbox/git.ts';

/** What a fake asks a repository again and again, without starting git for what never changes. */
export interface QuickGit {
  /** Name, date (ISO 8601), message of a commit. */
  commit(sha: string): { name: string; date: string; message: string };
  /** The tree of a merge; `undefined` when there are conflicts. */
  mergedTree(base: string, head: string): string | undefined;
  isIn(descendant: string, ancestor: string): boolean;
}

export function createQuickGit(origin: BareRepository): QuickGit {
  const told = new Map<string, { name: string; date: string; message: string }>();
  const merged = new Map<string, string | undefined>();
  const contained = new Map<string, boolean>();

  /** Remembers what can never change. */
  function once<T>(known: Map<string, T>, key: string, ask: () => T): T {
    const found = known.get(key);
    if (found !== undefined || known.has(key)) return found as T;
    const answer = ask();
    known.set(key, answer);
    return answer;
  }

  return {
    commit: (sha) =>
      once(told, sha, () => {
        const [name = '', date = '', ...message] = origin.git('log', '-1', '--format=%an%n%at%n%B', sha).split('\n');
        const at = new Date(Number(date) * 1000).toISOString().replace('.000', '');
        return { name, date: at, message: message.join('\n').trimEnd() };
      }),
    mergedTree: (base, head) =>
      once(merged, `${base} ${head}`, () =>
        origin.tries('merge-tree', '--write-tree', base, head)
          ? origin.git('merge-tree', '--write-tree', base, head)
          : undefined,
      ),
    isIn: (descendant, ancestor) =>
      once(contained, `${descendant} ${ancestor}`, () =>
        origin.tries('merge-base', '--is-ancestor', ancestor, descendant),
      ),
  };
}
