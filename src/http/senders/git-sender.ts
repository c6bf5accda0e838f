import type { IncomingHttpHeaders } from 'node:http';
import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { parseStrictJson, STRICT_JSON_LIMITS } from '../../base/strict-json.ts';
import { type BearerSource, knownTokens } from './bearer.ts';
import { type GitHint, type HintSource, ignored, refuseShape, translateHint } from './git-hint.ts';
import type { Translation, WebhookRequest, WebhookSender } from './sender.ts';
import type { SigningKey } from './signature.ts';

/** A configured Git host, and the secrets of its webhooks: two while one is being replaced. */
export interface GitSource extends HintSource {
  tokens: BearerSource['tokens'];
}

/** What is different about the webhooks of one kind of Git host. */
export interface GitDialect {
  /** As in lynceus.yaml; also the end of the address. */
  kind: string;
  proof: WebhookSender['proof'];
  authenticate(request: WebhookRequest): { source: string } | undefined;
  /** What happened, of the headers alone; `undefined` when the body says it. */
  eventOf?(headers: IncomingHttpHeaders): string;
  /** Whether an event is one that we use; the body of others is not even parsed. */
  uses(event: string): boolean;
  deliveryOf(headers: IncomingHttpHeaders, body: JsonObject): string | undefined;
  /** Where to look because of it; a sentence says why there is nothing to look at, an error what is wrong with it. */
  read(event: string, body: JsonObject): GitHint | string | { wrong: string };
  /** Where people say that the body be JSON. */
  jsonRemedy: string;
}

/** Of GitHub up to 25 MB are possible; what is larger than this was made by thousands of files, and is polled for. */
const MAX_BYTES = 3 * 1024 * 1024;

/** Receives the webhooks of one kind of Git host, for all of that kind. */
export function gitSender(dialect: GitDialect, sources: readonly GitSource[]): WebhookSender {
  const byHost = new Map(sources.map((source) => [source.host, source]));
  return {
    path: `/webhooks/${dialect.kind}`,
    // Where nobody is known, no body has to be read to see that this is none of them.
    proof: sources.some(({ tokens }) => tokens.length > 0) ? dialect.proof : 'headers',
    maxBytes: MAX_BYTES,
    authenticate: dialect.authenticate,
    translate: (host, rawBody, receivedAt, headers = {}) => {
      const source = byHost.get(host);
      if (!source) return ignored('this host is not configured any more');
      return translate(dialect, source, { rawBody, receivedAt, headers });
    },
  };
}

/** @throws {Error} at start, as `knownTokens` */
export function signingKeys(sources: readonly GitSource[]): SigningKey[] {
  const named = namedTokens(sources);
  knownTokens(named);
  return named.flatMap(({ name, tokens }) => tokens.map((token) => ({ name, key: token.reveal() })));
}

/** The tokens of a host under its name. */
export function namedTokens(sources: readonly GitSource[]): BearerSource[] {
  return sources.map(({ host, tokens }) => ({ name: host, tokens }));
}

/** The value of a header that may stand once. */
export function header(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}

interface Received {
  rawBody: Buffer;
  receivedAt: Date;
  headers: IncomingHttpHeaders;
}

function translate(dialect: GitDialect, source: GitSource, { rawBody, receivedAt, headers }: Received): Translation {
  if (/form-urlencoded/i.test(header(headers, 'content-type'))) return notAsJson(dialect);
  const named = dialect.eventOf?.(headers);
  if (named !== undefined && !dialect.uses(named)) return ignored(`${named.slice(0, 100)} is nothing that we use`);
  const parsed = parseStrictJson(rawBody, { ...STRICT_JSON_LIMITS, maxBytes: MAX_BYTES });
  if (!parsed.ok) {
    const status = parsed.code === 'too-large' ? 413 : 400;
    return { ok: false, status, code: parsed.code, detail: `the body is not acceptable JSON: ${parsed.detail}` };
  }
  const body = parsed.value;
  if (!isJsonObject(body)) return refuseShape('the body must be a JSON object');
  const hint = dialect.read(named ?? '', body);
  if (typeof hint === 'string') return ignored(hint);
  if ('wrong' in hint) return refuseShape(hint.wrong);
  const { kind } = dialect;
  return translateHint(source, hint, { kind, rawBody, receivedAt, delivery: dialect.deliveryOf(headers, body) });
}

function notAsJson({ jsonRemedy }: GitDialect): Translation {
  const detail = `the body is a form; ${jsonRemedy}`;
  return { ok: false, status: 415, code: 'unsupported-media-type', detail };
}
