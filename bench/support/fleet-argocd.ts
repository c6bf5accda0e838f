import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fleetApplication } from './fleet-application.ts';

/**
 * The API of an Argo CD with thousands of applications, as a process of its own: what it answers is written out
 * beforehand, what it is asked is counted. `/fleet/move?applications=n&revision=sha` lets the first n of them move,
 * `/fleet/applications` shows them uncounted.
 */
const { applications, repoUrl, revision } = JSON.parse(process.argv[2] ?? '{}') as FleetOptions;

export interface FleetOptions {
  applications: number;
  repoUrl: string;
  /** That all of them run at the start. */
  revision: string;
}

export interface FleetCounts {
  lists: number;
  reads: number;
  streams: number;
  changes: number;
  /** When each list was asked for: milliseconds since 1970. */
  listedAt: number[];
  /** Of all answers and streams. */
  bytes: number;
}

const counts: FleetCounts = { lists: 0, reads: 0, streams: 0, changes: 0, listedAt: [], bytes: 0 };
const began = new Date(Date.now() - 3_600_000);
const objects = Array.from({ length: applications }, (_, at) =>
  JSON.stringify(fleetApplication({ at, repoUrl, revision, deployedAt: began })),
);
const streams = new Set<ServerResponse>();

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://fleet');
  if (url.pathname.startsWith('/fleet/')) return void control(url, response);
  if (request.method !== 'GET') {
    counts.changes++;
    return say(response, 403, '{"error":"permission denied","code":7,"message":"permission denied"}');
  }
  if (url.pathname === '/api/v1/applications') return list(response);
  if (url.pathname === '/api/v1/stream/applications') return follow(request, response);
  counts.reads++;
  const at = Number(/^\/api\/v1\/applications\/service-(\d+)$/.exec(url.pathname)?.[1]);
  const object = objects[at];
  if (object === undefined) return say(response, 403, '{"error":"permission denied","code":7,"message":"denied"}');
  say(response, 200, object);
});

function list(response: ServerResponse): void {
  counts.lists++;
  counts.listedAt.push(Date.now());
  const head = `{"metadata":{"resourceVersion":"1"},"items":[`;
  say(response, 200, `${head}${objects.join(',')}]}`);
}

function follow(request: IncomingMessage, response: ServerResponse): void {
  counts.streams++;
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  streams.add(response);
  const signOfLife = setInterval(() => response.write(':\n'), 15_000);
  request.once('close', () => {
    clearInterval(signOfLife);
    streams.delete(response);
  });
  for (const object of objects) tell(response, 'ADDED', object);
}

function tell(response: ServerResponse, type: string, object: string): void {
  const frame = `data: {"result":{"type":"${type}","application":${object}}} \n\n`;
  counts.bytes += frame.length;
  response.write(frame);
}

function control(url: URL, response: ServerResponse): void {
  if (url.pathname === '/fleet/move') {
    move(Number(url.searchParams.get('applications')), url.searchParams.get('revision') ?? '');
  }
  const answer = url.pathname === '/fleet/applications' ? `[${objects.join(',')}]` : JSON.stringify(counts);
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(answer);
}

/** Argo CD has deployed this commit by itself. */
function move(several: number, moved: string): void {
  for (let at = 0; at < several; at++) {
    const object = JSON.stringify(fleetApplication({ at, repoUrl, revision: moved, deployedAt: new Date() }));
    objects[at] = object;
    for (const stream of streams) tell(stream, 'MODIFIED', object);
  }
}

function say(response: ServerResponse, status: number, text: string): void {
  counts.bytes += text.length;
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(text);
}

server.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  console.log(JSON.stringify({ url, bytes: objects.reduce((sum, { length }) => sum + length, 0) }));
});
process.once('SIGTERM', () => process.exit(0));
