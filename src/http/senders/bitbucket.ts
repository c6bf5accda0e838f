import type { JsonObject } from '../../base/json.ts';
import { objectsAt, textAt } from './fields.ts';
import { type GitHint, numbersAt } from './git-hint.ts';
import { type GitSource, gitSender, header, signingKeys } from './git-sender.ts';
import type { WebhookSender } from './sender.ts';
import { digestIn, whoSigned } from './signature.ts';

const PUSH = 'repo:push';
/** Every event about a pull request begins so: its approvals, comments, its merge. */
const PULL_REQUEST = 'pullrequest:';
const STATUS: ReadonlySet<string> = new Set(['repo:commit_status_created', 'repo:commit_status_updated']);
const OURS = 'lynceus/';
/** Bitbucket itself sends no more. */
const MAX_CHANGES = 20;

/** Receives webhooks of Bitbucket Cloud that have a secret; without one they prove nothing. */
export function bitbucketSender({ sources }: { sources: readonly GitSource[] }): WebhookSender {
  const keys = signingKeys(sources);
  return gitSender(
    {
      kind: 'bitbucket',
      proof: 'body',
      authenticate: ({ headers, rawBody }) => whoSigned(keys, digestIn(headers['x-hub-signature']), [rawBody]),
      eventOf: (headers) => header(headers, 'x-event-key'),
      uses: (event) => event === PUSH || event.startsWith(PULL_REQUEST) || STATUS.has(event),
      // The same when it is tried again.
      deliveryOf: (headers) => header(headers, 'x-request-uuid'),
      read,
      jsonRemedy: 'send webhooks of Bitbucket Cloud, which are JSON',
    },
    sources,
  );
}

function read(event: string, body: JsonObject): GitHint | string | { wrong: string } {
  const repository = textAt(body, 'repository', 'links', 'html', 'href');
  if (repository === '')
    return { wrong: 'repository.links.html.href is missing; only Bitbucket itself should send here' };
  const defaultBranch = textAt(body, 'repository', 'mainbranch', 'name');
  if (event === PUSH) return { event, repository, defaultBranch, branches: branchesIn(body) };
  if (event.startsWith(PULL_REQUEST)) return { event, repository, ...numbersAt(body, 'pullrequest', 'id') };
  if (textAt(body, 'commit_status', 'key').startsWith(OURS)) return 'a mark of our own';
  return { event, repository, sha: markedCommit(body) };
}

/** A branch that is gone has no `new`, a new one no `old`. */
function branchesIn(body: JsonObject): string[] {
  const moved = objectsAt(MAX_CHANGES, body, 'push', 'changes').flatMap((change) =>
    ['new', 'old'].flatMap((side) => (textAt(change, side, 'type') === 'branch' ? [textAt(change, side, 'name')] : [])),
  );
  return [...new Set(moved)];
}

/** Named outright, or only at the end of the link to it. */
function markedCommit(body: JsonObject): string {
  const named = textAt(body, 'commit_status', 'commit', 'hash');
  return named || (textAt(body, 'commit_status', 'links', 'commit', 'href').split('/').at(-1) ?? '');
}
