import { timingSafeEqual } from 'node:crypto';
import { sha256Bytes } from '../../base/ids.ts';
import { MIN_TOKEN_CHARS, type Secret } from '../../base/secret.ts';

/** A sender and the tokens it may use: two while a token is being replaced. */
export interface BearerSource {
  name: string;
  tokens: readonly Secret[];
}

/** Digests are compared instead of the tokens: all are of one length and say nothing about it. */
export interface KnownToken {
  name: string;
  digest: Buffer;
}

/** @throws {Error} at start, when a token is too short or stands for two senders; config/tokens.ts says so with its place */
export function knownTokens(sources: readonly BearerSource[]): KnownToken[] {
  const known = sources.flatMap(({ name, tokens }) => tokens.map((token) => ({ name, digest: digestOf(name, token) })));
  for (const [at, one] of known.entries()) {
    const other = known.slice(at + 1).find(({ name, digest }) => name !== one.name && digest.equals(one.digest));
    if (other) throw new Error(`${one.name} and ${other.name} share a webhook token: each sender needs its own`);
  }
  return known;
}

/** Whose token this is. Every one is compared, whichever matches. */
export function whoPresents(known: readonly KnownToken[], token: string): { source: string } | undefined {
  const presented = sha256Bytes(token);
  let source: string | undefined;
  for (const { name, digest } of known) {
    if (timingSafeEqual(presented, digest)) source = name;
  }
  return source === undefined ? undefined : { source };
}

/**
 * Tells from an `Authorization: Bearer` header who sends.
 *
 * @throws {Error} as `knownTokens`
 */
export function bearerAuthentication(sources: readonly BearerSource[]) {
  const known = knownTokens(sources);
  return (authorization: string | undefined): { source: string } | undefined =>
    whoPresents(known, /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '');
}

function digestOf(name: string, token: Secret): Buffer {
  if (token.reveal().length < MIN_TOKEN_CHARS) {
    throw new Error(`the webhook token of ${name} is shorter than ${MIN_TOKEN_CHARS} characters: take a random one`);
  }
  return sha256Bytes(token.reveal());
}
