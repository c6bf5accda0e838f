import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFaults, type Faults } from '../argocd/faults.ts';
import { parseSelector } from '../argocd/selector.ts';
import { type Exchange, newExchange } from '../exchange.ts';
import { asStored, type KubernetesObject } from './objects.ts';
import { ApiError, type Change, KINDS, type Kind, type ObjectStore } from './store.ts';
import { bookmarkOf, typeFor } from './watching.ts';

export interface ApiOptions {
  token: string;
  /** Rights that the token lacks: `patch kustomizations`. */
  forbidden?: readonly string[];
  /** Between two bookmarks of a watch. Default 60 s. */
  bookmarkMs?: number;
}

export interface KubernetesApiServer {
  readonly url: string;
  readonly faults: Faults;
  /** The last 1,000, without the token. */
  readonly requests: readonly Exchange[];
  /** Ends every watch, as a server that is restarted does. */
  endWatches(): void;
  close(): Promise<void>;
}

const MAX_REQUESTS = 1_000;
const MERGE_PATCH = 'application/merge-patch+json';
/** Custom resources know no strategic merge. */
const PATCH_TYPES = ['application/json-patch+json', MERGE_PATCH, 'application/apply-patch+yaml'];
const RESOURCE = /^\/apis\/([^/]+)\/([^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?$/;
const REVIEW = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/** The part of the Kubernetes API that a client of Flux uses, with its manners. */
export async function startKubernetesApi(store: ObjectStore, options: ApiOptions): Promise<KubernetesApiServer> {
  const faults = createFaults();
  const requests: Exchange[] = [];
  const watches = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    void handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://sandbox');
    const exchange = newExchange(request, url, await readBody(request));
    requests.push(exchange);
    requests.splice(0, requests.length - MAX_REQUESTS);
    const fault = faults.take(exchange.method, url.pathname);
    if (fault) exchange.fault = fault.kind;
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'reset') return void request.socket.resetAndDestroy();
    if (fault?.kind === 'delay') await sleep(fault.delayMs);
    if (fault?.kind === 'answer') {
      const status = new ApiError(fault.status, 'Unknown', fault.message ?? 'something went wrong');
      return respond(response, exchange, fault.status, fault.text ?? statusOf(status), fault.contentType);
    }
    try {
      if (request.headers.authorization !== `Bearer ${options.token}`) {
        throw new ApiError(401, 'Unauthorized', 'Unauthorized');
      }
      const answer = answerTo(exchange, url, response);
      if (answer === undefined) return;
      if (fault?.kind === 'apply-then-fail' && fault.status === 0) return void request.socket.resetAndDestroy();
      if (fault?.kind === 'apply-then-fail') throw new ApiError(fault.status, 'InternalError', 'something went wrong');
      respond(response, exchange, request.method === 'POST' ? 201 : 200, JSON.stringify(answer));
    } catch (error) {
      if (error instanceof UnknownPath) return respond(response, exchange, 404, '404 page not found\n', 'text/plain');
      const refusal = error instanceof ApiError ? error : new ApiError(500, 'InternalError', String(error));
      respond(response, exchange, refusal.code, statusOf(refusal));
    }
  }

  /** The object to answer, or `undefined` for a watch, which goes on. */
  function answerTo(exchange: Exchange, url: URL, response: ServerResponse): object | undefined {
    if (url.pathname === '/version') return { major: '1', minor: '34', gitVersion: 'v1.34.0+sandbox' };
    if (url.pathname === REVIEW && exchange.method === 'POST') return review(JSON.parse(exchange.body));
    const [, group, version, namespace, plural, name] = RESOURCE.exec(url.pathname) ?? [];
    const kind = (Object.keys(KINDS) as Kind[]).find(
      (one) => KINDS[one].group === group && KINDS[one].version === version && KINDS[one].plural === plural,
    );
    if (!kind) throw new UnknownPath();
    const inNamespace = namespace === undefined ? undefined : decodeURIComponent(namespace);
    if (name === undefined) {
      const watching = url.searchParams.get('watch') === 'true';
      allow(watching ? 'watch' : 'list', KINDS[kind].plural);
      const isWanted = selected(url.searchParams, inNamespace);
      if (watching) return watch(kind, isWanted, url.searchParams, response, exchange);
      return list(kind, isWanted, url.searchParams);
    }
    if (exchange.method === 'GET') {
      allow('get', KINDS[kind].plural);
      return asStored(store.get(kind, inNamespace ?? '', decodeURIComponent(name)));
    }
    if (exchange.method !== 'PATCH')
      throw new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method');
    allow('patch', KINDS[kind].plural);
    return patch(kind, inNamespace ?? '', decodeURIComponent(name), exchange, url.searchParams);
  }

  function allow(verb: string, plural: string): void {
    if (!options.forbidden?.includes(`${verb} ${plural}`)) return;
    throw new ApiError(403, 'Forbidden', `${plural} is forbidden: User "lynceus" cannot ${verb} resource "${plural}"`);
  }

  function review(body: { spec?: { resourceAttributes?: { verb?: string; resource?: string } } }): object {
    const { verb = '', resource = '' } = body.spec?.resourceAttributes ?? {};
    return { ...body, status: { allowed: !options.forbidden?.includes(`${verb} ${resource}`) } };
  }

  function list(kind: Kind, isWanted: (object: KubernetesObject) => boolean, query: URLSearchParams): object {
    const limit = Number(query.get('limit') ?? 0) || Number.MAX_SAFE_INTEGER;
    const [offset, version] = (query.get('continue') ?? `0/${store.version}`).split('/');
    if (store.since(Number(version)) === undefined) throw expired();
    const all = store.all(kind).filter(isWanted);
    const from = Number(offset);
    const left = all.length > from + limit;
    return {
      apiVersion: `${KINDS[kind].group}/${KINDS[kind].version}`,
      kind: `${kind}List`,
      metadata: {
        resourceVersion: version,
        ...(left ? { continue: `${from + limit}/${version}` } : {}),
        // Nobody counts what a selector has not looked at yet.
        ...(left && !query.has('labelSelector') ? { remainingItemCount: all.length - from - limit } : {}),
      },
      items: all.slice(from, from + limit).map(asStored),
    };
  }

  function patch(kind: Kind, namespace: string, name: string, exchange: Exchange, query: URLSearchParams): object {
    const [type = ''] = (exchange.headers['content-type'] ?? '').split(';');
    if (!PATCH_TYPES.includes(type)) {
      throw new ApiError(
        415,
        'UnsupportedMediaType',
        `the body of the request was in an unknown format - accepted media types include: ${PATCH_TYPES.join(', ')}`,
      );
    }
    if (type !== MERGE_PATCH) {
      throw new ApiError(400, 'BadRequest', 'error decoding patch: cannot unmarshal object into a list of operations');
    }
    const manager = query.get('fieldManager') ?? 'unknown';
    return asStored(store.patch(kind, namespace, name, JSON.parse(exchange.body), manager));
  }

  function watch(
    kind: Kind,
    isWanted: (object: KubernetesObject) => boolean,
    query: URLSearchParams,
    response: ServerResponse,
    exchange: Exchange,
  ): undefined {
    Object.assign(exchange, { status: 200, contentType: 'application/json' });
    response.writeHead(200, { 'Content-Type': 'application/json' });
    const write = (type: string, object: object) => void response.write(`${JSON.stringify({ type, object })}\n`);
    let reached: string | undefined;
    const tell = (change: Change) => {
      if (change.object.kind !== kind) return;
      reached = change.object.metadata.resourceVersion;
      const type = typeFor(change, isWanted);
      if (type) write(type, asStored(change.object));
    };
    const missed = store.since(Number(query.get('resourceVersion') ?? 0));
    if (!missed) {
      write('ERROR', JSON.parse(statusOf(expired())) as object);
      response.end();
      return;
    }
    missed.forEach(tell);
    store.on('change', tell);
    watches.add(response);
    // As long as nothing of the kind has changed, there is nothing to say.
    const bookmark = setInterval(() => {
      if (reached !== undefined) write('BOOKMARK', bookmarkOf(kind, reached));
    }, options.bookmarkMs ?? 60_000);
    const end = setTimeout(() => response.end(), Number(query.get('timeoutSeconds') ?? 1800) * 1000);
    response.once('close', () => {
      clearInterval(bookmark);
      clearTimeout(end);
      watches.delete(response);
      store.off('change', tell);
    });
    return;
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    requests,
    endWatches() {
      for (const response of watches) response.end();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function selected(query: URLSearchParams, namespace: string | undefined): (object: KubernetesObject) => boolean {
  const matches = parseSelector(query.get('labelSelector') ?? '');
  return ({ metadata }) => matches(metadata.labels) && (namespace === undefined || metadata.namespace === namespace);
}

/** Groups and versions that nobody serves are answered without a `Status`. */
class UnknownPath extends Error {}

function expired(): ApiError {
  return new ApiError(410, 'Expired', 'The provided continue parameter or resource version is too old');
}

function statusOf({ code, reason, message }: ApiError): string {
  return JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code });
}

function respond(response: ServerResponse, exchange: Exchange, status: number, text: string, type?: string): void {
  Object.assign(exchange, { status, contentType: type ?? 'application/json', responseBody: text });
  response.writeHead(status, { 'Content-Type': exchange.contentType }).end(text);
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
