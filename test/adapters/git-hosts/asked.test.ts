import { describe, expect, it } from 'vitest';
import { type AzurePull, toPullRequest as azure } from '../../../src/adapters/git-hosts/azure-devops-pull.ts';
import { type BitbucketPull, toPullRequest as bitbucket } from '../../../src/adapters/git-hosts/bitbucket-pull.ts';
import { type GitHubPull, toPullRequest as github } from '../../../src/adapters/git-hosts/github-pull.ts';

const SHA = 'a'.repeat(40);

const GITHUB: GitHubPull = {
  ...{ number: 7, html_url: 'https://github.com/acme/shop/pull/7', state: 'open', title: 't', body: null },
  created_at: '2026-03-02T10:00:00Z',
  head: { ref: 'lynceus/x', sha: SHA, repo: { full_name: 'acme/shop' } },
  base: { ref: 'main', repo: { full_name: 'acme/shop' } },
};

describe('who is asked for a review', () => {
  it('is told by GitHub with the pull request: people, and teams as policies name them', () => {
    const requested = { requested_reviewers: [{ login: 'omar' }], requested_teams: [{ slug: 'release-managers' }] };
    expect(github({ ...GITHUB, ...requested }).asked).toEqual({ people: ['omar'], groups: ['acme/release-managers'] });
    expect(github({ ...GITHUB, requested_reviewers: null })).not.toHaveProperty('asked');
    const merged = { state: 'closed', merged_at: '2026-03-02T11:00:00Z', merge_commit_sha: SHA };
    expect(github({ ...GITHUB, ...requested, ...merged })).not.toHaveProperty('asked');
  });

  it('is told by Azure DevOps: people who have not voted', () => {
    const identity = (name: string, vote: number, isContainer = false) => ({
      id: name,
      ...(isContainer ? { displayName: name } : { uniqueName: name }),
      vote,
      isContainer,
    });
    const pull = {
      ...{
        pullRequestId: 7,
        status: 'active',
        title: 't',
        sourceRefName: 'refs/heads/x',
        targetRefName: 'refs/heads/main',
      },
      ...{ creationDate: '2026-03-02T10:00:00Z', createdBy: { id: 'us' }, lastMergeSourceCommit: { commitId: SHA } },
      reviewers: [identity('omar', 0), identity('lin', 10), identity('[shop]\\team', 0, true)],
    } as AzurePull;
    const at = { cloneUrl: 'https://dev.azure.com/acme/shop/_git/shop' } as Parameters<typeof azure>[1];
    expect(azure('Azure', at, pull).asked).toEqual({ people: ['omar'], groups: [] });
  });

  it('is told by Bitbucket: reviewers who have not spoken', () => {
    const end = { branch: { name: 'main' }, commit: { hash: SHA }, repository: { uuid: 'r' } };
    const pull = {
      ...{ id: 7, state: 'OPEN', title: 't', author: { uuid: 'us' }, created_on: '2026-03-02T10:00:00Z' },
      ...{
        source: end,
        destination: end,
        links: { html: { href: 'https://bitbucket.org/acme/shop/pull-requests/7' } },
      },
      reviewers: [{ uuid: '1', nickname: 'omar' }, { uuid: '2', nickname: 'lin' }, { uuid: '3' }],
      participants: [{ user: { uuid: '2' }, approved: true }],
    } as BitbucketPull;
    expect(bitbucket('Bitbucket', pull, SHA, undefined).asked).toEqual({ people: ['omar'], groups: [] });
  });
});
