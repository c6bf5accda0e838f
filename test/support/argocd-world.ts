import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type SandboxArgoCd, type SandboxOptions, startSandboxArgoCd } from '../../examples/sandbox/argocd/server.ts';
import { argocd } from '../../src/adapters/delivery-systems/argocd.ts';
import type { DeliverySystem } from '../../src/adapters/delivery-systems/delivery-system.ts';
import { Secret } from '../../src/base/secret.ts';

export const TOKEN = 'argocd-token-5f1c9b2ae7d04413';

/** A real Git repository with a folder of manifests, for an Argo CD to watch. */
export interface GitRepository {
  /** The bare repository that everybody clones. */
  path: string;
  /** Commits a version of the manifest to a branch; answers the SHA. */
  commit(image: string, branch?: string): string;
  remove(): void;
}

export function createGitRepository(): GitRepository {
  const root = mkdtempSync(join(tmpdir(), 'lynceus-argocd-'));
  const [path, work] = [join(root, 'repo.git'), join(root, 'work')];
  const git = (dir: string, ...args: string[]) =>
    execFileSync('git', ['-C', dir, '-c', 'user.name=Jane Doe', '-c', 'user.email=jane@example.com', ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  mkdirSync(path);
  mkdirSync(work);
  git(path, 'init', '--quiet', '--bare', '--initial-branch=main');
  git(work, 'init', '--quiet', '--initial-branch=main');
  git(work, 'remote', 'add', 'origin', path);
  return {
    path,
    commit(image, branch = 'main') {
      const file = join(work, 'app', 'deployment.yaml');
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `kind: Deployment\nspec:\n  containers:\n    - image: ${image}\n`);
      git(work, 'add', '.');
      git(work, 'commit', '--quiet', '--allow-empty', '-m', `Use ${image}`);
      git(work, 'push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
      return git(work, 'rev-parse', 'HEAD');
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

export const LABELS = { 'lynceus.dev/project': 'shop', 'lynceus.dev/stage': 'dev', 'lynceus.dev/service': 'checkout' };

/** Quick enough for tests, slow enough that every state can be seen. */
export const QUICK = {
  pickUpMs: 30,
  syncMs: 60,
  reconcileMs: 30,
  healthPollMs: 30,
  pollMs: 100,
} as const;

/** Argo CD adapter as the configuration creates it. */
export function createArgoCd(url: string, config: Record<string, unknown> = {}, token = TOKEN): DeliverySystem {
  return argocd.create(
    'main',
    { url, token: { env: 'ARGOCD_TOKEN' }, ...config },
    {
      secret: () => new Secret(token),
      addresses: 'any',
      cacheDir: tmpdir(),
    },
  );
}

export async function startArgoCdWorld(
  options: Partial<SandboxOptions> & { repository: GitRepository },
): Promise<SandboxArgoCd> {
  const { repository, ...rest } = options;
  return startSandboxArgoCd({
    token: TOKEN,
    apps: [
      {
        name: 'checkout',
        project: 'payments',
        labels: LABELS,
        repoUrl: repository.path,
        path: 'app',
        healthDelayMs: 50,
      },
    ],
    ...rest,
    timing: { ...QUICK, ...rest.timing },
  });
}

/** Polls until the answer is there; fails with the last one seen. */
export async function eventually<T>(ask: () => T | undefined | Promise<T | undefined>, limitMs = 10_000): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(`it did not happen within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
