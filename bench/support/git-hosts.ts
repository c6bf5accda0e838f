import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BareRepository, createBareRepository } from '../../examples/sandbox/git.ts';
import { azureDevOps } from '../../src/adapters/git-hosts/azure-devops.ts';
import { bitbucket } from '../../src/adapters/git-hosts/bitbucket.ts';
import type { GitHost, Repository } from '../../src/adapters/git-hosts/git-host.ts';
import { gitea } from '../../src/adapters/git-hosts/gitea.ts';
import { github } from '../../src/adapters/git-hosts/github.ts';
import { gitlab } from '../../src/adapters/git-hosts/gitlab.ts';
import { Secret } from '../../src/base/secret.ts';
import { startFakeAzureDevOps } from '../../test/support/azure-devops.ts';
import { startFakeBitbucket } from '../../test/support/bitbucket.ts';
import type { FakeForge } from '../../test/support/fake-host-world.ts';
import { startFakeGitea } from '../../test/support/gitea.ts';
import { type FakeGitHub, startFakeGitHub } from '../../test/support/github.ts';
import { startFakeGitLab } from '../../test/support/gitlab.ts';

/** A request as the fake of a host saw it. */
export interface Asked {
  /** `GET /repos/acme/deploy` */
  line: string;
  /** Bodies, both ways. */
  bytes: number;
  /** Answered that nothing has changed. */
  unchanged?: boolean;
}

/** A host whose calls are counted, with a repository that has the branches `main` and `production`. */
export interface GitHostUnderCount {
  host: GitHost;
  repository: Repository;
  origin: BareRepository;
  asked(): readonly Asked[];
  /** Somebody who may approves the pull request as it is now. */
  approve(number: number): Promise<void> | void;
  close(): Promise<void>;
}

const TOKEN = 'ghp_benchmark';
const CACHES = join(tmpdir(), 'lynceus-bench-cache-');

/** Every host that has a fake. */
export const GIT_HOSTS: readonly { name: string; create(): Promise<GitHostUnderCount> }[] = [
  { name: 'GitHub', create: () => createGitHub(({ url }) => connect(url, { token: { env: 'T' } }, TOKEN)) },
  {
    name: 'GitHub as an App',
    create: () =>
      createGitHub(({ url, app }) => connect(url, { app: { id: app.id, privateKey: { env: 'K' } } }, app.privateKey)),
  },
  {
    name: 'GitLab',
    create: () =>
      createForge(
        gitlab,
        startFakeGitLab,
        (url) => ({ url }),
        (fake, number) => fake.approve('reviewer', number),
      ),
  },
  { name: 'Gitea', create: () => createForge(gitea, startFakeGitea, (url) => ({ url }), reviewed) },
  {
    name: 'Azure DevOps',
    create: () =>
      createForge(
        azureDevOps,
        startFakeAzureDevOps,
        (url) => ({ url: `${url}/acme` }),
        reviewed,
        '/acme/shop%20floor/_git/deploy',
      ),
  },
  {
    name: 'Bitbucket',
    create: () => createForge(bitbucket, startFakeBitbucket, (url) => ({ url, apiUrl: `${url}/2.0` }), reviewed),
  },
];

function reviewed({ pulls, accounts }: FakeForge, number: number): void {
  pulls.review(pulls.pullOf(number), accounts.named('reviewer'), 'approved');
}

function connect(url: string, login: object, secret: string): GitHost {
  const tools = { secret: () => new Secret(secret), addresses: 'any' as const, cacheDir: tmpdir() };
  return github.create('github', { url, ...login, writeIntervalMs: 0 }, tools);
}

async function createGitHub(createHost: (fake: FakeGitHub) => GitHost): Promise<GitHostUnderCount> {
  const origin = createOrigin();
  const fake = await startFakeGitHub(origin, TOKEN);
  fake.accounts.named('reviewer').permission = 'write';
  return {
    host: createHost(fake),
    repository: { url: `${fake.url}/acme/deploy` },
    origin,
    asked: () => fake.requests,
    approve: (number) => {
      const { pulls } = fake.state;
      const pull = pulls.pullOf(number);
      pulls.review(pull, fake.accounts.named('reviewer'), 'APPROVED', pulls.headShaOf(pull));
    },
    async close() {
      await fake.close();
      origin.remove();
      if (fake.violations.length > 0) throw new Error(fake.violations.join('\n'));
    },
  };
}

/** A host that is asked by REST and by Git. */
async function createForge<Fake extends FakeForge>(
  kind: { create: (typeof gitea)['create'] },
  start: (origin: BareRepository, token: string) => Promise<Fake>,
  settings: (url: string) => { url: string; apiUrl?: string },
  approve: (fake: Fake, number: number) => void,
  path = '/acme/deploy',
): Promise<GitHostUnderCount> {
  const origin = createOrigin();
  const fake = await start(origin, TOKEN);
  fake.accounts.named('reviewer').permission = 'write';
  const tools = { secret: () => new Secret(TOKEN), addresses: 'any' as const, cacheDir: mkdtempSync(CACHES) };
  return {
    host: kind.create('forge', { ...settings(fake.url), token: { env: 'T' } } as never, tools),
    repository: { url: `${fake.url}${path}` },
    origin,
    asked: () => fake.asked,
    approve: (number) => approve(fake, number),
    async close() {
      await fake.close();
      origin.remove();
      rmSync(tools.cacheDir, { recursive: true, force: true });
      if (fake.unknown.length > 0) throw new Error(fake.unknown.join('\n'));
    },
  };
}

/** Two branches that began together. */
export function createOrigin(): BareRepository {
  const origin = createBareRepository();
  origin.commit({ branch: 'main', files: { 'README.md': '# deploy\n' }, message: 'Begin' });
  origin.git('branch', 'production', 'main');
  return origin;
}
