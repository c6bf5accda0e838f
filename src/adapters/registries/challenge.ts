/** What a registry wants to see before it answers (RFC 9110 11.6.1, distribution's token authentication). */
export type Challenge = { scheme: 'basic' } | { scheme: 'bearer'; realm: string; service?: string; scope?: string };

const PARAMETER = /([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;

/** Reads `WWW-Authenticate`; `undefined`: none that is known. */
export function parseChallenge(header: string): Challenge | undefined {
  const [scheme = ''] = header.trim().slice(0, 4000).split(/\s/, 1);
  if (/^basic$/i.test(scheme)) return { scheme: 'basic' };
  if (!/^bearer$/i.test(scheme)) return undefined;
  const found = new Map<string, string>();
  for (const [, name = '', quoted, bare] of header.slice(0, 4000).matchAll(PARAMETER))
    found.set(name.toLowerCase(), quoted === undefined ? (bare ?? '') : quoted.replace(/\\(.)/g, '$1'));
  const realm = found.get('realm');
  if (realm === undefined || !URL.canParse(realm)) return undefined;
  const [service, scope] = [found.get('service'), found.get('scope')];
  return {
    scheme: 'bearer',
    realm,
    ...(service === undefined ? {} : { service }),
    ...(scope === undefined ? {} : { scope }),
  };
}
