import type { GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import type { TaskTools } from './task.ts';

/** Our own decisions wake the task at once; this is for merges that somebody makes in the repository itself. */
const LOCAL_MS = 5_000;
/** A host counts our calls: 5,000 an hour at GitHub, shared by everything that waits there. */
const HOST_MS = 60_000;
/** Its webhooks tell us at once; this repairs those that get lost. */
const TOLD_MS = 5 * 60_000;

/** How long to wait, in milliseconds, before a Git host is asked again for what is not up to us. */
export async function gitPollMs(
  { toldByWebhooks }: Pick<TaskTools, 'toldByWebhooks'>,
  host: GitHost,
  repository: Repository,
): Promise<number> {
  if (host.capabilities.reviews !== 'host') return LOCAL_MS;
  return (await toldByWebhooks?.(host, repository)) ? TOLD_MS : HOST_MS;
}
