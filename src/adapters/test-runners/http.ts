import type { HttpTest } from '../../definitions/delivery.ts';
import type { AddressPolicy } from '../addresses.ts';
import { applyLoad, type Load } from './http-load.ts';
import { findTarget } from './http-target.ts';
import type { TestReport, TestRunner, TestRunOptions } from './test-runner.ts';

const PERCENTILES = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 } as const;

/**
 * Sends real requests to a deployed application and measures what comes back. The URL comes from an
 * annotation, so the policy is `team` outside of tests and the demo.
 */
export function createHttpTestRunner(addresses: AddressPolicy): TestRunner<HttpTest> {
  return {
    kind: 'http',
    async run(spec: HttpTest, baseUrl: string, options: TestRunOptions): Promise<TestReport> {
      const target = await findTarget(baseUrl, spec.path, addresses, options.signal);
      return toReport(await applyLoad(target, spec, options), spec);
    },
  };
}

function toReport(load: Load, spec: HttpTest): TestReport {
  const indicators = toIndicators(load);
  const failures = [...failedErrorRate(load, spec), ...slowPercentiles(indicators, spec)];
  return { passed: failures.length === 0, failures, indicators, start: load.start, end: load.end };
}

/** Latencies in milliseconds, the error rate 0..1, throughput in answers per second. Without answers: no latencies. */
function toIndicators({ latencies, answered, errorRate, requests, seconds }: Load): Record<string, number> {
  const sorted = latencies.toSorted((a, b) => a - b);
  const figures = { error_rate: errorRate, throughput: seconds > 0 ? answered / seconds : 0, requests };
  if (sorted.length === 0) return figures;
  let sum = 0;
  for (const latency of sorted) sum += latency;
  const percentiles = Object.entries(PERCENTILES).map(([name, share]) => [
    `response_time_${name}`,
    nearestRank(sorted, share),
  ]);
  return { ...Object.fromEntries(percentiles), response_time_avg: sum / sorted.length, ...figures };
}

/** The smallest measured latency that at least this share of the answers did not exceed: exact, not interpolated. */
export function nearestRank(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

function failedErrorRate({ errorRate, answered, failed, requests, reasons }: Load, spec: HttpTest): string[] {
  const why = [...reasons]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([reason, times]) => `${times} × ${reason}`)
    .join(', ');
  if (answered === 0) return [`no request was answered (${why === '' ? 'none could be sent' : why})`];
  if (errorRate <= spec.expect.errorRate) return [];
  return [`${failed} of ${requests} requests failed, at most ${spec.expect.errorRate * 100} % may (${why})`];
}

function slowPercentiles(indicators: Record<string, number>, spec: HttpTest): string[] {
  return Object.entries(spec.expect.latency).flatMap(([percentile, limitMs]) => {
    const measured = indicators[`response_time_${percentile}`];
    if (measured === undefined || limitMs === undefined || measured <= limitMs) return [];
    return [`${percentile} was ${Math.ceil(measured)} ms, at most ${limitMs} ms were expected`];
  });
}
