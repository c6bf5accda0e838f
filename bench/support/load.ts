import { connect, type Socket } from 'node:net';
import { answerReader } from './answers.ts';

/**
 * Sends `amount` requests over `connections` connections, each as soon as the one before was answered,
 * and prints how it went. It shares the machine with what it measures, so it is as light as it can be: bare sockets,
 * and all requests are written out beforehand.
 */
export interface Load {
  url: string;
  headers: Record<string, string>;
  bodies: Bodies;
  amount: number;
  connections: number;
  /** So many bodies as one JSON array in each request; absent: one body each. */
  batch?: number;
}

/** Every body is the template with its placeholder replaced by the prefix and a number. */
export interface Bodies {
  template: string;
  placeholder: string;
  prefix: string;
  /** Replaced by a number below `several`: things that come back, e.g. applications. */
  repeated?: { placeholder: string; several: number };
}

export interface LoadResult {
  /** Bodies, however many went together. */
  perSecond: number;
  seconds: number;
  /** Of the answers, in milliseconds. */
  p50: number;
  p99: number;
  max: number;
  /** Answers other than 2xx, and requests without one. */
  failed: number;
}

const TIMEOUT_MS = 10_000;
const BUFFER_BYTES = 16 * 1024;

const load = JSON.parse(process.argv[2] ?? '{}') as Load;
const url = new URL(load.url);
const batch = load.batch ?? 1;
const requests = Array.from({ length: Math.ceil(load.amount / batch) }, (_, number) => requestOf(number));
const latencies: number[] = [];
let sent = 0;
let finished = 0;
let failed = 0;

process.once('SIGTERM', () => process.exit(1));
const starts = await Promise.all(Array.from({ length: load.connections }, openConnection));
const began = performance.now();
for (const start of starts) start();

/** Answers how to start, once it is open. */
function openConnection(): Promise<() => void> {
  return new Promise((resolve, reject) => {
    let sentAt: number | undefined;
    const read = answerReader(({ status, last }) => {
      if (sentAt === undefined) throw new Error('an answer that nobody asked for');
      settle(sentAt, status >= 200 && status < 300);
      sentAt = undefined;
      if (last) socket.destroy();
      else sendNext();
    });
    const socket: Socket = connect({
      host: url.hostname,
      port: Number(url.port),
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(BUFFER_BYTES),
        callback: (bytes, buffer) => {
          read((buffer as Buffer).toString('latin1', 0, bytes));
          return true;
        },
      },
    });
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    socket.once('connect', () => resolve(sendNext));
    socket.once('error', (error) => {
      console.error(`${load.url}: ${error.message}`);
      reject(error);
    });
    socket.once('close', () => {
      if (sentAt !== undefined) settle(sentAt, false);
      if (sent < requests.length) openConnection().then((start) => start(), giveUp);
    });

    function sendNext(): void {
      const request = requests[sent];
      if (request === undefined) return;
      sent += 1;
      sentAt = performance.now();
      socket.write(request);
    }
  });
}

function settle(sentAt: number, well: boolean): void {
  const now = performance.now();
  latencies.push(now - sentAt);
  if (!well) failed += 1;
  finished += 1;
  if (finished === requests.length) report((now - began) / 1000);
}

function report(seconds: number): void {
  latencies.sort((one, other) => one - other);
  const quantile = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  const [p50, p99, max] = [quantile(0.5), quantile(0.99), quantile(1)];
  console.log(
    JSON.stringify({
      perSecond: (requests.length * batch) / seconds,
      seconds,
      p50,
      p99,
      max,
      failed,
    } satisfies LoadResult),
  );
  process.exit(0);
}

function giveUp(): never {
  process.exit(1);
}

function requestOf(number: number): Buffer {
  const body = load.batch === undefined ? bodyOf(number) : `[${several(number * batch).join(',')}]`;
  const headers = {
    Host: url.host,
    Connection: 'keep-alive',
    ...load.headers,
    'Content-Length': Buffer.byteLength(body),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${url.pathname} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}

function several(from: number): string[] {
  return Array.from({ length: batch }, (_, at) => bodyOf(from + at));
}

function bodyOf(number: number): string {
  const { template, placeholder, prefix, repeated } = load.bodies;
  const body = template.replaceAll(placeholder, `${prefix}${number}`);
  return repeated === undefined ? body : body.replaceAll(repeated.placeholder, String(number % repeated.several));
}
