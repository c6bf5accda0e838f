import { expect } from 'vitest';
import { createBareRepository } from '../../examples/sandbox/git.ts';
import type { GitHost } from '../../src/adapters/git-hosts/git-host.ts';
import { Secret } from '../../src/base/secret.ts';
import type { GitHostWorld, OtherPeople } from '../contracts/git-host.ts';
import { type FakeGitHub, startFakeGitHub } from './github.ts';

export const GITHUB_WORLD_TOKEN = 'ghp_canary';

/** A fake GitHub with a repository, and everybody who does something there. */
export async function createGitHubWorld(
  createHost: (fake: Pick<FakeGitHub, 'url' | 'app'>) => GitHost,
): Promise<GitHostWorld> {
  const origin = createBareRepository();
  const fake = await startFakeGitHub(origin, GITHUB_WORLD_TOKEN);
  const { accounts, state } = fake;
  accounts.named('reviewer').permission = 'write';
  return {
    host: createHost(fake),
    origin,
    repository: { url: `${fake.url}/acme/deploy.git` },
    missing: { url: `${fake.url}/acme/missing` },
    // Port 1 is reserved; nothing listens there.
    unreachable: {
      host: createHost({ url: 'http://127.0.0.1:1', app: fake.app }),
      repository: { url: 'http://127.0.0.1:1/acme/deploy' },
    },
    secret: GITHUB_WORLD_TOKEN,
    people: peopleOf(fake),
    commentAs: (login, number, body) =>
      String(state.pulls.comment(state.pulls.pullOf(number), accounts.named(login), body).id),
    editComment: (number, id, body) => {
      const found = state.pulls.pullOf(number).comments.find((comment) => String(comment.id) === id);
      if (found === undefined) throw new Error(`there is no comment ${id}`);
      Object.assign(found, { body, updatedAt: new Date(Date.parse(found.createdAt) + 5_000).toISOString() });
    },
    statusesOf: (sha) =>
      state.statusesOf(sha).map(({ context, state: mark, description, target_url: url }) => ({
        name: context,
        state: mark as 'pending' | 'success' | 'failure',
        description: description ?? '',
        ...(url === null ? {} : { url }),
      })),
    reviewers: {
      user: 'reviewer',
      group: 'acme/release',
      asked: (number) => {
        const { asked, askedTeams } = state.pulls.pullOf(number);
        return [...asked, ...askedTeams.map((team) => `acme/${team}`)];
      },
    },
    protect: (branch) => void state.pulls.guarded.add(branch),
    satisfy: (number) => state.pulls.satisfy(number),
    deliveries: {
      fail: () => state.hooks.deliver(0),
      arrive: () => state.hooks.deliver(200),
      sentAgain: () => state.hooks.sentAgain(),
    },
    async close() {
      await fake.close();
      origin.remove();
      expect(fake.violations).toEqual([]);
    },
  };
}

function peopleOf({ accounts, state }: FakeGitHub): OtherPeople {
  const { pulls } = state;
  return {
    user: (login) => {
      const { id } = accounts.named(login);
      return { id: String(id), login, bot: false };
    },
    rename: (login, to) => {
      accounts.named(login).login = to;
    },
    setPermission: (login, permission) => {
      accounts.named(login).permission = permission;
    },
    group: 'acme/release',
    join: (login) => void accounts.teams.get('release')?.add(accounts.named(login).id),
    approve: (login, number) => {
      const pull = pulls.pullOf(number);
      pulls.review(pull, accounts.named(login), 'APPROVED', pulls.headShaOf(pull));
    },
    reject: (login, number) => {
      const pull = pulls.pullOf(number);
      pulls.review(pull, accounts.named(login), 'CHANGES_REQUESTED', pulls.headShaOf(pull));
    },
    takeBack: (login, number) => {
      for (const review of pulls.pullOf(number).reviews) if (review.by?.login === login) review.state = 'DISMISSED';
    },
    token: (login) => new Secret(login === '' ? '' : accounts.named(login).token),
  };
}
