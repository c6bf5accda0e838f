import { channel } from 'node:diagnostics_channel';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BareRepository } from '../../examples/sandbox/git.ts';
import { sha256 } from '../../src/base/ids.ts';
import { type Answer, notFound } from './github-answers.ts';
import { appCaller, botOf, createFakeApp, type FakeApp } from './github-app.ts';
import { answerMutation, parseMutation } from './github-graphql.ts';
import { loadGitHubContract, type Operation } from './github-openapi.ts';
import { type Account, type Accounts, createAccounts } from './github-people.ts';
import { createState } from './github-state.ts';

/** What was asked of a fake GitHub, and what was not as GitHub documents it: see github-witness.ts. */
export const EXCHANGES = 'lynceus:fake-github-exchange';
export interface GitHubExchange {
  operation: string;
  problems: readonly string[];
}

/** An answer to give instead of the real one. */
export interface Fault {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** Answer late, or never (`Infinity`). */
  delayMs?: number;
  /** Do what was asked first, then answer this: the answer got lost. */
  afterEffect?: boolean;
}

/** A request as it came. */
export interface FakeRequest {
  line: string;
  /** `performance.now()`. */
  at: number;
  authorization: string | undefined;
  /** Answered 304: what we had is still so. */
  unchanged?: boolean;
  /** Bytes of body, asked and answered. */
  bytes: number;
}

export interface FakeGitHub {
  /** Site URL, as in a clone URL: `http://127.0.0.1:1234`. */
  url: string;
  /** Every request, `PUT /repos/acme/deploy/pulls/1/merge`. */
  requests: FakeRequest[];
  /** Where a request or an answer was not as GitHub documents it; must stay empty. */
  violations: string[];
  /** Asked before each request; `undefined`: answer as usual. */
  fault: ((line: string) => Fault | undefined) | undefined;
  /** How many requests are being answered. */
  underWay: number;
  /** Headers of every answer that is no fault. */
  headers: () => Record<string, string>;
  /** Everything behind it: people, pull requests, marks, deliveries. */
  state: ReturnType<typeof createState>;
  accounts: Accounts;
  app: FakeApp;
  /** Comments by pull request. */
  comments(number: number): string[];
  /** A pull request from somebody's fork whose branch is named like one of ours. */
  openFromFork(branch: string, sha: string, base: string): number;
  close(): Promise<void>;
}

/**
 * GitHub's REST API for one repository, `acme/<name>`, with a real Git repository behind it and every
 * request and answer held against GitHub's own description of it.
 */
export async function startFakeGitHub(origin: BareRepository, token: string): Promise<FakeGitHub> {
  const contract = loadGitHubContract();
  const exchanges = channel(EXCHANGES);
  const accounts = createAccounts();
  accounts.add('robot', 'admin').token = token;
  const app = createFakeApp();
  const state = createState(origin, accounts, app);
  const fake: Omit<FakeGitHub, 'url' | 'close'> = {
    requests: [],
    violations: [],
    fault: undefined,
    underWay: 0,
    headers: () => ({}),
    state,
    accounts,
    app,
    comments: (number) => state.pulls.pullOf(number).comments.map(({ body }) => body),
    openFromFork: (head, headSha, base) => {
      const by = accounts.named('mallory');
      return state.pulls.add({ head, headSha, base, title: 'From a fork', body: null, fork: true, by }).number;
    },
  };

  function judge(request: http.IncomingMessage, text: string): Answer {
    const caller = callerOf(request);
    if (caller === undefined) return { status: 401, body: { message: 'Bad credentials' } };
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (url.pathname === '/api/graphql') return judgeGraphQl(request.method, text, caller);
    const path = url.pathname.replace(/^\/api\/v3/, '');
    const matched = contract.match(request.method ?? '', path);
    if (matched === undefined) return violation('none', `${request.method} ${path} is not an operation that we know`);
    const { operation, params } = matched;
    const body = text === '' ? undefined : (JSON.parse(text) as unknown);
    const problems = operation.checkRequest(params, url.searchParams, body);
    if (problems.length > 0) return violation(operation.id, `${operation.id}: ${problems.join('; ')}`);
    const refusal = mayNot(operation, params, caller);
    if (refusal !== undefined) return refusal;
    const by = caller === 'app' ? botOf(accounts) : caller;
    const call = { ...matched, query: url.searchParams, body: (body ?? {}) as Record<string, unknown>, by };
    const answer = state.answer(call);
    const wrong = operation.checkAnswer(answer.status, answer.body);
    if (wrong.length > 0) return violation(operation.id, `${operation.id} answer: ${wrong.join('; ')}`);
    exchanges.publish({ operation: operation.id, problems: [] } satisfies GitHubExchange);
    return answer;
  }

  function judgeGraphQl(method: string | undefined, text: string, caller: Account | 'app'): Answer {
    const mutation = parseMutation(JSON.parse(text));
    if (method !== 'POST' || Array.isArray(mutation)) return violation('graphql', `graphql: ${String(mutation)}`);
    if (caller === 'app') return { status: 403, body: { message: 'Resource not accessible by integration' } };
    exchanges.publish({ operation: `graphql ${mutation.name}`, problems: [] } satisfies GitHubExchange);
    return answerMutation(mutation, state.pulls, caller);
  }

  /** The App as such tells of itself, and nobody else does. */
  function mayNot(operation: Operation, params: Record<string, string>, caller: Account | 'app'): Answer | undefined {
    const aboutApp = / \/app|\/installation$/.test(operation.id);
    if (aboutApp !== (caller === 'app'))
      return { status: 401, body: { message: 'A JSON web token could not be decoded' } };
    const { owner = 'acme', repo = 'deploy' } = params;
    if (owner !== 'acme' || repo !== 'deploy') return notFound();
    return caller !== 'app' && caller.permission === 'none' && 'owner' in params ? notFound() : undefined;
  }

  function callerOf(request: http.IncomingMessage): Account | 'app' | undefined {
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (given === undefined) return undefined;
    return accounts.byToken(given) ?? appCaller(app, accounts, given);
  }

  function violation(operation: string, what: string): Answer {
    fake.violations.push(what);
    exchanges.publish({ operation, problems: [what] } satisfies GitHubExchange);
    return { status: 500, body: { message: what } };
  }

  const server = http.createServer((request, response) => {
    fake.underWay += 1;
    response.once('close', () => {
      fake.underWay -= 1;
    });
    serve(request, response).catch((error: unknown) => send(response, violation('none', String(error))));
  });
  async function serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const line = `${request.method} ${(request.url ?? '').replace(/^\/api\/v3/, '')}`;
    const text = Buffer.concat(chunks).toString('utf8');
    const { authorization } = request.headers;
    const seen: FakeRequest = { line, at: performance.now(), authorization, bytes: Buffer.byteLength(text) };
    fake.requests.push(seen);
    const fault = fake.fault?.(line);
    if (fault === undefined || fault.afterEffect) {
      const answer = judge(request, text);
      if (fault === undefined) return reply(request, response, answer, seen);
    }
    if (fault.delayMs === Number.POSITIVE_INFINITY) return;
    if (fault.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    send(response, fault);
  }

  /** What is as the caller knows it already is not sent again. */
  function reply(request: http.IncomingMessage, response: http.ServerResponse, answer: Answer, seen: FakeRequest) {
    const headers = { ...fake.headers(), ...answer.headers };
    if (request.method !== 'GET' || answer.status !== 200) {
      seen.bytes += send(response, { ...answer, headers });
      return;
    }
    const etag = `W/"${sha256(JSON.stringify(answer.body))}"`;
    seen.unchanged = request.headers['if-none-match'] === etag;
    if (seen.unchanged) send(response, { status: 304, headers: { ...headers, etag } });
    else seen.bytes += send(response, { ...answer, headers: { ...headers, etag } });
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(fake, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

/** Answers the bytes of the body. */
function send(response: http.ServerResponse, answer: Answer): number {
  const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
  response.writeHead(answer.status, { 'Content-Type': 'application/json; charset=utf-8', ...answer.headers });
  response.end(answer.body === undefined ? undefined : text);
  return answer.body === undefined ? 0 : Buffer.byteLength(text);
}
