import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the next ID token is to be. */
export interface Lie {
  claims?: Record<string, unknown>;
  /** Claims that are left out. */
  without?: string[];
  header?: Record<string, unknown>;
  /** Who signs: the provider, a stranger with the same key id, the public key as an HMAC secret, or nobody. */
  signedBy?: 'provider' | 'stranger' | 'public key' | 'client secret' | 'nobody';
}

export interface LyingIssuer {
  issuer: string;
  lie: Lie;
  /** The nonce that the browser was sent with. */
  nonce: string;
  /** Bodies of requests to the token endpoint. */
  asked: URLSearchParams[];
  stop(): Promise<void>;
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** An OpenID provider that answers each code with whatever ID token a test wants. */
export async function startLyingIssuer(client: { id: string; secret: string }): Promise<LyingIssuer> {
  const own = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const strange = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const state: LyingIssuer = { issuer: '', lie: {}, nonce: '', asked: [], stop: async () => undefined };

  function signed(text: string, { signedBy = 'provider' }: Lie): string {
    const rsa = (key: KeyObject) => sign('RSA-SHA256', Buffer.from(text), key).toString('base64url');
    const hmac = (key: string) => createHmac('sha256', key).update(text).digest('base64url');
    if (signedBy === 'nobody') return '';
    if (signedBy === 'client secret') return hmac(client.secret);
    if (signedBy === 'public key') return hmac(own.publicKey.export({ format: 'pem', type: 'spki' }).toString());
    return rsa(signedBy === 'provider' ? own.privateKey : strange.privateKey);
  }

  function idToken(lie: Lie): string {
    const now = Math.floor(Date.now() / 1000);
    const usual = { iss: state.issuer, aud: client.id, sub: 'ada', iat: now, exp: now + 60, nonce: state.nonce };
    const person = { email: 'ada@example.com', email_verified: true, groups: ['platform'] };
    const claims = Object.entries({ ...usual, ...person, ...lie.claims }).filter(
      ([key]) => !lie.without?.includes(key),
    );
    const text = `${json({ alg: 'RS256', kid: 'k1', ...lie.header })}.${json(Object.fromEntries(claims))}`;
    return `${text}.${signed(text, lie)}`;
  }

  const answers: Record<string, () => unknown> = {
    '/.well-known/openid-configuration': () => ({
      issuer: state.issuer,
      authorization_endpoint: `${state.issuer}/authorize`,
      token_endpoint: `${state.issuer}/token`,
      jwks_uri: `${state.issuer}/jwks`,
      id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
    }),
    '/jwks': () => ({ keys: [{ ...own.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig' }] }),
    '/token': () => ({ access_token: 'at', token_type: 'Bearer', expires_in: 60, id_token: idToken(state.lie) }),
  };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    if (request.url === '/token') state.asked.push(new URLSearchParams(body));
    const answer = answers[request.url ?? ''];
    response.writeHead(answer ? 200 : 404, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(answer?.() ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  state.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  state.stop = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return state;
}
