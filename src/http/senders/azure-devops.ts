import type { JsonObject } from '../../base/json.ts';
import { knownTokens, whoPresents } from './bearer.ts';
import { at, objectsAt, textAt } from './fields.ts';
import { branchIn, type GitHint, numbersAt } from './git-hint.ts';
import { type GitSource, gitSender, namedTokens } from './git-sender.ts';
import type { WebhookSender } from './sender.ts';

const PULL_REQUEST: ReadonlySet<string> = new Set([
  'git.pullrequest.created',
  'git.pullrequest.updated',
  'git.pullrequest.merged',
]);
const COMMENT = 'ms.vss-code.git-pullrequest-comment-event';
/** A push of more than these at once is a mirror. */
const MAX_REFS = 20;
const MAX_CREDENTIALS = 1_000;

/** Receives service hooks of Azure DevOps. They are not signed: the password proves who sends. */
export function azureDevOpsSender({ sources }: { sources: readonly GitSource[] }): WebhookSender {
  const known = knownTokens(namedTokens(sources));
  return gitSender(
    {
      kind: 'azure-devops',
      proof: 'headers',
      authenticate: ({ headers }) => whoPresents(known, passwordIn(headers.authorization)),
      // The body names it.
      uses: () => true,
      deliveryOf: (_headers, body) => textAt(body, 'id'),
      read: (_event, body) => read(body),
      jsonRemedy: 'take the service hook "Web Hooks", which sends JSON',
    },
    sources,
  );
}

/** Of `Authorization: Basic`; the name before the colon is anybody's. */
function passwordIn(authorization = ''): string {
  const credentials = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization)?.[1] ?? '';
  if (credentials.length > MAX_CREDENTIALS) return '';
  const text = Buffer.from(credentials, 'base64').toString('utf8');
  return text.slice(text.indexOf(':') + 1);
}

function read(body: JsonObject): GitHint | string | { wrong: string } {
  const event = textAt(body, 'eventType');
  const isComment = event === COMMENT;
  if (event !== 'git.push' && !isComment && !PULL_REQUEST.has(event))
    return `${event.slice(0, 100)} is nothing that we use`;
  const path = isComment ? ['resource', 'pullRequest'] : ['resource'];
  const repository = textAt(body, ...path, 'repository', 'remoteUrl');
  if (repository === '') return { wrong: `${path.join('.')}.repository.remoteUrl is missing: ${REMEDY}` };
  const [defaultBranch = ''] = branchIn(textAt(body, ...path, 'repository', 'defaultBranch'));
  if (event !== 'git.push') return { event, repository, ...numbersAt(body, ...path, 'pullRequestId') };
  const branches = objectsAt(MAX_REFS, at(body, 'resource'), 'refUpdates').flatMap((one) =>
    branchIn(textAt(one, 'name')),
  );
  return { event, repository, defaultBranch, branches };
}

const REMEDY = 'set "Resource details to send" of the service hook to All';
