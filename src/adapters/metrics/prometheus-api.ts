import { AdapterError } from '../../base/adapter-error.ts';
import type { HttpClient } from '../http-client.ts';
import type { MetricsSource } from './metrics-source.ts';
import { fillPlaceholders, type Period, periodOf } from './placeholders.ts';
import { type Answerer, toReading, toSeries } from './prometheus-answer.ts';
import { PROMQL } from './promql.ts';

/** Prometheus' own limit for one series. */
const MAX_POINTS = 11_000;

/**
 * Reads by Prometheus' query API, wherever it is offered. A number is asked for once, at the end of the
 * period; points one for each step, `$DURATION_SECONDS` being the step, so that no point looks at
 * anything outside of its own step.
 */
export function readByPromql(
  client: HttpClient,
  { who, acceptWarnings }: Omit<Answerer, 'quote'>,
): Required<Pick<MetricsSource, 'read' | 'series'>> {
  const answerer = { who, acceptWarnings, quote: client.quote };
  const ask = async (path: string, query: Record<string, string>, signal: AbortSignal | undefined) => {
    const request = { method: 'GET', path, query } as const;
    return (await client.json({ ...request, ...(signal ? { signal } : {}) })).data;
  };
  return {
    async read(query, { signal } = {}) {
      const { endMs, variables } = periodOf(query);
      const promql = fillPlaceholders(query.query, variables, PROMQL);
      return toReading(await ask('/api/v1/query', { query: promql, time: seconds(endMs) }, signal), answerer);
    },
    async series(query, { signal } = {}) {
      const period = periodOf(query, query.stepMs);
      const promql = fillPlaceholders(query.query, period.variables, PROMQL);
      const range = { query: promql, ...stepsOf(period, query.stepMs) };
      return toSeries(await ask('/api/v1/query_range', range, signal), answerer);
    },
  };
}

function stepsOf({ startMs, endMs }: Period, stepMs: number): { start: string; end: string; step: string } {
  const points = Math.floor((endMs - startMs) / stepMs);
  if (points > MAX_POINTS) {
    throw new AdapterError(
      'rejected',
      `the step is too short: the period has ${points} of them, at most ${MAX_POINTS}`,
    );
  }
  return { start: seconds(startMs + stepMs), end: seconds(endMs), step: seconds(stepMs) };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
