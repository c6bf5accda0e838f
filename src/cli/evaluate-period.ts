import { parseDuration } from '../base/duration.ts';
import { UsageError } from './command.ts';
import type { EvaluateOptions } from './evaluate-options.ts';

/** ISO 8601. */
export interface Period {
  start: string;
  end: string;
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$/;

/**
 * The period that is asked for; `undefined` when none is. Times without a zone are UTC.
 *
 * @throws {UsageError}
 */
export function periodOf({ start, end, timeframe }: EvaluateOptions, nowMs: number): Period | undefined {
  if (start === undefined && end === undefined && timeframe === undefined) return undefined;
  if (end !== undefined && timeframe !== undefined) throw new UsageError('--end and --timeframe exclude each other');
  if (start === undefined && end !== undefined) throw new UsageError('--end needs --start');
  const length = timeframe === undefined ? undefined : durationOf(timeframe);
  const from = start === undefined ? nowMs - (length ?? 0) : timeOf('--start', start);
  const to = end === undefined ? from + (length ?? nowMs - from) : timeOf('--end', end);
  if (to <= from) throw new UsageError('--start must be before the end of the period');
  return { start: new Date(from).toISOString(), end: new Date(to).toISOString() };
}

/** The last so many milliseconds. */
export function lastPeriod(nowMs: number, lengthMs: number): Period {
  return { start: new Date(nowMs - lengthMs).toISOString(), end: new Date(nowMs).toISOString() };
}

function durationOf(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0) throw new UsageError(`--timeframe ${text}: write a duration such as 15m or 1h30m`);
  return ms;
}

function timeOf(option: string, text: string): number {
  const [, zone] = TIME.exec(text) ?? [];
  const ms = TIME.test(text) ? Date.parse(zone === undefined ? `${text}Z` : text) : Number.NaN;
  if (Number.isNaN(ms)) throw new UsageError(`${option} ${text}: write a time such as 2026-01-31T12:00:00Z`);
  return ms;
}
