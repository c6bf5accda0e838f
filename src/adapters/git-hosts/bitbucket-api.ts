import { AdapterError } from '../../base/adapter-error.ts';
import { Secret } from '../../base/secret.ts';
import type { HostUser } from '../../promotion/people.ts';
import { type HttpClientOptions, path } from '../http-client.ts';
import type { CallOptions, Repository } from './git-host.ts';
import { pathOn, sayUrl } from './repository-url.ts';
import { createRestApi, type RestApi, type RestRequest } from './rest-api.ts';

/** A repository as Bitbucket's paths name it. */
export interface Place {
  workspace: string;
  repo: string;
  /** `/repositories/acme/deploy`. */
  path: string;
  /** Where Git finds it. */
  cloneUrl: string;
  /** Where people open it. */
  page: string;
}

/** An account as Bitbucket describes it. */
export interface BitbucketUser {
  uuid: string;
  nickname?: string;
  display_name?: string;
  /** `user` for people, `app_user` for access tokens. */
  type?: string;
}

export interface BitbucketLogin {
  /** With an API token: the e-mail address of its account. Access tokens have none. */
  username: string | undefined;
  token: Secret;
}

export function createBitbucketApi(
  client: HttpClientOptions,
  { username, token }: BitbucketLogin,
  writeIntervalMs: number,
): RestApi {
  return createRestApi({
    client,
    token,
    writeIntervalMs,
    login: (secret) => {
      if (username === undefined) return { headers: { Authorization: `Bearer ${secret.reveal()}` } };
      const basic = Buffer.from(`${username}:${secret.reveal()}`).toString('base64');
      return { headers: { Authorization: `Basic ${basic}` }, secrets: [new Secret(basic)] };
    },
  });
}

/** Git takes fixed names for tokens, and not the one that the API takes. */
export function gitLogin({ username, token }: BitbucketLogin): { username: string; password: Secret } {
  return { username: username === undefined ? 'x-token-auth' : 'x-bitbucket-api-token-auth', password: token };
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
  for (let page = 1; ; page += 1) {
    const { values, next } = await api.get<{ values: T[]; next?: string }>(where, options, {
      ...query,
      page: String(page),
    });
    items.push(...values);
    if (next === undefined || values.length === 0 || items.length >= most) {
      return { items: items.slice(0, most), more: next !== undefined || items.length > most };
    }
  }
}

/** `undefined` when the repository is not on this site. */
export function placeOf(site: URL, repository: Repository): Place | undefined {
  const [workspace = '', repo = '', ...more] = pathOn(site, repository.url)?.split('/') ?? [];
  if (more.length > 0 || ![workspace, repo].every((part) => /^[\w.-]+$/.test(part))) return undefined;
  const page = `${site.href.replace(/\/+$/, '')}/${workspace}/${repo}`;
  return { workspace, repo, path: path`/repositories/${workspace}/${repo}`, cloneUrl: `${page}.git`, page };
}

/** @throws {AdapterError} `rejected` when the repository is not on this site */
export function requirePlace(name: string, site: URL, repository: Repository): Place {
  const place = placeOf(site, repository);
  if (place !== undefined) return place;
  throw new AdapterError('rejected', `${name} does not serve ${sayUrl(repository.url)}`);
}

/** The id has braces: `{5a3c…}`. */
export function toHostUser({ uuid, nickname, display_name, type }: BitbucketUser): HostUser {
  return { id: uuid, login: nickname || display_name || uuid, bot: type !== undefined && type !== 'user' };
}

/** A path whose slashes stay, for names of branches and files. */
export function withSlashes(name: string): string {
  return name
    .split('/')
    .map((part) => path`${part}`)
    .join('/');
}
