import type { JsonObject } from '../../base/json.ts';
import { at, objectsAt, textAt } from './fields.ts';
import { branchIn, type GitHint, numbersAt } from './git-hint.ts';
import { type GitSource, gitSender, header, signingKeys } from './git-sender.ts';
import type { WebhookSender } from './sender.ts';
import { digestIn, whoSigned } from './signature.ts';

type Reader = (body: JsonObject) => Omit<GitHint, 'event' | 'action' | 'repository'> | string;

/** Of a pull request that say nothing about whether it may be merged. */
const COSMETIC: ReadonlySet<string> = new Set([
  'assigned',
  'unassigned',
  'locked',
  'unlocked',
  'milestoned',
  'demilestoned',
]);
/** How the marks begin that we set ourselves. */
const OURS = 'lynceus/';

/** The events that we use; docs/webhooks.md names the others. */
const READERS: Readonly<Record<string, Reader>> = {
  push: (body) => ({ branches: branchIn(textAt(body, 'ref')) }),
  pull_request: (body) =>
    COSMETIC.has(textAt(body, 'action')) ? 'nothing about the merge' : numbersAt(body, 'pull_request', 'number'),
  pull_request_review: (body) => numbersAt(body, 'pull_request', 'number'),
  pull_request_review_thread: (body) => numbersAt(body, 'pull_request', 'number'),
  issue_comment: (body) =>
    at(body, 'issue', 'pull_request') === undefined ? 'a comment on an issue' : numbersAt(body, 'issue', 'number'),
  status: (body) => (textAt(body, 'context').startsWith(OURS) ? 'a mark of our own' : { sha: textAt(body, 'sha') }),
  check_run: (body) => checked(body, 'check_run'),
  check_suite: (body) => checked(body, 'check_suite'),
};

function checked(body: JsonObject, what: 'check_run' | 'check_suite'): ReturnType<Reader> {
  if (textAt(body, 'action') !== 'completed') return 'not finished yet';
  if (textAt(body, what, 'name').startsWith(OURS)) return 'a mark of our own';
  const numbers = objectsAt(10, body, what, 'pull_requests').flatMap((one) => numbersAt(one, 'number').numbers ?? []);
  return numbers.length > 0 ? { numbers } : { sha: textAt(body, what, 'head_sha') };
}

/** Receives webhooks of GitHub and GitHub Enterprise, of repositories, organisations and Apps. */
export function githubSender({ sources }: { sources: readonly GitSource[] }): WebhookSender {
  const keys = signingKeys(sources);
  return gitSender(
    {
      kind: 'github',
      proof: 'body',
      // Never X-Hub-Signature, which is SHA-1.
      authenticate: ({ headers, rawBody }) => whoSigned(keys, digestIn(headers['x-hub-signature-256']), [rawBody]),
      eventOf: (headers) => header(headers, 'x-github-event'),
      uses: (event) => event === 'ping' || Object.hasOwn(READERS, event),
      deliveryOf: (headers) => header(headers, 'x-github-delivery'),
      read,
      jsonRemedy: 'set "Content type" of the webhook to application/json',
    },
    sources,
  );
}

function read(event: string, body: JsonObject): GitHint | string | { wrong: string } {
  const where = textAt(body, 'repository', 'clone_url');
  if (event === 'ping') return { event, greets: true, ...(where === '' ? {} : { repository: where }) };
  if (where === '') return { wrong: 'repository.clone_url is missing; only GitHub itself should send here' };
  const told = READERS[event]?.(body) ?? 'nothing that we use';
  if (typeof told === 'string') return told;
  const defaultBranch = textAt(body, 'repository', 'default_branch');
  return { event, action: textAt(body, 'action'), repository: where, defaultBranch, ...told };
}
