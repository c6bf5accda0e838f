import autocannon from 'autocannon';

/**
 * Sends `amount` requests over `connections` connections, each as soon as the one before was answered,
 * and prints how it went. All requests are built beforehand: this process shares the machine with what
 * it measures.
 */
export interface Load {
  url: string;
  headers: Record<string, string>;
  bodies: Bodies;
  amount: number;
  connections: number;
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
  perSecond: number;
  seconds: number;
  /** Of the answers, in milliseconds. */
  p50: number;
  p99: number;
  max: number;
  /** Answers other than 2xx, and requests without one. */
  failed: number;
}

const load = JSON.parse(process.argv[2] ?? '{}') as Load;
const perConnection = Math.ceil(load.amount / load.connections);
let made = 0;
let finished = 0;

const running = autocannon(
  {
    url: load.url,
    method: 'POST',
    connections: load.connections,
    amount: load.amount,
    sampleInt: 100,
    headers: load.headers,
    setupClient(client) {
      client.setRequests(Array.from({ length: perConnection }, () => ({ body: bodyOf(made++) })));
      (client as unknown as NodeJS.EventEmitter).once('done', () => {
        finished = performance.now();
      });
    },
  },
  (_error, { latency, non2xx, errors, timeouts, mismatches }) => {
    const seconds = (finished - began) / 1000;
    const result: LoadResult = {
      perSecond: load.amount / seconds,
      seconds,
      p50: latency.p50,
      p99: latency.p99,
      max: latency.max,
      failed: non2xx + errors + timeouts + mismatches,
    };
    console.log(JSON.stringify(result));
    process.exit(0);
  },
);
// The connections were opened just now and nothing has been sent yet.
const began = performance.now();
process.once('SIGTERM', () => {
  (running as unknown as { stop(): void }).stop();
  process.exit(1);
});

function bodyOf(number: number): string {
  const { template, placeholder, prefix, repeated } = load.bodies;
  const body = template.replaceAll(placeholder, `${prefix}${number}`);
  return repeated === undefined ? body : body.replaceAll(repeated.placeholder, String(number % repeated.several));
}
