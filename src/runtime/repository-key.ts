import { hash } from 'node:crypto';
import { parseRepositoryUrl, withoutGit } from '../adapters/git-hosts/repository-url.ts';

/** An index entry of the store has room for 512 bytes. */
const MAX_CHARS = 160;
/** How Azure DevOps names its SSH servers. */
const AZURE_SSH: ReadonlySet<string> = new Set(['ssh.dev.azure.com', 'vs-ssh.visualstudio.com']);
const OLD_AZURE = '.visualstudio.com';

/**
 * A repository by its path, the same for every spelling of its URL (`https://`, `git@`, with and without `.git`):
 * `acme/deploy`. Two hosts may have one of the same name, so who finds something by it asks the host as well.
 * `undefined`: this is no repository of a Git host.
 */
export function repositoryKey(url: string): string | undefined {
  const address = parseRepositoryUrl(url);
  if (address === undefined || address.protocol === 'file') return undefined;
  const host = address.host.replace(/:\d+$/, '');
  const segments = withoutGit(address.path).toLowerCase().split('/').filter(Boolean);
  const path = isAzure(host) ? azurePath(host, segments) : segments;
  return path.length === 0 ? undefined : path.join('/');
}

function isAzure(host: string): boolean {
  return host === 'dev.azure.com' || AZURE_SSH.has(host) || host.endsWith(OLD_AZURE);
}

/** `organisation/project/repository`; where project and repository are called alike, its URLs name one of them only. */
function azurePath(host: string, segments: readonly string[]): string[] {
  const rest = segments[0] === 'v3' && AZURE_SSH.has(host) ? segments.slice(1) : segments;
  const named = host.endsWith(OLD_AZURE) && !AZURE_SSH.has(host) ? [host.slice(0, -OLD_AZURE.length), ...rest] : rest;
  const path = named.filter((segment) => segment !== '_git' && segment !== 'defaultcollection');
  const [organisation = '', project = ''] = path;
  return path.length === 2 ? [organisation, project, project] : path;
}

/** What is looked for, or its hash where an index has no room for it. */
export function indexed(text: string): string {
  return text.length > MAX_CHARS ? hash('sha256', text) : text;
}
