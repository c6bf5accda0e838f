import type * as Oidc from 'openid-client';
import Type, { type Static } from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import { clip } from '../../base/clip.ts';
import { Secret } from '../../base/secret.ts';
import type { Finding } from '../../events/finding.ts';
import { type AdapterTools, SecretRef } from '../adapter-kind.ts';
import { failed } from '../failed-connection.ts';
import { httpSettings, toClientOptions } from '../http-settings.ts';
import { claimIn, groupsIn, nameIn, refused, verifiedEmailIn } from './oidc-claims.ts';
import { type Fetch, fetchThrough } from './oidc-fetch.ts';
import type { Identity, SignInAttempt, SignInProvider } from './sign-in-provider.ts';

const { url: _, ...overHttp } = httpSettings;

/** `signIn.oidc` of lynceus.yaml, without who gets which role. */
export const oidcSettings = {
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 60, description: 'what the button says' })),
  issuer: Type.String({ format: 'uri', description: 'as the provider calls itself, such as https://dex.example.com' }),
  clientId: Type.String({ minLength: 1 }),
  clientSecret: Type.Optional(SecretRef),
  scopes: Type.Optional(Type.Array(Type.String({ pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$' }), { minItems: 1 })),
  claims: Type.Optional(
    Type.Object(
      { name: Type.Optional(Type.String({ minLength: 1 })), groups: Type.Optional(Type.String({ minLength: 1 })) },
      { additionalProperties: false },
    ),
  ),
  ...overHttp,
} as const;

const Settings = Type.Object(oidcSettings);
export type OidcSettings = Static<typeof Settings>;

const USUAL_SCOPES = ['openid', 'profile', 'email', 'groups'];
const CLOCKS_APART_SECONDS = 30;
/** What a provider says of itself rarely changes. */
const KNOWN_FOR_MS = 3_600_000;
/** A provider that is away is not asked by everybody who wants to sign in. */
const ASK_AGAIN_MS = 2_000;

/**
 * OpenID Connect: authorization code with PKCE, state and nonce; ID tokens are checked with the provider's keys. It is
 * asked what it offers when somebody wants to sign in, so that we start without it.
 *
 * @throws {AdapterError} `rejected` when the settings cannot work
 */
export function createOidcProvider(settings: OidcSettings, tools: AdapterTools): SignInProvider {
  const issuer = new URL(settings.issuer);
  const insecure = issuer.protocol === 'http:';
  if (insecure && tools.addresses !== 'any')
    throw refused('the issuer must be https://: who listens in between could sign in as anybody');
  const secret = settings.clientSecret && tools.secret(settings.clientSecret);
  const options = toClientOptions(`the sign-in provider ${issuer.host}`, { ...settings, url: issuer.origin }, tools);
  const secrets = secret === undefined ? [] : [secret, basicOf(settings.clientId, secret)];
  const ask = fetchThrough({ ...options, secrets: [...options.secrets, ...secrets] });
  const askNow = () => discover(issuer, settings, secret, insecure, ask);
  const configuration = remembered(askNow);
  const { name: nameClaim = 'email', groups: groupsClaim = 'groups' } = settings.claims ?? {};

  return {
    name: settings.name ?? issuer.host,
    async start({ state, nonce, verifier, redirectUri }) {
      const [config, oidc] = await Promise.all([configuration(), library()]);
      const challenge = await oidc.calculatePKCECodeChallenge(verifier);
      return oidc.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: (settings.scopes ?? USUAL_SCOPES.filter((scope) => offers(config, scope))).join(' '),
        state,
        nonce,
        code_challenge: challenge,
        code_challenge_method: 'S256',
      }).href;
    },
    finish: (attempt, callback) =>
      inOurWords(async () => {
        const config = await configuration();
        const claims = await claimsOf(config, attempt, callback, [nameClaim, groupsClaim]);
        return toIdentity(claims, issuerOf(config), nameClaim, groupsClaim);
      }),
    async signOutAddress(returnTo) {
      const [config, oidc] = await Promise.all([configuration().catch(() => undefined), library()]);
      if (config?.serverMetadata().end_session_endpoint === undefined) return undefined;
      return oidc.buildEndSessionUrl(config, { post_logout_redirect_uri: returnTo }).href;
    },
    async diagnose() {
      try {
        return [whatItCan(await askNow(), issuer.host)];
      } catch (error) {
        return [
          failed('address', error, { rejected: 'compare signIn.oidc.issuer with what the provider calls itself' }),
        ];
      }
    },
  };
}

function whatItCan(config: Oidc.Configuration, host: string): Finding {
  const { response_types_supported: types, code_challenge_methods_supported: methods } = config.serverMetadata();
  const about = { check: 'address', level: 'problem' } as const;
  if (types?.includes('code') === false)
    return { ...about, sentence: `${host} does not offer the authorization code flow`, remedy: 'allow it there' };
  if (methods?.includes('S256') === false)
    return { ...about, sentence: `${host} does not take PKCE with S256`, remedy: 'allow it there' };
  return { level: 'ok', check: 'address', sentence: `${host} answers; the client is tried by the first sign-in` };
}

/** Only when somebody signs in: who uses tokens does not pay for it. */
const library = () => import('openid-client');

async function discover(
  issuer: URL,
  { clientId }: OidcSettings,
  secret: Secret | undefined,
  insecure: boolean,
  ask: Fetch,
): Promise<Oidc.Configuration> {
  const oidc = await library();
  return inOurWords(() =>
    oidc.discovery(
      issuer,
      clientId,
      { [oidc.clockTolerance]: CLOCKS_APART_SECONDS },
      secret === undefined ? oidc.None() : oidc.ClientSecretBasic(secret.reveal()),
      {
        // Without it, signatures of ID tokens are taken on trust in TLS.
        execute: [oidc.enableNonRepudiationChecks, ...(insecure ? [oidc.allowInsecureRequests] : [])],
        [oidc.customFetch]: ask as Oidc.CustomFetch,
      },
    ),
  );
}

/** Keeps what was found for a while, an old answer where there is no new one, and a failure for a moment. */
function remembered(discoverNow: () => Promise<Oidc.Configuration>): () => Promise<Oidc.Configuration> {
  let known: Oidc.Configuration | undefined;
  let asked: Promise<Oidc.Configuration> | undefined;
  let until = 0;
  return () => {
    if (asked === undefined || performance.now() >= until) {
      until = performance.now() + KNOWN_FOR_MS;
      asked = discoverNow().then(
        (found) => {
          known = found;
          return found;
        },
        (error: unknown) => {
          until = performance.now() + ASK_AGAIN_MS;
          if (known) return known;
          throw error;
        },
      );
    }
    return asked;
  };
}

/** A provider that says which scopes it knows is not asked for others. */
function offers(config: Oidc.Configuration, scope: string): boolean {
  return config.serverMetadata().scopes_supported?.includes(scope) ?? scope !== 'groups';
}

async function claimsOf(
  config: Oidc.Configuration,
  { state, nonce, verifier, redirectUri }: SignInAttempt,
  callback: URL,
  wanted: readonly string[],
): Promise<Record<string, unknown>> {
  const oidc = await library();
  // What the provider compares is the address that is registered there, whatever a proxy made of it.
  const address = new URL(redirectUri);
  address.search = callback.search;
  const tokens = await oidc.authorizationCodeGrant(config, address, {
    expectedState: state,
    expectedNonce: nonce,
    pkceCodeVerifier: verifier,
    idTokenExpected: true,
  });
  const claims = { ...tokens.claims() };
  const missing = wanted.some((claim) => claimIn(claims, claim) === undefined);
  if (!missing || config.serverMetadata().userinfo_endpoint === undefined) return claims;
  const more = await oidc.fetchUserInfo(config, tokens.access_token, String(claims['sub']));
  return { ...more, ...claims };
}

function toIdentity(claims: Record<string, unknown>, issuer: string, name: string, groups: string): Identity {
  const email = verifiedEmailIn(claims);
  const who = { name: nameIn(claims, name), groups: groupsIn(claims, groups) };
  return { ...who, ...(email === undefined ? {} : { email }), issuer, subject: String(claims['sub']) };
}

function issuerOf(config: Oidc.Configuration): string {
  return config.serverMetadata().issuer;
}

/** The library's errors carry whole answers; people need a sentence, and the log no tokens. */
async function inOurWords<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const from = error instanceof AdapterError ? error : (error as { cause?: unknown }).cause;
    if (from instanceof AdapterError) throw from;
    throw refused(sentenceOf(error));
  }
}

function sentenceOf(error: unknown): string {
  const { error: code, error_description: words, message, code: kind } = error as Record<string, unknown>;
  if (code === 'access_denied') return 'the provider says that access was denied';
  if (typeof code === 'string') return `the provider refuses: ${said(code, 100)}${inBrackets(words)}`;
  const claim = claimAbout(error);
  const about = claim === undefined ? '' : `, claim ${said(claim, 50)}`;
  return `what the provider answered was not accepted: ${said(String(message ?? error), 200)}${about}${inBrackets(kind)}`;
}

/** Somewhere down the causes stands which claim was wrong. */
function claimAbout(error: unknown, depth = 0): string | undefined {
  if (typeof error !== 'object' || error === null || depth > 3) return undefined;
  const { claim, cause } = error as { claim?: unknown; cause?: unknown };
  return typeof claim === 'string' ? claim : claimAbout(cause, depth + 1);
}

function inBrackets(words: unknown): string {
  return typeof words === 'string' ? ` (${said(words, 200)})` : '';
}

function said(words: string, max: number): string {
  return clip(oneLine(words), max);
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
}

/** As it goes over the wire (RFC 6749, 2.3.1). */
function basicOf(id: string, secret: Secret): Secret {
  const encode = (text: string) => new URLSearchParams([['', text]]).toString().slice(1);
  return new Secret(Buffer.from(`${encode(id)}:${encode(secret.reveal())}`).toString('base64'));
}
