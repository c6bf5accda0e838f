import { expect } from 'vitest';
import type { BareRepository } from '../../examples/sandbox/git.ts';
import type { GitHost } from '../../src/adapters/git-hosts/git-host.ts';
import { Secret } from '../../src/base/secret.ts';
import type { CommitStatus } from '../../src/promotion/people.ts';
import type { GitHostWorld, OtherPeople } from '../contracts/git-host.ts';
import type { Accounts, FakeHost } from './fake-host.ts';
import type { FakePulls } from './fake-pulls.ts';

export interface FakeForge extends FakeHost {
  accounts: Accounts;
  pulls: FakePulls;
}

export interface FakeForgeWorld {
  fake: FakeForge;
  origin: BareRepository;
  createHost(url: string): GitHost;
  secret: string;
  /** The one group, as the port names it. */
  group: string;
  /** What is different about this host. */
  changes?: Partial<GitHostWorld>;
  people?: Partial<OtherPeople>;
}

/** The world of the contract for a fake host with accounts and pull requests. */
export function fakeForgeWorld({
  fake,
  origin,
  createHost,
  secret,
  group,
  changes,
  people,
}: FakeForgeWorld): GitHostWorld {
  const { accounts, pulls } = fake;
  accounts.named('reviewer').permission = 'write';
  return {
    host: createHost(fake.url),
    origin,
    repository: { url: `${fake.url}/acme/deploy.git` },
    missing: { url: `${fake.url}/acme/missing` },
    // Port 1 is reserved; nothing listens there.
    unreachable: { host: createHost('http://127.0.0.1:1'), repository: { url: 'http://127.0.0.1:1/acme/deploy' } },
    secret,
    people: {
      user: (login) => ({ id: String(accounts.named(login).id), login, bot: false }),
      rename: (login, to) => {
        accounts.named(login).login = to;
      },
      setPermission: (login, permission) => {
        accounts.named(login).permission = permission;
      },
      group,
      join: (login) => void accounts.members.add(accounts.named(login).id),
      approve: (login, number) => void pulls.review(pulls.pullOf(number), accounts.named(login), 'approved'),
      reject: (login, number) => void pulls.review(pulls.pullOf(number), accounts.named(login), 'rejected'),
      takeBack: (login, number) => {
        for (const review of pulls.pullOf(number).reviews) if (review.by.login === login) review.dismissed = true;
      },
      token: (login) => new Secret(login === '' ? 'no-token-at-all' : accounts.named(login).token),
      ...people,
    },
    commentAs: (login, number, body) => String(pulls.comment(pulls.pullOf(number), accounts.named(login), body).id),
    editComment: (number, id, body) => {
      const found = pulls.pullOf(number).comments.find((comment) => String(comment.id) === id);
      if (found === undefined) throw new Error(`there is no comment ${id}`);
      pulls.edit(found, body);
    },
    statusesOf: (sha) => (pulls.statuses.get(sha) ?? []) as CommitStatus[],
    reviewers: {
      user: 'reviewer',
      group,
      asked: (number) => {
        const { asked, askedGroups } = pulls.pullOf(number);
        return [...asked.map(({ login }) => login), ...askedGroups.map((name) => `acme/${name}`)];
      },
    },
    async close() {
      await fake.close();
      origin.remove();
      expect(fake.unknown).toEqual([]);
    },
    ...changes,
  };
}
