/** The times in an evaluation.triggered. */
export interface WindowRequest {
  start?: string;
  end?: string;
  timeframe?: string;
  testStart?: string;
  testEnd?: string;
}

export type Window = { ok: true; start: string; end: string } | { ok: false; error: string };

/** An instant with the clock that it was written by. */
interface Time {
  ms: number;
  offsetMs: number;
}

const TIME = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d+)?(?:Z|([+-])(\d{2}):(\d{2}))?$/;
const DURATION = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;
const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};
const LEAST_MS = 60_000;

/**
 * The period that Keptn evaluates: what is asked for, else the tests' own. A zone offset is read and
 * then dropped, as Keptn does: 15:00+10:00 becomes 15:00Z.
 */
export function evaluationWindow(request: WindowRequest, nowMs: number): Window {
  const { start = '', end = '', timeframe = '', testStart = '', testEnd = '' } = request;
  if ((start !== '' && end !== '') || timeframe !== '') return requested(start, end, timeframe, nowMs);
  if (testStart !== '' && testEnd !== '') return { ok: true, start: testStart, end: testEnd };
  return { ok: false, error: 'evaluation.triggered event does not contain evaluation timeframe' };
}

function requested(start: string, end: string, timeframe: string, nowMs: number): Window {
  if (end !== '' && timeframe !== '') return { ok: false, error: "'end' and 'timeframe' are mutually exclusive" };
  const duration = timeframe === '' ? 0 : parseGoDuration(timeframe);
  if (duration === undefined) {
    return { ok: false, error: `could not parse provided timeframe: invalid duration "${timeframe}"` };
  }
  if (start === '') return between({ ms: nowMs - duration, offsetMs: 0 }, { ms: nowMs, offsetMs: 0 });
  const from = parseTime(start);
  if (from === undefined) return badTime(start);
  if (timeframe !== '') return between(from, { ...from, ms: from.ms + duration });
  const to = parseTime(end);
  return to === undefined ? badTime(end) : between(from, to);
}

function between(start: Time, end: Time): Window {
  if (end.ms - start.ms < LEAST_MS) return { ok: false, error: 'end date must be at least 1 minute after start date' };
  return { ok: true, start: sayTime(start), end: sayTime(end) };
}

function badTime(text: string): Window {
  return { ok: false, error: `parsing time "${text}": not of the form 2006-01-02T15:04:05` };
}

/** Milliseconds of Go's time.ParseDuration; it has no days. */
function parseGoDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!DURATION.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)([a-zµμ]+)/g))
    total += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  return text.startsWith('-') ? -total : total;
}

/** Without a zone it is UTC. */
function parseTime(text: string): Time | undefined {
  const [, clock, fraction = '', sign, hours, minutes] = TIME.exec(text) ?? [];
  const local = clock === undefined ? Number.NaN : Date.parse(`${clock}Z`);
  // A day that the month does not have rolls over here; Go refuses it.
  if (Number.isNaN(local) || new Date(local).toISOString().slice(0, 19) !== clock) return undefined;
  const offset = sign === undefined ? 0 : (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : 1);
  return { ms: local + Math.floor(Number(`0${fraction}`) * 1000) - offset, offsetMs: offset };
}

function sayTime({ ms, offsetMs }: Time): string {
  return new Date(ms + offsetMs).toISOString();
}
