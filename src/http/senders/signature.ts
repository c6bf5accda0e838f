import { createHmac, timingSafeEqual } from 'node:crypto';
import type { BearerSource } from './bearer.ts';

/** SHA-256 alone: weaker algorithms can be asked for by who sends, stronger ones nobody sends. */
const SIGNATURE = /^sha256=([0-9a-f]{64})$/;
/** timingSafeEqual throws on anything else. */
const DIGEST_BYTES = 32;

/**
 * Tells from `X-Signature: sha256=<HMAC of the body>` who sends: whose token was the key. The bytes count as
 * they came: written again, the same JSON has other escapes. Every key is tried, whichever matches.
 */
export function signatureAuthentication(sources: readonly BearerSource[]) {
  const keys = sources.flatMap(({ name, tokens }) => tokens.flatMap((token) => keysOf(name, token.reveal())));
  return (signature: string, rawBody: Buffer): { source: string } | undefined =>
    whoSigned(keys, digestIn(signature), [rawBody]);
}

export interface SigningKey {
  name: string;
  key: string | Buffer;
}

/** The digest in `sha256=<64 hex digits>`; `undefined` when it is anything else. */
export function digestIn(signature: unknown): Buffer | undefined {
  const hex = SIGNATURE.exec(String(signature))?.[1];
  return hex === undefined ? undefined : Buffer.from(hex, 'hex');
}

/** Whose key made this HMAC-SHA256 of the parts, one after the other. Every key is tried, whichever matches. */
export function whoSigned(
  keys: readonly SigningKey[],
  presented: Buffer | undefined,
  parts: readonly (string | Buffer)[],
): { source: string } | undefined {
  if (presented?.length !== DIGEST_BYTES) return undefined;
  let source: string | undefined;
  for (const { name, key } of keys) {
    const made = createHmac('sha256', key);
    for (const part of parts) made.update(part);
    if (timingSafeEqual(presented, made.digest())) source = name;
  }
  return source === undefined ? undefined : { source };
}

/**
 * A newline at the end of the Secret is part of Flux's key, and never of a token here (config/vault.ts): the mistake
 * of every second set-up, and no less of a proof.
 */
function keysOf(name: string, token: string): SigningKey[] {
  return [token, `${token}\n`].map((key) => ({ name, key }));
}
