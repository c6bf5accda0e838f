import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import type { JsonObject } from '../../base/json.ts';
import { knownTokens, whoPresents } from './bearer.ts';
import { at, textAt } from './fields.ts';
import { branchIn, type GitHint, numbersAt } from './git-hint.ts';
import { type GitSource, gitSender, header, namedTokens } from './git-sender.ts';
import type { WebhookRequest, WebhookSender } from './sender.ts';
import { type SigningKey, whoSigned } from './signature.ts';

/** How a signing token begins; any other is a secret token. */
const SIGNING = 'whsec_';
/** https://www.standardwebhooks.com: a signed message is not taken later, nor earlier. */
const TOLERANCE_MS = 5 * 60_000;
/** While GitLab changes its key there are two. */
const MAX_SIGNATURES = 5;
const SIGNATURE = /^v1,([A-Za-z0-9+/]{43}=)$/;

const MERGE_REQUEST = 'merge_request';

/** The kinds that we use, as the body names them; docs/webhooks.md names the others. */
const READERS: Readonly<Record<string, (body: JsonObject) => Omit<GitHint, 'event' | 'repository'> | string>> = {
  push: (body) => ({ branches: branchIn(textAt(body, 'ref')) }),
  [MERGE_REQUEST]: (body) => ({
    action: textAt(body, 'object_attributes', 'action'),
    ...numbersAt(body, 'object_attributes', 'iid'),
  }),
  note: (body) =>
    at(body, MERGE_REQUEST, 'iid') === undefined
      ? 'a comment on something else'
      : { action: textAt(body, 'object_attributes', 'action'), ...numbersAt(body, MERGE_REQUEST, 'iid') },
  pipeline: (body) => {
    const status = textAt(body, 'object_attributes', 'status');
    if (!ENDED.has(status)) return 'not finished yet';
    const { numbers } = numbersAt(body, MERGE_REQUEST, 'iid');
    return { action: status, ...(numbers ? { numbers } : { sha: textAt(body, 'object_attributes', 'sha') }) };
  },
};
const ENDED: ReadonlySet<string> = new Set(['success', 'failed', 'canceled', 'skipped']);

/** The same in `X-Gitlab-Event`. A system hook says more in the body. */
const USED: ReadonlySet<string> = new Set([
  'Push Hook',
  'Merge Request Hook',
  'Note Hook',
  'Confidential Note Hook',
  'Pipeline Hook',
  'System Hook',
]);

export interface GitLabSenderOptions {
  sources: readonly GitSource[];
  clock: Clock;
}

/** Receives webhooks of GitLab: signed, or with the secret token of older versions. */
export function gitlabSender({ sources, clock }: GitLabSenderOptions): WebhookSender {
  return gitSender(
    {
      kind: 'gitlab',
      // A signature needs the body; the token alone would not, but who sends decides which of them comes.
      proof: 'body',
      authenticate: authentication(sources, clock),
      eventOf: (headers) => header(headers, 'x-gitlab-event'),
      uses: (event) => USED.has(event),
      // Of these only the first is signed.
      deliveryOf: (headers) => header(headers, 'webhook-id') || header(headers, 'idempotency-key'),
      read: (_event, body) => read(body),
      jsonRemedy: 'remove the custom template of the webhook',
    },
    sources,
  );
}

/** A host that has a signing token is held to it as soon as a signature comes: the plain token next to it proves less. */
function authentication(sources: readonly GitSource[], clock: Clock) {
  const named = namedTokens(sources);
  const isSigning = (token: { reveal(): string }) => token.reveal().startsWith(SIGNING);
  const plain = named.map(({ name, tokens }) => ({ name, tokens: tokens.filter((token) => !isSigning(token)) }));
  const known = knownTokens(plain);
  const keys = named.flatMap(({ name, tokens }) =>
    tokens.filter(isSigning).map((token): SigningKey => ({ name, key: signingKey(name, token.reveal()) })),
  );
  return ({ headers, rawBody }: WebhookRequest): { source: string } | undefined => {
    const signed = headers['webhook-signature'] !== undefined;
    const signer = signed ? whoSignedNow(keys, headers, rawBody, clock.now()) : undefined;
    if (signer) return signer;
    const who = whoPresents(known, header(headers, 'x-gitlab-token'));
    return signed && keys.some(({ name }) => name === who?.source) ? undefined : who;
  };
}

/** @throws {Error} at start, when it is not what GitLab generates */
function signingKey(host: string, token: string): Buffer {
  const key = Buffer.from(token.slice(SIGNING.length), 'base64');
  if (key.length < 16) throw new Error(`the signing token of ${host} is cut off: copy all of it, from ${SIGNING} on`);
  return key;
}

function whoSignedNow(keys: readonly SigningKey[], headers: IncomingHttpHeaders, rawBody: Buffer, now: Date) {
  const [id, timestamp] = [header(headers, 'webhook-id'), header(headers, 'webhook-timestamp')];
  if (id === '' || !/^\d{1,12}$/.test(timestamp)) return undefined;
  if (Math.abs(now.getTime() - Number(timestamp) * 1000) > TOLERANCE_MS) return undefined;
  const signatures = header(headers, 'webhook-signature').split(' ').slice(0, MAX_SIGNATURES);
  for (const signature of signatures) {
    const digest = SIGNATURE.exec(signature)?.[1];
    const signer = digest && whoSigned(keys, Buffer.from(digest, 'base64'), [`${id}.${timestamp}.`, rawBody]);
    if (signer) return signer;
  }
  return undefined;
}

function read(body: JsonObject): GitHint | string | { wrong: string } {
  const event = textAt(body, 'object_kind') || textAt(body, 'event_name');
  const reader = Object.hasOwn(READERS, event) ? READERS[event] : undefined;
  if (!reader) return `${event.slice(0, 100)} is nothing that we use`;
  const repository = textAt(body, 'project', 'git_http_url');
  if (repository === '') return { wrong: 'project.git_http_url is missing; only GitLab itself should send here' };
  const told = reader(body);
  if (typeof told === 'string') return told;
  return { event, repository, defaultBranch: textAt(body, 'project', 'default_branch'), ...told };
}
