import { tmpdir } from 'node:os';
import { type BareRepository, createBareRepository } from '../../examples/sandbox/git.ts';
import type { GitHost, Repository } from '../../src/adapters/git-hosts/git-host.ts';
import { github } from '../../src/adapters/git-hosts/github.ts';
import { Secret } from '../../src/base/secret.ts';
import { type FakeGitHub, startFakeGitHub } from '../../test/support/github.ts';

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

/** Every host that has a fake. */
export const GIT_HOSTS: readonly { name: string; create(): Promise<GitHostUnderCount> }[] = [
  { name: 'GitHub', create: () => createGitHub(({ url }) => connect(url, { token: { env: 'T' } }, TOKEN)) },
  {
    name: 'GitHub as an App',
    create: () =>
      createGitHub(({ url, app }) => connect(url, { app: { id: app.id, privateKey: { env: 'K' } } }, app.privateKey)),
  },
];

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

/** Two branches that began together. */
export function createOrigin(): BareRepository {
  const origin = createBareRepository();
  origin.commit({ branch: 'main', files: { 'README.md': '# deploy\n' }, message: 'Begin' });
  origin.git('branch', 'production', 'main');
  return origin;
}
