/** A clone URL taken apart, in a form in which two spellings of one place are equal. */
export interface RepositoryAddress {
  protocol: 'file' | 'git' | 'http' | 'https' | 'ssh';
  /** In lower case, with the port where one is named; empty for a path on this machine. */
  host: string;
  /** Starts with a slash, ends without one. */
  path: string;
}

const SCP_FORM = /^(?:[\w.-]+@)?([\w][\w.-]*):(?!\/\/)(.+)$/;
const PROTOCOLS: ReadonlySet<string> = new Set(['file', 'git', 'http', 'https', 'ssh']);
const MAX_URL = 2_048;

/**
 * Understands `https://`, `ssh://`, `git://`, `file://`, `git@host:path` and absolute paths;
 * `undefined` for anything else, for paths that climb (`..`) and for control characters.
 */
export function parseRepositoryUrl(url: string): RepositoryAddress | undefined {
  if (url.length > MAX_URL || /[\p{Cc}\s]/u.test(url)) return undefined;
  if (url.startsWith('/')) return address('file', '', url);
  const scp = SCP_FORM.exec(url);
  if (scp && !url.includes('://')) return address('ssh', scp[1] ?? '', `/${(scp[2] ?? '').replace(/^\/+/, '')}`);
  return fromUrl(url);
}

/** Whether a repository lies at or below a prefix from the configuration; `.git` at the end does not matter. */
export function liesBelow(repository: RepositoryAddress, prefix: RepositoryAddress): boolean {
  if (repository.protocol !== prefix.protocol || repository.host !== prefix.host) return false;
  const wanted = withoutGit(prefix.path);
  return withoutGit(repository.path) === wanted || repository.path.startsWith(wanted === '/' ? '/' : `${wanted}/`);
}

/**
 * Path of a repository on a site, without slash and `.git`: `acme/deploy`; `undefined` when it is elsewhere. SSH and
 * HTTPS have different ports; large hosts also answer SSH on port 443 of a name of its own.
 */
export function pathOn(site: URL, url: string): string | undefined {
  const found = parseRepositoryUrl(url);
  if (found === undefined) return undefined;
  const { protocol, host } = found;
  const path = withoutGit(found.path).slice(1);
  if (protocol === 'ssh') {
    const name = host.replace(/:\d+$/, '');
    return [site.hostname, `ssh.${site.hostname}`, `altssh.${site.hostname}`].includes(name) ? path : undefined;
  }
  if ((protocol !== 'http' && protocol !== 'https') || host !== site.host) return undefined;
  const above = site.pathname.replace(/^\/|\/$/g, '');
  if (above === '') return path;
  return path.startsWith(`${above}/`) ? path.slice(above.length + 1) : undefined;
}

/** A URL as it may be shown: without user, password and query. */
export function sayUrl(url: string): string {
  const bare = url.split(/[?#]/)[0] ?? '';
  return bare.replace(/\/\/[^/]*@/, '//').slice(0, 200);
}

/** `path` without `.git` at its end. */
export function withoutGit(path: string): string {
  return path.endsWith('.git') ? path.slice(0, -4) : path;
}

function fromUrl(url: string): RepositoryAddress | undefined {
  if (!URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  const protocol = parsed.protocol.slice(0, -1);
  if (!isProtocol(protocol)) return undefined;
  if (protocol === 'file' && parsed.host !== '' && parsed.host !== 'localhost') return undefined;
  // An encoded slash or dot would be one path here and another one for the server.
  if (/%2f|%2e|%5c|%00/i.test(parsed.pathname)) return undefined;
  // The parser resolves `..` silently; what was written is what counts.
  if (hasDots(url)) return undefined;
  return address(protocol, protocol === 'file' ? '' : parsed.host.toLowerCase(), decode(parsed.pathname));
}

function address(protocol: RepositoryAddress['protocol'], host: string, path: string): RepositoryAddress | undefined {
  if (hasDots(path) || /\p{Cc}/u.test(path)) return undefined;
  return { protocol, host: host.toLowerCase(), path: path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/+$/, '') };
}

function hasDots(path: string): boolean {
  return path.split('/').some((segment) => segment === '..' || segment === '.');
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function isProtocol(text: string): text is RepositoryAddress['protocol'] {
  return PROTOCOLS.has(text);
}
