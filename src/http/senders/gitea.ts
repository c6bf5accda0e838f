import type { IncomingHttpHeaders } from 'node:http';
import type { JsonObject } from '../../base/json.ts';
import { at, textAt } from './fields.ts';
import { branchIn, type GitHint, numbersAt } from './git-hint.ts';
import { type GitSource, gitSender, header, signingKeys } from './git-sender.ts';
import type { WebhookSender } from './sender.ts';
import { digestIn, whoSigned } from './signature.ts';

/** Every event about a pull request begins so: its reviews, labels, comments. */
const PULL_REQUEST = 'pull_request';
/** Of a pull request that say nothing about whether it may be merged. */
const COSMETIC: ReadonlySet<string> = new Set(['pull_request_assign', 'pull_request_milestone']);
const OTHERS: ReadonlySet<string> = new Set(['push', 'issue_comment', 'status']);
const OURS = 'lynceus/';

/** Receives webhooks of Gitea and Forgejo. */
export function giteaSender({ sources }: { sources: readonly GitSource[] }): WebhookSender {
  const keys = signingKeys(sources);
  return gitSender(
    {
      kind: 'gitea',
      proof: 'body',
      authenticate: ({ headers, rawBody }) =>
        whoSigned(keys, digestIn(`sha256=${either(headers, 'signature')}`), [rawBody]),
      eventOf: (headers) => either(headers, 'event-type') || either(headers, 'event'),
      uses: (event) => (event.startsWith(PULL_REQUEST) && !COSMETIC.has(event)) || OTHERS.has(event),
      deliveryOf: (headers) => either(headers, 'delivery'),
      read,
      jsonRemedy: 'set "POST Content Type" of the webhook to application/json',
    },
    sources,
  );
}

/** Forgejo sends both; its own is the one that counts. */
function either(headers: IncomingHttpHeaders, name: string): string {
  return header(headers, `x-forgejo-${name}`) || header(headers, `x-gitea-${name}`);
}

function read(event: string, body: JsonObject): GitHint | string | { wrong: string } {
  const repository = textAt(body, 'repository', 'clone_url');
  if (repository === '') return { wrong: 'repository.clone_url is missing; only Gitea itself should send here' };
  const told = targetsOf(event, body);
  if (typeof told === 'string') return told;
  const defaultBranch = textAt(body, 'repository', 'default_branch');
  return { event, action: textAt(body, 'action'), repository, defaultBranch, ...told };
}

function targetsOf(event: string, body: JsonObject): Pick<GitHint, 'numbers' | 'branches' | 'sha'> | string {
  if (event === 'push') return { branches: branchIn(textAt(body, 'ref')) };
  if (event === 'status')
    return textAt(body, 'context').startsWith(OURS) ? 'a mark of our own' : { sha: textAt(body, 'sha') };
  const { numbers } = numbersAt(body, PULL_REQUEST, 'number');
  if (numbers) return { numbers };
  const isPullRequest = at(body, 'is_pull') === true || event.startsWith(PULL_REQUEST);
  return isPullRequest ? numbersAt(body, 'issue', 'number') : 'a comment on an issue';
}
