import { AdapterError, type FailureReason } from '../../base/adapter-error.ts';
import { isJsonObject } from '../../base/json.ts';
import { Secret } from '../../base/secret.ts';
import type { HostUser } from '../../promotion/people.ts';
import { type HttpClientOptions, HttpFailure, path } from '../http-client.ts';
import type { CallOptions, Repository } from './git-host.ts';
import { parseRepositoryUrl, pathOn, sayUrl, withoutGit } from './repository-url.ts';
import { createRestApi, type RestApi, type RestRequest } from './rest-api.ts';

const PAGE_LENGTH = 100;
/** Where organisations were before `dev.azure.com`; both names still work. */
const OLD_SITE = '.visualstudio.com';
const NEW_SITE = 'dev.azure.com';

/** A repository as the paths of Azure DevOps name it. */
export interface Place {
  project: string;
  repo: string;
  /** `/shop%20floor/_apis/git/repositories/deploy`. */
  path: string;
  /** Where Git finds it, and people. */
  cloneUrl: string;
}

/** An account, a group or a service as Azure DevOps describes it. */
export interface AzureIdentity {
  id: string;
  displayName?: string;
  /** An e-mail address, or `DOMAIN\name`. */
  uniqueName?: string;
  descriptor?: string;
  isContainer?: boolean;
}

/** A token is the password of nobody in particular. */
export function createAzureApi(
  client: HttpClientOptions,
  token: Secret,
  writeIntervalMs: number,
  version: string,
): RestApi {
  // Without this a wrong token is sent to a page on which people log in.
  const headers = { ...client.headers, ...acceptVersion(version), 'X-TFS-FedAuthRedirect': 'Suppress' };
  return createRestApi({
    client: { ...client, headers },
    token,
    writeIntervalMs,
    login: (secret) => {
      const basic = Buffer.from(`:${secret.reveal()}`).toString('base64');
      return { headers: { Authorization: `Basic ${basic}` }, secrets: [new Secret(basic)] };
    },
    reasonOf,
    pauseOf: ({ 'retry-after': seconds }) => Number(seconds) * 1000,
  });
}

/** The version of the API that a request speaks. */
export function acceptVersion(version: string): { Accept: string } {
  return { Accept: `application/json;api-version=${version}` };
}

/** All pages of a list, as far as `most` entries; says whether there were more. */
export async function listAll<T>(
  api: RestApi,
  where: string,
  options: CallOptions | undefined,
  query: NonNullable<RestRequest['query']>,
  most: number,
): Promise<{ items: T[]; more: boolean }> {
  const items: T[] = [];
  for (;;) {
    const page = { ...query, $top: String(PAGE_LENGTH), $skip: String(items.length) };
    const { value } = await api.get<{ value: T[] }>(where, options, page);
    items.push(...value);
    if (value.length < PAGE_LENGTH || items.length > most) return { items, more: items.length > most };
  }
}

/** What Azure DevOps calls the failure: `GitItemNotFoundException`. */
export function typeOf(error: unknown): string {
  const body = error instanceof AdapterError && error.cause instanceof HttpFailure ? error.cause.body : undefined;
  return isJsonObject(body) ? String(body['typeKey']) : '';
}

/** `undefined` when it failed because of one of these. */
export async function unless<T>(types: readonly string[], work: Promise<T>): Promise<T | undefined> {
  return work.catch((error: unknown) => {
    if (types.includes(typeOf(error))) return undefined;
    throw error;
  });
}

/** `undefined` when the repository is not of this organisation or collection. */
export function placeOf(site: URL, repository: Repository): Place | undefined {
  const parts = partsOf(site, repository.url)?.map(decode);
  const [project = '', mark, repo = '', ...more] = parts ?? [];
  if (mark !== '_git' || more.length > 0 || ![project, repo].every(isName)) return undefined;
  const root = site.href.replace(/\/+$/, '');
  const cloneUrl = `${root}${path`/${project}/_git/${repo}`}`;
  return { project, repo, path: path`/${project}/_apis/git/repositories/${repo}`, cloneUrl };
}

/** @throws {AdapterError} `rejected` when the repository is not on this site */
export function requirePlace(name: string, site: URL, repository: Repository): Place {
  const place = placeOf(site, repository);
  if (place !== undefined) return place;
  throw new AdapterError('rejected', `${name} does not serve ${sayUrl(repository.url)}`);
}

/** Names and addresses change; the id stays. */
export function toHostUser({ id, displayName, uniqueName, descriptor = '' }: AzureIdentity): HostUser {
  return { id, login: uniqueName || displayName || id, bot: /^(?:svc|aadsp|s2s)\./.test(descriptor) };
}

/** `project`, `_git`, `repository`, however the URL writes them. */
function partsOf(site: URL, url: string): string[] | undefined {
  const found = parseRepositoryUrl(url);
  if (found === undefined) return undefined;
  const path = withoutGit(found.path);
  const organisation = organisationOf(site);
  const above = site.pathname.replace(/\/+$/, '');
  if (found.protocol === 'ssh') {
    const [version, owner, ...rest] = path.slice(1).split('/');
    const host = found.host.replace(/:\d+$/, '');
    if (version === 'v3' && [`ssh.${NEW_SITE}`, `vs-ssh${OLD_SITE}`].includes(host)) {
      return sameName(owner, organisation) && rest.length === 2 ? [rest[0] ?? '', '_git', rest[1] ?? ''] : undefined;
    }
    const below = host === site.hostname ? pathBelow(path, above) : undefined;
    return below === undefined ? undefined : withProject(below);
  }
  const old = organisation !== undefined && sameName(found.host, `${organisation}${OLD_SITE}`);
  if (old && found.protocol === 'https') return withProject(path.slice(1).replace(/^DefaultCollection\//i, ''));
  if (organisation !== undefined && found.host === NEW_SITE) {
    const [owner, ...rest] = path.slice(1).split('/');
    return sameName(owner, organisation) ? withProject(rest.join('/')) : undefined;
  }
  const below = pathOn(site, url);
  return below === undefined ? undefined : withProject(below);
}

/** Of Azure DevOps Services; a server has none. */
function organisationOf(site: URL): string | undefined {
  if (site.host === NEW_SITE) return site.pathname.split('/')[1];
  return site.host.endsWith(OLD_SITE) ? site.host.slice(0, -OLD_SITE.length) : undefined;
}

function pathBelow(path: string, above: string): string | undefined {
  return path.startsWith(`${above}/`) ? path.slice(above.length + 1) : undefined;
}

/** A repository with the name of its project is also found without the project. */
function withProject(path: string): string[] {
  const parts = path.replace('/_ssh/', '/_git/').split('/');
  return parts[0] === '_git' ? [parts[1] ?? '', ...parts] : parts;
}

function sameName(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && one.toLowerCase() === other?.toLowerCase();
}

function isName(name: string): boolean {
  return /^[^\\/:*?"<>;#$|{},+=[\]\p{Cc}]{1,128}$/u.test(name) && !['.', '..', '_git'].includes(name);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function reasonOf({ status, body }: HttpFailure): FailureReason | undefined {
  // To a page on which people log in.
  if (status === 302 || status === 203) return 'unauthenticated';
  const refusedByPolicy = isJsonObject(body) && body['typeKey'] === 'GitPullRequestUpdateRejectedByPolicyException';
  return refusedByPolicy ? 'conflict' : undefined;
}
