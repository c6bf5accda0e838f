import { channel } from 'node:diagnostics_channel';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
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
  notifications?: NotificationOptions;
  /** Between two signs of life on a stream. Default 15 s. */
  keepAliveMs?: number;
  /** Serves `/sandbox/*` to callers from this machine: counters, faults, health. Default false. */
  admin?: boolean;
}

/** A request and its answer as they went over the wire, without the token. */
export interface Exchange {
  at: string;
  method: string;
  path: string;
  query: Record<string, string[]>;
  headers: Record<string, string>;
  bearer: boolean;
  body: string;
  status: number;
  contentType: string;
  /** Of a stream: what was sent so far. */
  responseBody: string;
  fault?: FaultEffect['kind'];
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
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'reset') return void request.socket.resetAndDestroy();
    if (fault?.kind === 'delay') await sleep(fault.delayMs);
    if (fault?.kind === 'answer') return respond(response, exchange, answerOfFault(fault));
    const answer = await answerTo(request, url, body, response, exchange).catch(toAnswer);
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
      return { status: 415, text: 'Invalid content type\n' };
    }
    if (url.pathname === '/api/version') return ok({ Version: 'v3.5.1+sandbox' });
    if (request.headers.authorization !== `Bearer ${options.token}`)
      return unauthenticated(request.headers.authorization);
    if (url.pathname === '/api/v1/session/userinfo') return ok({ loggedIn: true, username: USERNAME, iss: 'argocd' });
    if (url.pathname === '/api/v1/applications' && request.method === 'GET') return list(url.searchParams);
    if (url.pathname === '/api/v1/stream/applications') return stream(request, url, response, exchange);
    const project = /^\/api\/v1\/projects\/([^/]+)$/.exec(url.pathname)?.[1];
    if (project !== undefined && request.method === 'GET') return readProject(decodeURIComponent(project));
    const [, rawName = '', rest = ''] = /^\/api\/v1\/applications\/([^/]+)(?:\/(.*))?$/.exec(url.pathname) ?? [];
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
        return problem(404, 5, 'Not Found');
    }
  }

  async function act(name: string, wish: ActionWish): Promise<Answer> {
    const app = found(name, wish.appNamespace ?? null, wish.project ?? null);
    await controller.act(name, app.metadata.namespace, wish, wish.action);
    return ok({});
  }

  function readProject(name: string): Answer {
    if (options.hiddenProjects?.includes(name) === true) throw new Refusal(7, 'permission denied: projects, get');
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
    const missing = app === undefined || (project !== null && app.spec.project !== project);
    if (missing && project !== null) throw new Refusal(5, `applications.argoproj.io "${name}" not found`);
    if (missing || !mayBeSeen(app)) throw new Refusal(7, 'permission denied');
    return app;
  }

  function selected(query: URLSearchParams): (app: ApplicationObject) => boolean {
    const matches = parseSelector(query.get('selector') ?? '');
    const projects = query.has('project') ? query.getAll('project') : query.getAll('projects');
    const appNamespace = query.get('appNamespace');
    return (app) =>
      mayBeSeen(app) &&
      matches(app.metadata.labels) &&
      (projects.length === 0 || projects.includes(app.spec.project)) &&
      (appNamespace === null || appNamespace === app.metadata.namespace);
  }

  function list(query: URLSearchParams): Answer {
    const items = controller.objects().filter(selected(query));
    return ok({ metadata: { resourceVersion: String(Date.now()) }, items });
  }

  async function read(name: string, query: URLSearchParams): Promise<Answer> {
    const app = found(name, query.get('appNamespace'), query.get('project'));
    if (query.has('refresh')) await controller.refresh(name, app.metadata.namespace);
    return ok(app);
  }

  async function sync(name: string, wish: SyncWish & { appNamespace?: string; project?: string }): Promise<Answer> {
    const app = found(name, wish.appNamespace ?? null, wish.project ?? null);
    return ok(await controller.requestSync(name, app.metadata.namespace, wish, USERNAME));
  }

  function stream(request: IncomingMessage, url: URL, response: ServerResponse, exchange: Exchange): 'streaming' {
    const isWanted = selected(url.searchParams);
    const events = request.headers.accept === 'text/event-stream';
    exchange.status = 200;
    exchange.contentType = events ? 'text/event-stream' : 'application/json';
    response.writeHead(200, { 'Content-Type': exchange.contentType });
    const write = (text: string) => {
      exchange.responseBody += text;
      response.write(text);
    };
    const tell = ({ type, object }: Change) => {
      if (!isWanted(object)) return;
      const frame = JSON.stringify({ result: { type, application: object } });
      write(events ? `data: ${frame} \n\n` : `${frame}\n`);
    };
    for (const object of controller.objects()) tell({ type: 'ADDED', object });
    const keepAlive = setInterval(() => events && write(':\n'), options.keepAliveMs ?? 15_000);
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
const HTTP_STATUS: Readonly<Record<number, number>> = { 2: 500, 3: 400, 5: 404, 7: 403, 9: 400, 16: 401 };

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

function unauthenticated(header: string | undefined): Answer {
  return problem(401, 16, header === undefined ? 'no session information' : 'invalid session: signature is invalid');
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

function newExchange(request: IncomingMessage, url: URL, body: string): Exchange {
  const { authorization, ...headers } = request.headers;
  return {
    at: new Date().toISOString(),
    method: request.method ?? '',
    path: url.pathname,
    query: Object.fromEntries([...new Set(url.searchParams.keys())].map((key) => [key, url.searchParams.getAll(key)])),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    bearer: authorization?.startsWith('Bearer ') ?? false,
    body,
    status: 0,
    contentType: '',
    responseBody: '',
  };
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
    throw new Refusal(3, 'invalid character in the body');
  }
  if (typeof wish !== 'object' || wish === null) throw new Refusal(3, 'json: cannot unmarshal into a sync request');
  const { sourcePositions } = wish as { sourcePositions?: unknown[] };
  if (sourcePositions?.some((position) => typeof position !== 'number') === true) {
    throw new Refusal(3, 'json: cannot unmarshal string into Go struct field of type int64');
  }
  return wish;
}
