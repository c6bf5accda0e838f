import { AdapterError } from '../base/adapter-error.ts';
import type { Finding } from '../events/finding.ts';

/** What makes a connection fail before anybody answers, by the words of the error; the first that fits. */
const REMEDIES: readonly [RegExp, string][] = [
  [/CERT_HAS_EXPIRED/, 'renew the certificate of the server'],
  [
    /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|CERT_UNTRUSTED|CERT_SIGNATURE/,
    'name the file with the certificate authority of the server as "ca", in PEM',
  ],
  [/ALTNAME_INVALID/, 'take the host name that the certificate of the server names, or have it name this one'],
  [/EPROTO|WRONG_VERSION|ssl3/i, 'one side speaks TLS and the other does not: compare http:// and https://'],
  [/ENOTFOUND|EAI_AGAIN/, 'correct the host name, or let this machine resolve it'],
  [/ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ECONNRESET|ETIMEDOUT/, 'see that it runs, and that a firewall lets us there'],
  [/is not allowed: it/, 'take an address that is allowed'],
  [/not JSON/, 'see that the address is the one of the API: a login page or a proxy answers there'],
  [/Invalid content type|answered 415/i, 'allow application/json in front of it (Argo CD: --api-content-types)'],
];

/** A failure as a finding, with what to do about it. */
export function failed(check: string, error: unknown, byReason: Partial<Record<string, string>> = {}): Finding {
  const known = error instanceof AdapterError ? error : undefined;
  const sentence = known?.message ?? 'it could not be checked';
  const remedy =
    REMEDIES.find(([words]) => words.test(sentence))?.[1] ?? byReason[known?.reason ?? ''] ?? usual(known?.reason);
  return { level: 'problem', check, sentence, remedy };
}

function usual(reason: string | undefined): string {
  if (reason === 'timeout' || reason === 'cancelled')
    return 'see that it is well, and that nothing between drops packets';
  if (reason === 'unauthenticated') return 'renew the token or the password in lynceus.yaml';
  if (reason === 'forbidden') return 'give the token the rights that the documentation names';
  if (reason === 'not-found') return 'correct the address, its path included';
  return 'look into its log, and at what stands between it and Lynceus';
}
