import { createHash } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import type { BareRepository } from '../../examples/sandbox/git.ts';
import type { Permission } from '../../src/promotion/people.ts';
import { answerGit } from './git-http.ts';

/** Somebody who has an account at a fake host. */
export interface Account {
  id: number;
  login: string;
  token: string;
  permission: Permission;
}

/** An answer to give instead of the real one. */
export interface Fault {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** Do what was asked first, then answer this: the answer got lost. */
  afterEffect?: boolean;
}

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** A request to a fake host, taken apart. */
export interface Call {
  params: Record<string, string>;
  query: URLSearchParams;
  body: Record<string, unknown>;
  /** Who asks. */
  by: Account;
}

/** By method and path: `GET /repos/{owner}/{repo}`; a segment in braces takes one encoded segment, `{+x}` the rest. */
export type Routes = Record<string, (call: Call) => Answer>;

export interface FakeHost {
  /** `http://127.0.0.1:1234`. */
  url: string;
  /** Every request to the API, `GET /repos/acme/deploy`, without those of Git. */
  requests: string[];
  /** Every request of Git. */
  gitRequests: string[];
  /** All of them with the bytes of their bodies, both ways; those of Git that change nothing are written as reading. */
  asked: { line: string; bytes: number }[];
  /** Asked before each request to the API; `undefined`: answer as usual. */
  fault: ((line: string) => Fault | undefined) | undefined;
  /** Requests for which there is no route: must stay empty. */
  unknown: string[];
  close(): Promise<void>;
}

export interface FakeHostOptions {
  origin: BareRepository;
  /** Before all paths of the API: `/api/v1`. */
  prefix: string;
  routes: Routes;
  /** Whose request this is; `undefined`: nobody's. */
  who(headers: http.IncomingHttpHeaders): Account | undefined;
  /** Whose token it is that Git sends as its password. */
  byToken(token: string): Account | undefined;
  /** Where Git finds the repository: `/acme/deploy.git`. */
  gitPath: string;
  /** Paths of Git, where the API has the same beginning. */
  git?: RegExp;
  /** Paths of other repositories, which are not there. */
  elsewhere: RegExp;
}

export function createAccounts() {
  const all: Account[] = [];
  const members = new Set<number>();

  function add(login: string, permission: Permission = 'read'): Account {
    const id = 1_000 + all.length;
    const account = { id, login, token: `token-of-${login}-${id}`, permission };
    all.push(account);
    return account;
  }

  return {
    all,
    /** Who is in the one group that there is. */
    members,
    add,
    /** Whoever is called so now; made when nobody is. */
    named: (login: string) => all.find((one) => one.login === login) ?? add(login),
    find: (login: string) => all.find((one) => one.login.toLowerCase() === login.toLowerCase()),
    byId: (id: number) => all.find((one) => one.id === id),
    byToken: (token: string) => all.find((one) => one.token === token),
  };
}

export type Accounts = ReturnType<typeof createAccounts>;

/** A REST API and Git's own server in front of one real repository. */
export async function startFakeHost(options: FakeHostOptions): Promise<FakeHost> {
  const { origin, prefix, routes } = options;
  origin.git('config', 'http.receivepack', 'true');
  origin.git('config', 'uploadpack.allowFilter', 'true');
  const matchers = Object.entries(routes).map(([route, handle]) => ({ ...matcher(route), handle }));
  const fake: Omit<FakeHost, 'url' | 'close'> = {
    requests: [],
    gitRequests: [],
    asked: [],
    fault: undefined,
    unknown: [],
  };

  function judge(method: string, url: URL, text: string, by: Account): Answer {
    const path = url.pathname.slice(prefix.length);
    for (const { method: wanted, pattern, names, handle } of matchers) {
      const match = wanted === method ? pattern.exec(path) : null;
      if (match === null) continue;
      const params = Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(match[at + 1] ?? '')]));
      const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
      return handle({ params, query: url.searchParams, body, by });
    }
    if (!options.elsewhere.test(path)) fake.unknown.push(`${method} ${path}`);
    return { status: 404, body: { message: 'not found' } };
  }

  async function serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const isGit = options.git?.test(url.pathname) ?? !url.pathname.startsWith(`${prefix}/`);
    if (isGit) return serveGit(request, response, url);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const line = `${request.method} ${(request.url ?? '').slice(prefix.length)}`;
    fake.requests.push(line);
    const fault = fake.fault?.(line);
    const text = Buffer.concat(chunks).toString('utf8');
    const by = options.who(request.headers);
    const unauthorized: Answer = { status: 401, body: { message: 'Unauthorized' } };
    const answered = () => (by === undefined ? unauthorized : judge(request.method ?? '', url, text, by));
    if (fault?.afterEffect) answered();
    const answer = fault ?? answered();
    fake.asked.push({ line, bytes: text.length + (JSON.stringify(answer.body) ?? '').length });
    send(response, answer);
  }

  function serveGit(request: http.IncomingMessage, response: http.ServerResponse, url: URL): void {
    fake.gitRequests.push(`${request.method} ${request.url}`);
    const basic = Buffer.from(request.headers.authorization?.replace(/^Basic /, '') ?? '', 'base64').toString();
    const by = options.byToken(basic.slice(basic.indexOf(':') + 1));
    if (by === undefined) return void response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"' }).end();
    if (!url.pathname.startsWith(`${options.gitPath}/`)) return void response.writeHead(404).end('not found');
    request.url = `/${origin.path.split('/').at(-1)}${url.pathname.slice(options.gitPath.length)}${url.search}`;
    countGit(request, response);
    answerGit(dirname(origin.path), request, response);
  }

  function countGit(request: http.IncomingMessage, response: http.ServerResponse): void {
    const before = response.socket?.bytesWritten ?? 0;
    const changes = request.method === 'POST' && request.url?.endsWith('/git-receive-pack') === true;
    const one = { line: `${changes ? 'POST' : 'GET'} ${request.url}`, bytes: 0 };
    fake.asked.push(one);
    request.on('data', (chunk: Buffer) => {
      one.bytes += chunk.length;
    });
    response.on('finish', () => {
      one.bytes += (response.socket?.bytesWritten ?? before) - before;
    });
  }

  const server = http.createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      fake.unknown.push(String(error));
      send(response, { status: 500, body: { message: String(error) } });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(fake, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function matcher(route: string): { method: string; pattern: RegExp; names: string[] } {
  const [method = '', path = ''] = route.split(' ');
  const names: string[] = [];
  const pattern = path.replace(/\{(\+?)(\w+)\}/g, (_, rest: string, name: string) => {
    names.push(name);
    return rest === '' ? '([^/]+)' : '(.+)';
  });
  return { method, pattern: new RegExp(`^${pattern}$`), names };
}

function send(response: http.ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, { 'Content-Type': 'application/json; charset=utf-8', ...answer.headers });
  if (answer.body === undefined) response.end();
  else
    response.end(
      typeof answer.body === 'string' || answer.body instanceof Uint8Array ? answer.body : JSON.stringify(answer.body),
    );
}

/** The id of an account where ids are GUIDs. */
export function guid({ id }: Account): string {
  const digits = createHash('sha1').update(String(id)).digest('hex');
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}

/** A page of a list; `size` is the name of the parameter that says how long one is. */
export function paged(items: readonly unknown[], query: URLSearchParams, size: 'limit' | 'per_page'): Answer {
  const length = Number(query.get(size) ?? 20);
  const page = Number(query.get('page') ?? 1);
  const more = page * length < items.length;
  return {
    status: 200,
    body: items.slice((page - 1) * length, page * length),
    ...(more ? { headers: { Link: `<http://host.example/x?page=${page + 1}>; rel="next"` } } : {}),
  };
}
