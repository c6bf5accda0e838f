import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject } from '../../base/json.ts';

type Claims = Readonly<Record<string, unknown>>;

const MAX_NAME_CHARS = 200;
const MAX_GROUPS = 2000;
const MAX_GROUP_CHARS = 300;

/** A claim by its name, or by its path where it is inside another one (`realm_access.roles`). */
export function claimIn(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name.split('.').reduce<unknown>((value, key) => {
    return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }, claims);
}

/**
 * What people are called here.
 *
 * @throws {AdapterError} `rejected` when the claim is not there, or the provider does not vouch for it
 */
export function nameIn(claims: Claims, claim: string): string {
  const name = claimIn(claims, claim);
  if (typeof name !== 'string' || name.trim() === '')
    throw refused(
      `the provider sent no claim "${claim}": ask for its scope, or name another in signIn.oidc.claims.name`,
    );
  if (claim === 'email' && claims['email_verified'] === false)
    throw refused('the provider has not verified the email address: verify it there first');
  if (name.length > MAX_NAME_CHARS || /[\p{Cc}\p{Cf}]/u.test(name))
    throw refused(
      `the claim "${claim}" is longer than ${MAX_NAME_CHARS} characters, or has characters that are not seen`,
    );
  return name.trim();
}

/** The mail address that the provider has verified; one that it says nothing about may be anybody's. */
export function verifiedEmailIn({ email, email_verified: verified }: Claims): string | undefined {
  const isVerified = verified === true || verified === 'true';
  return isVerified && typeof email === 'string' && email.length <= MAX_NAME_CHARS ? email : undefined;
}

/** The groups, as a list or a single one; none where the provider sends none. */
export function groupsIn(claims: Claims, claim: string): string[] {
  const groups = claimIn(claims, claim);
  const list = Array.isArray(groups) ? groups : [groups];
  const texts = list.filter((group) => typeof group === 'string' && group !== '' && group.length <= MAX_GROUP_CHARS);
  return [...new Set(texts as string[])].slice(0, MAX_GROUPS);
}

export function refused(message: string): AdapterError {
  return new AdapterError('rejected', message);
}
