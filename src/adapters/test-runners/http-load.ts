import type autocannon from 'autocannon';
import type { Client, Instance } from 'autocannon';
import { AdapterError } from '../../base/adapter-error.ts';
import type { HttpTest } from '../../definitions/delivery.ts';
import type { HttpTarget } from './http-target.ts';
import type { TestRunOptions } from './test-runner.ts';

const REQUEST_LIMIT_S = 10;
/** How often autocannon looks whether it shall stop; its default of 1 s makes every test a second longer. */
const SAMPLE_MS = 100;
const PROGRESS_MS = 500;
/** A target that answers nothing at all is given up after this long: the verdict cannot change. */
const SILENT_LIMIT_MS = 20_000;
/** Longest run that is counted in requests instead of time. */
const RUN_LIMIT_MS = 30 * 60_000;
/** Bodies are read to their end but not further than this, so that an endless one fills no memory. */
const MAX_BODY_BYTES = 5 * 1024 * 1024;
/** Refused connections fail in microseconds: many in a row mean that nobody is there any more. */
const MAX_LOST_IN_A_ROW = 500;
/** What is under way when the time is over counts as failed if it has waited clearly longer than others. */
const PATIENCE_MS = 1_000;
/** Latencies kept one by one for exact percentiles: 8 bytes each. */
const MAX_LATENCIES = 2_000_000;

/** What was measured. */
export interface Load {
  /** Milliseconds of every answer, whatever its status. */
  latencies: number[];
  answered: number;
  /** Answered, or known to have failed. */
  requests: number;
  failed: number;
  /** 0..1; 1 when nothing was answered. */
  errorRate: number;
  /** How often by reason: `status 500`, `ECONNREFUSED`. */
  reasons: Map<string, number>;
  seconds: number;
  start: string;
  end: string;
}

/**
 * Applies the load with autocannon. The counts and times are our own, per connection: autocannon
 * forgets requests whose connection the server closes without an answer, times what follows such a
 * loss wrongly, and knows no 95th percentile.
 *
 * @throws {AdapterError} `cancelled`: given up on the way
 */
export async function applyLoad(target: HttpTarget, spec: HttpTest, options: TestRunOptions): Promise<Load> {
  if (options.signal.aborted) throw cancelled();
  const tally = createTally(spec);
  // Loaded when the first test runs: it would make up a fifth of the memory of an idle service.
  const { default: load } = await import('autocannon');
  const startedAt = Date.now();
  const clock = performance.now();
  await runUntilDone(load, target, spec, tally, options, () => performance.now() - clock);
  if (options.signal.aborted) throw cancelled();
  // A run that is counted in requests is over with its last one, up to a sample before autocannon says so.
  const until = spec.requests === undefined ? performance.now() : tally.lastAt();
  return tally.finish((until - clock) / 1000, new Date(startedAt).toISOString());
}

function cancelled(): AdapterError {
  return new AdapterError('cancelled', 'the test was given up');
}

function runUntilDone(
  load: typeof autocannon,
  target: HttpTarget,
  spec: HttpTest,
  tally: Tally,
  { signal, onProgress }: TestRunOptions,
  elapsedMs: () => number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const instance: Instance = load(optionsFor(target, spec, tally), (error: unknown) => {
      clearInterval(watch);
      signal.removeEventListener('abort', stop);
      if (error) reject(new AdapterError('rejected', `the load could not be generated: ${String(error)}`));
      else resolve();
    });
    const stop = () => instance.stop();
    const watch = setInterval(() => {
      onProgress(tally.progress(elapsedMs()));
      if (tally.isHopeless(elapsedMs()) || elapsedMs() > RUN_LIMIT_MS) stop();
    }, PROGRESS_MS);
    tally.onHopeless = stop;
    signal.addEventListener('abort', stop, { once: true });
  });
}

function optionsFor(
  target: HttpTarget,
  spec: HttpTest,
  tally: Tally,
): autocannon.Options & { skipAggregateResult: true } {
  const { requests, durationMs = 0 } = spec;
  return {
    url: target.url,
    method: spec.method as autocannon.Request['method'] & string,
    headers: withHost(spec.headers, target.hostHeader),
    ...(target.serverName === undefined ? {} : { servername: target.serverName }),
    connections: Math.min(spec.connections, requests ?? spec.connections),
    ...(requests === undefined ? { duration: durationMs / 1000 } : { amount: requests }),
    timeout: REQUEST_LIMIT_S,
    sampleInt: SAMPLE_MS,
    setupClient: tally.follow,
    // Its own summary is of no use here and takes time over the histograms.
    skipAggregateResult: true,
  };
}

function withHost(headers: Record<string, string>, host: string): Record<string, string> {
  return Object.keys(headers).some((name) => name.toLowerCase() === 'host') ? headers : { ...headers, Host: host };
}

interface Tally {
  follow: (client: Client) => void;
  /** Called at once when many requests in a row fail. */
  onHopeless: () => void;
  isHopeless(elapsedMs: number): boolean;
  progress(elapsedMs: number): { fraction: number; sentence: string };
  /** When a request was last answered or lost, by the monotonic clock. */
  lastAt(): number;
  finish(seconds: number, start: string): Load;
}

/** One connection's present request. */
interface Pending {
  since: number;
  /** Sent on a connection that the server had said it would close: it never got there. */
  stillborn: boolean;
}

function createTally(spec: HttpTest): Tally {
  const latencies: number[] = [];
  const reasons = new Map<string, number>();
  const underWay = new Set<Pending>();
  let [answered, unexpected, lost, lostInARow, slowest] = [0, 0, 0, 0, 0];
  let lastAt = performance.now();

  const note = (reason: string) => reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  const answer = (status: number, latencyMs: number) => {
    answered++;
    lastAt = performance.now();
    lostInARow = 0;
    slowest = Math.max(slowest, latencyMs);
    if (latencies.length < MAX_LATENCIES) latencies.push(latencyMs);
    if (spec.expect.status.includes(status)) return;
    unexpected++;
    note(`status ${status}`);
  };
  const lose = (reason: string) => {
    lost++;
    lastAt = performance.now();
    note(reason);
    if (++lostInARow >= MAX_LOST_IN_A_ROW) tally.onHopeless();
  };
  const waitsTooLong = ({ since, stillborn }: Pending) =>
    !stillborn && (answered === 0 || performance.now() - since > Math.max(PATIENCE_MS, 2 * slowest));

  const tally: Tally = {
    onHopeless: () => {},
    follow: (client) => followClient(client, { underWay, answer, lose }),
    isHopeless: (elapsedMs) => answered === 0 && elapsedMs > SILENT_LIMIT_MS,
    progress(elapsedMs) {
      const done = answered + lost;
      const fraction = spec.requests === undefined ? elapsedMs / (spec.durationMs ?? 1) : done / spec.requests;
      const of = spec.requests === undefined ? '' : ` of ${spec.requests}`;
      return { fraction: Math.min(1, fraction), sentence: `${done}${of} requests done, ${unexpected + lost} failed` };
    },
    lastAt: () => lastAt,
    finish(seconds, start) {
      for (const pending of underWay) if (waitsTooLong(pending)) lose('no answer before the end');
      const [requests, failed] = [answered + lost, unexpected + lost];
      const end = new Date(Date.parse(start) + seconds * 1000).toISOString();
      return {
        latencies,
        answered,
        requests,
        failed,
        errorRate: answered === 0 ? 1 : failed / requests,
        reasons,
        seconds,
        start,
        end,
      };
    },
  };
  return tally;
}

interface Counters {
  underWay: Set<Pending>;
  answer(status: number, latencyMs: number): void;
  lose(reason: string): void;
}

function followClient(client: Client, { underWay, answer, lose }: Counters): void {
  // Its type knows only two of the events that its documentation promises.
  const events: NodeJS.EventEmitter = client;
  let pending: Pending | undefined;
  let closing = false;
  let bodyBytes = 0;
  const settle = (): Pending | undefined => {
    const settled = pending;
    if (settled) underWay.delete(settled);
    pending = undefined;
    return settled;
  };
  const losePending = (reason: string) => {
    const settled = settle();
    if (settled && !settled.stillborn) lose(reason);
  };
  events.on('request', () => {
    // A new request while one is pending: its connection was replaced.
    const late = pending !== undefined && performance.now() - pending.since >= REQUEST_LIMIT_S * 1000;
    losePending(late ? `no answer within ${REQUEST_LIMIT_S} s` : 'connection closed without an answer');
    pending = { since: performance.now(), stillborn: closing };
    underWay.add(pending);
    closing = false;
    bodyBytes = 0;
  });
  events.on('headers', (head: { shouldKeepAlive?: boolean }) => {
    closing = head.shouldKeepAlive === false;
  });
  events.on('body', (chunk: Buffer) => {
    bodyBytes += chunk.length;
    if (bodyBytes <= MAX_BODY_BYTES) return;
    losePending(`answer larger than ${MAX_BODY_BYTES / 1024 / 1024} MiB`);
    (client as Client & { destroy(): void }).destroy();
  });
  events.on('response', (status: number) => {
    const settled = settle();
    // An answer that nobody asked for proves nothing.
    if (settled) answer(status, performance.now() - settled.since);
  });
  events.on('connError', (error: Error & { code?: string }) => losePending(error.code ?? 'connection failed'));
}
