import { createServer, type Server } from 'node:http';
import express, { type Express, type RequestHandler, type Router } from 'express';
import type { Log } from '../runtime/log.ts';
import { problemHandler, Refusal } from './problem.ts';

/** Who needs longer than this for a header or a body is not one of our senders. */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 10_000;

/** All routes behind one front door. */
export function createHttpApp(routers: readonly Router[], log: Log): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.set('etag', false);
  app.use(safeHeaders);
  for (const router of routers) app.use(router);
  app.use((request) => {
    throw new Refusal(
      404,
      'not-found',
      `${request.method} ${request.path} is not an address of Lynceus; see /api/v1/openapi.json`,
    );
  });
  app.use(problemHandler(log));
  return app;
}

const safeHeaders: RequestHandler = (_request, response, next) => {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  next();
};

/** A server that lets nobody hold a connection open for nothing. */
export function createHttpServer(app: Express): Server {
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    app,
  );
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}
