import { createServer, IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import express, { type Express, type RequestHandler, type Router } from 'express';
import type { Log } from '../runtime/log.ts';
import { routesOf } from './access.ts';
import { expressLane, type Lane } from './express-lane.ts';
import type { FrameOf } from './pages/frame.ts';
import { type ProblemAnswer, problemBody, problemHandler, RETRY_AFTER_SECONDS, Refusal } from './problem.ts';
import { type Header, responseWith, safeHeaders } from './safe-headers.ts';

/** Who needs longer than this for a header or a body is not one of our senders. */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const LOOK_EVERY_MS = 1_000;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 10_000;

export interface FrontDoor {
  /** Where people open this service. */
  publicUrl?: string | undefined;
  /** Origins whose pages may show ours in a frame; none otherwise. */
  frameAncestors?: readonly string[];
  /** What pages about errors are drawn with; without it they know nobody. */
  frameOf?: FrameOf;
}

export interface HttpApp {
  express: Express;
  lane: Lane;
  born: ReturnType<typeof bornForExpress>;
}

/** All routes behind one front door. */
export function createHttpApp(routers: readonly Router[], log: Log, door: FrontDoor = {}): HttpApp {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.set('etag', false);
  const failed = problemHandler(log, door.frameOf);
  app.use(refuseNul);
  for (const router of routers) app.use(router);
  for (const [path, methods] of methodsByPath(routers)) app.all(path, otherMethods(path, methods));
  app.use((request) => {
    throw new Refusal(
      404,
      'not-found',
      `${request.method} ${withoutToken(request.path)} is not an address of Lynceus; see /api/v1/openapi.json`,
    );
  });
  app.use(failed);
  const born = bornForExpress(app, safeHeaders(door.publicUrl, door.frameAncestors ?? []));
  return { express: app, lane: expressLane(beforeMiddleware(routers), failed), born };
}

function beforeMiddleware(routers: readonly Router[]): readonly Router[] {
  const end = routers.findIndex(({ stack }) => stack.some(({ route }) => route === undefined));
  return end === -1 ? routers : routers.slice(0, end);
}

/** Flagger shows people what it is answered, and its addresses carry a token. */
function withoutToken(path: string): string {
  return path.replace(/^(\/api\/v1\/integrations\/flagger\/)[^/]+/i, '$1<token>');
}

function methodsByPath(routers: readonly Router[]): Map<string, string[]> {
  const paths = new Map<string, string[]>();
  for (const { method, path } of routesOf(routers)) paths.set(path, [...(paths.get(path) ?? []), method]);
  return paths;
}

/** Argo CD's notifier sends GET when its template forgets the method: say so, instead of "not found". */
function otherMethods(path: string, methods: readonly string[]): RequestHandler {
  return (request, response) => {
    response.setHeader('Allow', methods.join(', '));
    throw new Refusal(405, 'method-not-allowed', `${path} takes ${methods.join(' and ')}, not ${request.method}`);
  };
}

/** No name that we know holds one, and PostgreSQL takes none in a text. */
const refuseNul: RequestHandler = (request, _response, next) => {
  if (request.url.includes('%00')) throw new Refusal(400, 'invalid-request', 'the address holds a NUL character (%00)');
  next();
};

export interface ServerLimits {
  /** Until a request has arrived whole, and its headers; answers may take as long as they like. */
  requestMs?: number;
  headersMs?: number;
  /** How often that is looked at. */
  lookEveryMs?: number;
}

/** A server that lets nobody hold a connection open for nothing. */
export function createHttpServer({ express: app, lane, born }: HttpApp, limits: ServerLimits = {}): Server {
  const server = createServer(
    {
      ...born,
      headersTimeout: limits.headersMs ?? HEADERS_TIMEOUT_MS,
      requestTimeout: limits.requestMs ?? REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: limits.lookEveryMs ?? LOOK_EVERY_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    (request, response) => {
      if (!lane(request, response)) app(request, response);
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on('clientError', refuseRaw);
  return server;
}

/**
 * Express gives each request and response its methods by exchanging the prototype, which throws away
 * what V8 knows about the object. Objects that are born with that prototype stay quick.
 */
function bornForExpress(app: Express, headers: readonly Header[]) {
  class ExpressRequest extends IncomingMessage {}
  const ExpressResponse = responseWith(headers);
  app.request = Object.setPrototypeOf(ExpressRequest.prototype, app.request);
  app.response = Object.setPrototypeOf(ExpressResponse.prototype, app.response);
  return { IncomingMessage: ExpressRequest, ServerResponse: ExpressResponse };
}

/** What Node refuses before a route is found is told in the same manner. */
function refuseRaw(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  if (socket instanceof Socket && socket.bytesRead === 0) return void closeUnlessAsked(socket);
  const answer = rawAnswer(error.code);
  const body = problemBody(answer);
  const head = [
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(answer.status === 503 ? [`Retry-After: ${RETRY_AFTER_SECONDS}`] : []),
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

/**
 * Browsers connect ahead: told something, they would take it for the answer to what they ask for next. What came while
 * this process was busy or frozen is read, and answered, before its turn is over.
 */
function closeUnlessAsked(socket: Socket): void {
  setImmediate(() => {
    if (socket.bytesRead === 0) socket.destroy();
  });
}

function rawAnswer(code: string | undefined): ProblemAnswer {
  if (code === 'HPE_HEADER_OVERFLOW')
    return { status: 431, code: 'too-large', detail: `the headers are larger than ${MAX_HEADER_BYTES} bytes` };
  // Not 408: the sender may be slow, but we may have been busy ourselves, and Argo CD repeats only after 5xx.
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const [headers, whole] = [HEADERS_TIMEOUT_MS / 1000, REQUEST_TIMEOUT_MS / 1000];
    const detail = `the request did not arrive within ${whole} s, or its headers within ${headers} s: send it again`;
    return { status: 503, code: 'overloaded', detail };
  }
  return { status: 400, code: 'invalid-request', detail: 'this is not HTTP/1.1' };
}
