import { channel } from 'node:diagnostics_channel';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Exchange, newExchange } from '../exchange.ts';
import { adminRoute } from './admin.ts';
import {
  type Change,
  Controller,
  type Deploy,
  Refusal,
  type SandboxApp,
  type SyncWish,
  TIMING,
  type Timing,
} from './controller.ts';
import { createFaults, type FaultEffect, type Faults } from './faults.ts';
import type { RunHook } from './manifests.ts';
import { type NotificationOptions, type Notifier, startNotifier } from './notifier.ts';
import { createRepositories } from './repositories.ts';
import type { ApplicationObject } from './resources.ts';
import { answerCanI } from './rights.ts';
import type { RollingSync } from './rolling-sync.ts';
import { parseSelector } from './selector.ts';

export interface SandboxOptions {
  /** Default: any free one. */
  port?: number;
  /** The bearer token that the API wants. */
  token: string;
  apps: readonly SandboxApp[];
  /** Namespace of the control plane. Default `argocd`. */
  namespace?: string;
  /** Folders to read instead of repository URLs that do not serve Git. */
  aliases?: Readonly<Record<string, string>>;
  /** AppProjects that the token may see; default all. */
  allowedProjects?: readonly string[];
  timing?: Partial<Timing>;
  deploy?: Deploy;
  /** Runs the Jobs of PreSync hooks; without it they succeed at once. */
  runHook?: RunHook;
  rollingSync?: RollingSync;
  /** Versions before 3.1 know only the older address of resource actions. */
  olderActions?: boolean;
  /** AppProjects that the token may not read, only their applications. */
  hiddenProjects?: readonly string[];
  /** Rights that the token lacks: `applications sync`. */
  missingRights?: readonly string[];
  notifications?: NotificationOptions;
  /** Between two signs of life on a stream. Default 15 s. */
  keepAliveMs?: number;
  /** Serves `/sandbox/*` to callers from this machine: counters, faults, health. Default false. */
  admin?: boolean;
}

/** Every exchange once it is over, of every sandbox in this process: for tests that hold them to something. */
export const EXCHANGES = channel('lynceus:sandbox-argocd-exchange');

export interface SandboxArgoCd {
  readonly url: string;
  readonly controller: Controller;
  readonly faults: Faults;
  /** The last 1,000. */
  readonly requests: readonly Exchange[];
  readonly notifier: Notifier | undefined;
  close(): Promise<void>;
}

const MAX_REQUESTS = 1_000;
const MAX_BODY_BYTES = 1024 * 1024;
const USERNAME = 'lynceus';
const PLAIN = 'text/plain; charset=utf-8';

/**
 * An Argo CD for trying things out: the part of its REST API that Lynceus uses, with its manners (and
 * bad manners), over real Git repositories. Only what it deploys to is left to the caller.
 */
export async function startSandboxArgoCd(options: SandboxOptions): Promise<SandboxArgoCd> {
  const namespace = options.namespace ?? 'argocd';
  const repositories = createRepositories(options.aliases);
  const controller = new Controller({
    repositories,
    deploy: options.deploy,
    runHook: options.runHook,
    rollingSync: options.rollingSync,
    timing: { ...TIMING, ...options.timing },
    namespace,
  });
  const faults = createFaults();
  const requests: Exchange[] = [];
  const server = createServer((request, response) => {
    void handle(request, response).catch(() => response.destroy());
  });
  const notifier = options.notifications === undefined ? undefined : startNotifier(controller, options.notifications);
  await controller.start(options.apps);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://sandbox');
    const body = await readBody(request);
    if (options.admin === true && url.pathname.startsWith('/sandbox/')) {
      const answer = await adminRoute(request, url, body, { controller, faults, requests, notifier });
      return send(response, answer.status, answer.body);
    }
    const exchange = newExchange(request, url, body);
    requests.push(exchange);
    requests.splice(0, requests.length - MAX_REQUESTS);
    response.once('close', () => EXCHANGES.publish(exchange));
    const fault = faults.take(exchange.method, url.pathname);
    if (fault !== undefined) exchange.fault = fault.kind;
    if (fault !== undefined && isSpoiled(fault)) exchange.broken = `sandbox: ${fault.kind}`;
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'reset') return void request.socket.resetAndDestroy();
    if (fault?.kind === 'delay') await sleep(fault.delayMs);
    if (fault?.kind === 'answer') return respond(response, exchange, answerOfFault(fault));
    const isStream = url.pathname.startsWith('/api/v1/stream/') && request.headers.accept === 'text/event-stream';
    const answer = await answerTo(request, url, body, response, exchange).catch((error: unknown) =>
      isStream ? asFrame(toAnswer(error)) : toAnswer(error),
    );
    if (answer === 'streaming') return;
    if (fault?.kind === 'cut-answer') return cut(response, exchange, answer);
    if (fault?.kind === 'apply-then-fail' && fault.status === 0) return void request.socket.resetAndDestroy();
    const status = fault?.kind === 'apply-then-fail' ? fault.status : answer.status;
    respond(response, exchange, status === answer.status ? answer : problem(status, 13, 'something went wrong'));
  }

  async function answerTo(
    request: IncomingMessage,
    url: URL,
    body: string,
    response: ServerResponse,
    exchange: Exchange,
  ): Promise<Answer | 'streaming'> {
    // The whole header is compared, parameters included, and also where there is no body.
    if (request.method !== 'GET' && request.headers['content-type']?.toLowerCase() !== 'application/json') {
      return { status: 415, text: 'Invalid content type\n', contentType: PLAIN };
    }
    if (url.pathname === '/api/version') return ok({ Version: 'v3.5.1+sandbox' });
    const authenticated = request.headers.authorization === `Bearer ${options.token}`;
    // Nobody is refused here: who is not known is told nothing.
    if (url.pathname === '/api/v1/session/userinfo')
      return ok(authenticated ? { loggedIn: true, username: USERNAME, iss: 'argocd' } : {});
    if (!authenticated) throw unauthenticated(request.headers.authorization);
    if (url.pathname === '/api/v1/applications' && request.method === 'GET') return list(url.searchParams);
    if (url.pathname === '/api/v1/stream/applications') return stream(request, url, response, exchange);
    const right = /^\/api\/v1\/account\/can-i\/([^/]+)\/([^/]+)\/(.+)$/.exec(url.pathname);
    if (right !== null && request.method === 'GET') {
      const [, resource = '', action = '', object = ''] = right.map(decodeURIComponent);
      return ok({ value: answerCanI(options, resource, action, object) ? 'yes' : 'no' });
    }
    const project = /^\/api\/v1\/projects\/([^/]+)$/.exec(url.pathname)?.[1];
    if (project !== undefined && request.method === 'GET') return readProject(decodeURIComponent(project));
    const [, rawName = '', rest = ''] = /^\/api\/v1\/applications\/([^/]+)(?:\/(.*))?$/.exec(url.pathname) ?? [];
    if (rawName === '') return NO_SUCH_PATH;
    const name = decodeURIComponent(rawName);
    switch (`${request.method} ${rest.replace(/^revisions\/[^/]+\//, 'revisions/*/')}`) {
      case 'GET ':
        return read(name, url.searchParams);
      case 'POST sync':
        return sync(name, parseBody(body));
      case 'DELETE operation': {
        const app = found(name, url.searchParams.get('appNamespace'), url.searchParams.get('project'));
        controller.terminate(name, app.metadata.namespace);
        return ok({});
      }
      case 'GET revisions/*/metadata': {
        const app = found(name, url.searchParams.get('appNamespace'), url.searchParams.get('project'));
        const revision = decodeURIComponent(rest.split('/')[1] ?? '');
        return ok(await controller.revisionMetadata(name, app.metadata.namespace, revision));
      }
      case 'GET syncwindows': {
        const app = found(name, url.searchParams.get('appNamespace'), url.searchParams.get('project'));
        return ok(controller.windowsOf(name, app.metadata.namespace));
      }
      case 'GET resource-tree': {
        const app = found(name, url.searchParams.get('appNamespace'), url.searchParams.get('project'));
        return ok({ nodes: controller.tree(name, app.metadata.namespace) });
      }
      case 'POST resource/actions/v2':
        if (options.olderActions === true) return problem(501, 12, 'Method Not Allowed');
        return act(name, JSON.parse(body) as ActionWish);
      case 'POST resource/actions':
        return act(name, {
          ...(Object.fromEntries(url.searchParams) as object),
          action: JSON.parse(body),
        } as ActionWish);
      default:
        return GET_ONLY.has(rest) || POST_ONLY.has(rest) ? NO_SUCH_METHOD : NO_SUCH_PATH;
    }
  }

  async function act(name: string, wish: ActionWish): Promise<Answer> {
    const app = found(name, wish.appNamespace ?? null, wish.project ?? null);
    await controller.act(name, app.metadata.namespace, wish, wish.action);
    return ok({});
  }

  function readProject(name: string): Answer {
    if (options.hiddenProjects?.includes(name) === true || options.allowedProjects?.includes(name) === false) {
      throw new Refusal(7, `permission denied: projects, get, ${name}, sub: ${USERNAME}, iat: 2026-11-21T16:31:44Z`);
    }
    const syncWindows = controller.windowsOfProject(name);
    return ok({
      metadata: { name, namespace },
      spec: { sourceRepos: ['*'], ...(syncWindows.length === 0 ? {} : { syncWindows }) },
      status: {},
    });
  }

  function mayBeSeen(app: ApplicationObject): boolean {
    return options.allowedProjects?.includes(app.spec.project) ?? true;
  }

  /** Without `project` nobody learns whether an application exists. */
  function found(name: string, appNamespace: string | null, project: string | null): ApplicationObject {
    const app = controller.find(name, appNamespace ?? namespace);
    const isLookedAfter = appNamespace === null || controller.namespaces().has(appNamespace);
    if (!isLookedAfter || (project !== null && options.allowedProjects?.includes(project) === false)) throw DENIED;
    const missing = app === undefined || (project !== null && app.spec.project !== project);
    if (missing && project !== null) throw new Refusal(5, `applications.argoproj.io "${name}" not found`);
    if (missing || !mayBeSeen(app)) throw DENIED;
    return app;
  }

  function selected(query: URLSearchParams, words = 'error parsing the selector') {
    const matches = selectorOf(query, words);
    const projects = query.has('project') ? query.getAll('project') : query.getAll('projects');
    const appNamespace = query.get('appNamespace');
    return (app: ApplicationObject) =>
      mayBeSeen(app) &&
      matches(app.metadata.labels) &&
      (projects.length === 0 || projects.includes(app.spec.project)) &&
      (appNamespace === null || appNamespace === app.metadata.namespace);
  }

  function list(query: URLSearchParams): Answer {
    const items = controller.objects().filter(selected(query));
    // Go writes an empty list as null.
    return ok({
      metadata: { resourceVersion: String(Date.now()) },
      items: items.length === 0 ? null : items.map(wire),
    });
  }

  async function read(name: string, query: URLSearchParams): Promise<Answer> {
    if (query.getAll('project').length > 1) throw new Refusal(3, TWO_PROJECTS);
    const app = found(name, query.get('appNamespace'), query.get('project'));
    if (query.has('refresh')) await controller.refresh(name, app.metadata.namespace);
    return ok(wire(app));
  }

  async function sync(name: string, wish: SyncWish & { appNamespace?: string; project?: string }): Promise<Answer> {
    const app = found(name, wish.appNamespace ?? null, wish.project ?? null);
    return ok(wire(await controller.requestSync(name, app.metadata.namespace, wish, USERNAME)));
  }

  function stream(request: IncomingMessage, url: URL, response: ServerResponse, exchange: Exchange): 'streaming' {
    const isWanted = selected(url.searchParams, 'error parsing labels with selectors');
    const events = request.headers.accept === 'text/event-stream';
    exchange.status = 200;
    exchange.contentType = events ? 'text/event-stream' : 'application/json';
    response.writeHead(200, { 'Content-Type': exchange.contentType });
    let spoken = false;
    const write = (text: string) => {
      spoken = true;
      exchange.responseBody += text;
      response.write(text);
    };
    const tell = ({ type, object }: Change) => {
      if (!isWanted(object)) return;
      const frame = JSON.stringify({ result: { type, application: wire(object) } });
      write(events ? `data: ${frame} \n\n` : `${frame}\n`);
    };
    for (const object of controller.objects()) tell({ type: 'ADDED', object });
    // Before the first frame not even headers are sent, and no signs of life.
    const keepAlive = setInterval(() => events && spoken && write(':\n'), options.keepAliveMs ?? 15_000);
    controller.on('change', tell);
    response.once('close', () => {
      clearInterval(keepAlive);
      controller.off('change', tell);
    });
    return 'streaming';
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    controller,
    faults,
    requests,
    notifier,
    async close() {
      controller.close();
      await notifier?.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await repositories.close();
    },
  };
}

interface ActionWish {
  group?: string;
  kind: string;
  resourceName: string;
  action: string;
  appNamespace?: string;
  project?: string;
}

interface Answer {
  status: number;
  json?: unknown;
  text?: string;
  contentType?: string;
}

/** gRPC code to HTTP status, as grpc-gateway v1 does it: 9 is 400, not 412. */
const HTTP_STATUS: Readonly<Record<number, number>> = { 2: 500, 3: 400, 5: 404, 7: 403, 9: 400, 13: 500, 16: 401 };
const STATUS_WORDS: Readonly<Record<number, string>> = { 401: 'Unauthorized', 500: 'Internal Server Error' };
const NO_SUCH_PATH: Answer = { status: 404, text: 'Not Found\n', contentType: PLAIN };
const NO_SUCH_METHOD: Answer = { status: 405, text: 'Method Not Allowed\n', contentType: PLAIN };
const GET_ONLY: ReadonlySet<string> = new Set(['', 'syncwindows', 'resource-tree']);
const POST_ONLY: ReadonlySet<string> = new Set(['sync', 'resource/actions', 'resource/actions/v2', 'operation']);
const DENIED = new Refusal(7, 'permission denied');
const TWO_PROJECTS = 'multiple projects specified - the get endpoint accepts either zero or one project';

function ok(json: unknown): Answer {
  return { status: 200, json };
}

function problem(status: number, code: number, message: string): Answer {
  return { status, json: { error: message, code, message } };
}

function toAnswer(error: unknown): Answer {
  if (error instanceof Refusal) return problem(HTTP_STATUS[error.code] ?? 500, error.code, error.message);
  return problem(500, 2, error instanceof Error ? error.message : 'unknown error');
}

/** What is no JWT counts as none at all. */
function unauthenticated(header = ''): Refusal {
  const forged = header.split('.').length === 3;
  const words = forged ? 'invalid session: token signature is invalid: signature is invalid' : 'no session information';
  return new Refusal(16, words);
}

/** The REST API leaves out what every application has, and what there is none of. */
function wire({ apiVersion: _, kind: __, ...app }: ApplicationObject): object {
  const { history, ...status } = app.status;
  return {
    ...app,
    status: { ...status, ...(history.length === 0 ? {} : { history }), sourceHydrator: status.sourceHydrator ?? {} },
  };
}

function selectorOf(query: URLSearchParams, words: string): ReturnType<typeof parseSelector> {
  try {
    return parseSelector(query.get('selector') ?? '');
  } catch (error) {
    throw new Refusal(2, `${words}: ${(error as Error).message}`);
  }
}

/** On a stream, a refusal comes as a frame, also before the first. */
function asFrame({ status, json }: Answer): Answer {
  const { code, message } = json as { code: number; message: string };
  const error = { grpc_code: code, http_code: status, message, http_status: STATUS_WORDS[status] ?? '' };
  return { status, text: `data: ${JSON.stringify({ error })} \n\n`, contentType: 'text/event-stream' };
}

/** What leaves an answer behind that Argo CD would not give; its errors and delays are its own. */
function isSpoiled(fault: FaultEffect): boolean {
  if (fault.kind === 'answer') return fault.text !== undefined;
  return fault.kind !== 'delay' && (fault.kind !== 'apply-then-fail' || fault.status === 0);
}

function answerOfFault(fault: FaultEffect & { kind: 'answer' }): Answer {
  if (fault.text === undefined) return problem(fault.status, fault.code ?? 2, fault.message ?? 'something went wrong');
  return { status: fault.status, text: fault.text, contentType: fault.contentType ?? 'text/plain' };
}

function respond(response: ServerResponse, exchange: Exchange, answer: Answer): void {
  const text = answer.text ?? JSON.stringify(answer.json);
  exchange.status = answer.status;
  exchange.contentType = answer.contentType ?? (answer.text === undefined ? 'application/json' : 'text/plain');
  exchange.responseBody = text;
  response.writeHead(answer.status, { 'Content-Type': exchange.contentType }).end(text);
}

function cut(response: ServerResponse, exchange: Exchange, answer: Answer): void {
  const text = answer.text ?? JSON.stringify(answer.json);
  exchange.status = answer.status;
  response.writeHead(answer.status, { 'Content-Type': 'application/json', 'Content-Length': text.length });
  response.write(text.slice(0, text.length / 2), () => response.destroy());
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > MAX_BODY_BYTES) throw new Error('the body is too large');
  }
  return text;
}

/** Go refuses wrong types and ignores unknown fields. */
function parseBody(body: string): SyncWish & { appNamespace?: string; project?: string } {
  let wish: unknown;
  try {
    wish = JSON.parse(body);
  } catch {
    throw new Refusal(3, 'unexpected EOF');
  }
  if (typeof wish !== 'object' || wish === null || Array.isArray(wish)) {
    throw new Refusal(3, 'json: cannot unmarshal array into Go value of type application.ApplicationSyncRequest');
  }
  const { sourcePositions, prune } = wish as { sourcePositions?: unknown[]; prune?: unknown };
  const wrong = (field: string, type: string) =>
    new Refusal(
      3,
      `json: cannot unmarshal string into Go struct field ApplicationSyncRequest.${field} of type ${type}`,
    );
  if (sourcePositions?.some((position) => typeof position !== 'number') === true)
    throw wrong('sourcePositions', 'int64');
  if (typeof prune === 'string') throw wrong('prune', 'bool');
  return wish;
}
