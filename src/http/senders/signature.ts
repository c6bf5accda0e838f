import { createHmac, timingSafeEqual } from 'node:crypto';
import type { BearerSource } from './bearer.ts';

/** SHA-256 alone: weaker algorithms can be asked for by who sends, stronger ones nobody sends. */
const SIGNATURE = /^sha256=([0-9a-f]{64})$/;

/**
 * Tells from `X-Signature: sha256=<HMAC of the body>` who sends: whose token was the key. The bytes count as
 * they came: written again, the same JSON has other escapes. Every key is tried, whichever matches.
 */
export function signatureAuthentication(sources: readonly BearerSource[]) {
  const keys = sources.flatMap(({ name, tokens }) => tokens.flatMap((token) => keysOf(name, token.reveal())));
  return (signature: string, rawBody: Buffer): { source: string } | undefined => {
    const presented = Buffer.from(SIGNATURE.exec(signature)?.[1] ?? '', 'hex');
    if (presented.length === 0) return undefined;
    let source: string | undefined;
    for (const { name, key } of keys) {
      if (timingSafeEqual(presented, createHmac('sha256', key).update(rawBody).digest())) source = name;
    }
    return source === undefined ? undefined : { source };
  };
}

/**
 * A newline at the end of the Secret is part of Flux's key, and never of a token here (config/vault.ts): the mistake
 * of every second set-up, and no less of a proof.
 */
function keysOf(name: string, token: string): { name: string; key: string }[] {
  return [token, `${token}\n`].map((key) => ({ name, key }));
}
