import type { GitHost } from '../adapters/git-hosts/git-host.ts';
import { isSha } from '../adapters/git-hosts/names.ts';
import type { JsonObject } from '../base/json.ts';
import { type Application, type ApplicationRef, applicationKey, type Source } from '../events/application.ts';
import type { Document, Store } from '../store/store.ts';
import { byBranch } from './pull-request-rows.ts';
import { repositoryKey } from './repository-key.ts';

const KIND = 'follows';
const MAX_SOURCES = 10;
/** Asked to look at once; more follow a branch only in large monorepos, whose delivery system polls as well. */
const MAX_FOLLOWERS = 50;

/** Rows by which the applications are found that deploy from a branch. */
export function followerRows({ ref, sources, hydration }: Application, now: Date): Document[] {
  const dry = hydration?.dry;
  const followed = [...sources, ...(dry ? [dry] : [])].filter(isBranch).slice(0, MAX_SOURCES);
  return followed.flatMap(({ repoUrl, targetRevision }, nth) => {
    const key = repositoryKey(repoUrl);
    if (key === undefined) return [];
    const sort = now.getTime();
    return [
      {
        kind: KIND,
        id: `${applicationKey(ref)}/${nth}`,
        version: sort,
        context: byBranch(key, targetRevision === '' ? 'HEAD' : targetRevision),
        sort,
        data: { ref: { ...ref }, repository: repoUrl },
      },
    ];
  });
}

/** Applications that deploy from branches, given as `byBranch` says them, in repositories of a host. */
export async function findFollowers(
  store: Store,
  host: GitHost,
  contexts: readonly string[],
): Promise<ApplicationRef[]> {
  const rows = await store.documents({ kind: KIND, context: contexts, limit: MAX_FOLLOWERS });
  const found = rows.map(({ data }) => data as unknown as { ref: ApplicationRef; repository: string } & JsonObject);
  const here = found.filter(({ repository }) => host.serves({ url: repository }));
  return [...new Map(here.map(({ ref }) => [applicationKey(ref), ref])).values()];
}

function isBranch({ kind = 'git', targetRevision }: Source): boolean {
  return kind === 'git' && !isSha(targetRevision);
}
