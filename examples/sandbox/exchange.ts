import type { IncomingMessage } from 'node:http';
import type { FaultEffect } from './argocd/faults.ts';

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
  /** Why nobody ever answers so: it was spoiled on purpose, and is not held to anything. */
  broken?: string;
}

/** What was asked, before it is answered. The token itself is not kept. */
export function newExchange(request: IncomingMessage, url: URL, body: string): Exchange {
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
