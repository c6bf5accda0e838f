import { hash, timingSafeEqual } from 'node:crypto';
import { MIN_TOKEN_CHARS, type Secret } from '../../base/secret.ts';

/** A sender and the tokens it may use: two while a token is being replaced. */
export interface BearerSource {
  name: string;
  tokens: readonly Secret[];
}

/**
 * Tells from an `Authorization: Bearer` header who sends. Digests are compared instead of the tokens:
 * all are of one length and say nothing about it; every one is compared, whichever matches.
 *
 * @throws {Error} at start, when a token is too short or stands for two senders; config/tokens.ts says so with its place
 */
export function bearerAuthentication(sources: readonly BearerSource[]) {
  const known = sources.flatMap(({ name, tokens }) => tokens.map((token) => ({ name, digest: digestOf(name, token) })));
  for (const [at, one] of known.entries()) {
    const other = known.slice(at + 1).find(({ name, digest }) => name !== one.name && digest.equals(one.digest));
    if (other) throw new Error(`${one.name} and ${other.name} share a webhook token: each sender needs its own`);
  }
  return (authorization: string | undefined): { source: string } | undefined => {
    const presented = sha256(/^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '');
    let source: string | undefined;
    for (const { name, digest } of known) {
      if (timingSafeEqual(presented, digest)) source = name;
    }
    return source === undefined ? undefined : { source };
  };
}

function digestOf(name: string, token: Secret): Buffer {
  if (token.reveal().length < MIN_TOKEN_CHARS) {
    throw new Error(`the webhook token of ${name} is shorter than ${MIN_TOKEN_CHARS} characters: take a random one`);
  }
  return sha256(token.reveal());
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
