import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';
import { freePort } from '../../examples/sandbox/free-port.ts';
import type { Page, Visitor } from './sign-in.ts';

export interface Account {
  email: string;
  email_verified?: boolean;
  groups?: string[];
}

export interface TestProvider {
  issuer: string;
  /** By the name that they type. */
  accounts: Record<string, Account>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export const CLIENT = { id: 'lynceus', secret: 'client-secret-of-lynceus-0123456789' };

/** A certified OpenID provider on this machine, with its own pages for signing in. */
export async function startOidcProvider(publicUrl: string, accounts: Record<string, Account>): Promise<TestProvider> {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [`${publicUrl}/sign-in/callback`],
        post_logout_redirect_uris: [`${publicUrl}/sign-in`],
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'k1' }] },
    cookies: { keys: ['a key for the cookies of the provider'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], groups: ['groups'], profile: ['name'] },
    pkce: { required: () => true },
    ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 60, IdToken: 60, AuthorizationCode: 60 },
    features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, email_verified: true, ...accounts[id] }),
    }),
  });
  const server = createServer(provider.callback());
  const start = () => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await start();
  return {
    issuer,
    accounts,
    start,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Types a name at the provider's page and agrees, until it sends the browser back to us. */
export async function signInAtProvider(visitor: Visitor, begun: Page, name: string, ours: string): Promise<string> {
  let page = begun;
  for (let steps = 0; steps < 20; steps++) {
    if (page.location?.startsWith(ours)) return page.location;
    if (page.location !== undefined) page = await visitor.get(page.location);
    else if (page.form)
      page = await visitor.post(page.form.action, { ...page.form.fields, login: name, password: 'x' });
    else throw new Error(`the provider shows a page without a way on: ${page.status} ${page.text.slice(0, 500)}`);
  }
  throw new Error('the provider does not send the browser back');
}
