import { createServer } from 'node:http';

/**
 * The shop: a small web application with real metrics, run as one process per stage. What it is told by
 * its environment is what a container would get from its manifest.
 */
const version = process.env['VERSION'] ?? '0';
const stage = process.env['STAGE'] ?? 'none';
/** A slow version does this much waiting for every answer. */
const delayMs = Number(process.env['DELAY_MS'] ?? 0);
const port = Number(process.env['PORT'] ?? 0);

/** Upper bounds in milliseconds, as Keptn's built-in queries expect them. */
const BUCKETS = [5, 10, 25, 50, 100, 250, 500, 1000, Number.POSITIVE_INFINITY];
const counts = new Map<number, number>();
const buckets = BUCKETS.map(() => 0);
let sum = 0;

const server = createServer((request, response) => {
  if (request.url === '/healthz') return void response.end('ok\n');
  if (request.url === '/version') return void response.end(`${version}\n`);
  if (request.url === '/metrics') {
    response.setHeader('Content-Type', 'text/plain; version=0.0.4');
    return void response.end(metrics());
  }
  const began = performance.now();
  setTimeout(() => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ shop: 'sandbox', version, stage }));
    record(200, performance.now() - began);
  }, delayMs);
});

function record(status: number, ms: number): void {
  counts.set(status, (counts.get(status) ?? 0) + 1);
  sum += ms;
  for (const [at, bound] of BUCKETS.entries()) if (ms <= bound) buckets[at] = (buckets[at] ?? 0) + 1;
}

function metrics(): string {
  const labels = `service="checkout",stage="${stage}"`;
  const lines = [
    '# TYPE http_requests_total counter',
    ...[200, 500].map((status) => `http_requests_total{${labels},status="${status}"} ${counts.get(status) ?? 0}`),
    '# TYPE http_response_time_milliseconds histogram',
    ...BUCKETS.map(
      (bound, at) =>
        `http_response_time_milliseconds_bucket{${labels},le="${Number.isFinite(bound) ? bound : '+Inf'}"} ${buckets[at]}`,
    ),
    `http_response_time_milliseconds_sum{${labels}} ${sum}`,
    `http_response_time_milliseconds_count{${labels}} ${buckets.at(-1)}`,
  ];
  return `${lines.join('\n')}\n`;
}

server.listen(port, '127.0.0.1');
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
