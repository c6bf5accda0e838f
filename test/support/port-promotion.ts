import type { GitHost, Repository } from '../../src/adapters/git-hosts/git-host.ts';

const MARKER = '<!-- lynceus:story -->';

/** What a promotion remembers of itself between two tries, as its task does. */
export interface PortPromotion {
  name: string;
  /** The commit that was verified. */
  sha: string;
  baseBranch: string;
  number?: number;
  approved?: boolean;
  merged?: boolean;
}

/**
 * The life of a promotion by the port alone, from opening to the last word after the merge. Each step may have been done by
 * an earlier try, or its answer got lost.
 */
export async function promoteByPort(
  host: GitHost,
  repository: Repository,
  promotion: PortPromotion,
  approve: (number: number) => Promise<void> | void,
): Promise<void> {
  const { name, sha, baseBranch } = promotion;
  const wanted = { headBranch: `lynceus/${name}`, headSha: sha, baseBranch, title: name, body: 'b' };
  promotion.number ??= (await host.openPullRequest(repository, wanted)).number;
  const { number } = promotion;
  const say = (body: string) => host.putComment?.(repository, number, { marker: MARKER, body: `${MARKER}\n${body}` });
  await host.setStatus?.(repository, sha, { name: 'lynceus/evaluation', state: 'success', description: 'passed' });
  await host.changeLabels?.(repository, number, { add: ['lynceus'], remove: [] });
  await say('It waits for one approval.');
  if (!promotion.approved) await approve(number);
  promotion.approved = true;
  await requireApproval(host, repository, number, sha);
  const merged = await host.mergePullRequest(repository, number, {
    expectedHeadSha: sha,
    message: `Promote ${name}`,
    by: 'lynceus',
  });
  if (merged.state !== 'merged') throw new Error(`pull request ${number} is ${merged.state}`);
  await say('It was merged.');
  promotion.merged = true;
}

async function requireApproval(host: GitHost, repository: Repository, number: number, sha: string): Promise<void> {
  const pull = await host.readPullRequest(repository, number);
  if (pull.state !== 'open' || host.readReviews === undefined) return;
  const approval = (await host.readReviews(repository, number)).find(({ verdict }) => verdict === 'approve');
  if (approval === undefined) throw new Error(`nobody approved pull request ${number}`);
  if (approval.headSha !== undefined && approval.headSha !== sha) throw new Error('another commit was approved');
  const level = await host.permission?.(repository, approval.by);
  if (level !== 'write') throw new Error(`${approval.by.login} may only ${level}`);
}
