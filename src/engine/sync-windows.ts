import { Cron } from 'croner';
import { parseDuration } from '../base/duration.ts';
import type { SyncWindow, SyncWindows } from '../events/sync-windows.ts';
import { Clock } from './wall-clock.ts';

/** Who wants to sync: somebody who asks for it, or the delivery system by itself. */
export type SyncedBy = 'request' | 'itself';

export interface WindowForecast {
  open: boolean;
  /** When that changes next, ISO 8601; absent: not within a year, or it cannot be told. */
  changesAt?: string;
}

interface ReadableWindow {
  kind: SyncWindow['kind'];
  manualSync: boolean;
  cron: Cron;
  durationMs: number;
  clock: Clock;
}

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;
const HORIZON_MS = 366 * DAY_MS;
/** Schedules that begin anew every minute would keep us busy; nobody needs their forecast. */
const MAX_LOOKS = 4_000;
/** Clocks do not change twice within this. */
const STRIDE_MS = 7 * DAY_MS;

/**
 * Whether windows are open at a moment, and when that changes. `undefined` when one of them cannot be read: a schedule
 * or duration that Argo CD would refuse too, or an unknown time zone.
 *
 * A window is on from each of its beginnings for its duration, on the wall clock of its time zone with the offset that
 * is valid at the moment in question, as Argo CD computes it.
 * Deny beats allow, and where any allow window is defined, everything outside of all of them is closed:
 * https://argo-cd.readthedocs.io/en/stable/user-guide/sync_windows/
 */
export function forecast(windows: readonly SyncWindow[], now: Date, by: SyncedBy): WindowForecast | undefined {
  const readable = windows.map(readWindow);
  if (!readable.every((window) => window !== undefined)) return undefined;
  const start = floorToSecond(now.getTime());
  let spans = readable.map((window) => spanAt(window, start));
  const open = isOpen(spans, by);
  for (let looks = spans.length; looks < MAX_LOOKS; ) {
    const at = Math.min(...spans.map(({ until }) => until));
    if (at > start + HORIZON_MS) break;
    spans = spans.map((span) => {
      if (span.until > at) return span;
      looks += 1;
      return spanAt(span.window, at);
    });
    if (isOpen(spans, by) !== open) return { open, changesAt: new Date(at).toISOString() };
  }
  return { open };
}

/** What the windows that are on mean: by Argo CD's rules, whoever says which ones are on. */
export function allows(windows: readonly Pick<SyncWindow, 'kind' | 'manualSync' | 'active'>[], by: SyncedBy): boolean {
  const asked = by === 'request';
  const denies = windows.filter(({ kind, active }) => kind === 'deny' && active);
  if (denies.length > 0) return asked && denies.every(({ manualSync }) => manualSync);
  const allowing = windows.filter(({ kind }) => kind === 'allow');
  if (allowing.length === 0 || allowing.some(({ active }) => active)) return true;
  return asked && allowing.every(({ manualSync }) => manualSync);
}

/** The windows because of which it is closed. */
export function closedBy({ windows }: Pick<SyncWindows, 'windows'>, by: SyncedBy): SyncWindow[] {
  const passes = ({ manualSync }: SyncWindow) => by === 'request' && manualSync;
  const denies = windows.filter(({ kind, active }) => kind === 'deny' && active);
  if (denies.length > 0) return denies.filter((window) => !passes(window));
  return windows.filter((window) => window.kind === 'allow' && !window.active);
}

/** A stretch of time in which a window is on or off throughout. */
interface Span {
  window: ReadableWindow;
  active: boolean;
  until: number;
}

function isOpen(spans: readonly Span[], by: SyncedBy): boolean {
  return allows(
    spans.map(({ active, window: { kind, manualSync } }) => ({ kind, manualSync, active })),
    by,
  );
}

function spanAt(window: ReadableWindow, at: number): Span {
  const { clock, cron, durationMs } = window;
  const wall = at + clock.offsetAt(at);
  const begin = nextBegin(cron, wall - durationMs);
  // Argo CD takes a schedule without any date (30 February) for one that is always on.
  if (begin === undefined) return { window, active: true, until: Number.POSITIVE_INFINITY };
  const active = begin <= wall;
  const edge = active ? begin + durationMs : begin;
  return { window, active, until: clock.steadyUntil(at, Math.min(at + edge - wall, at + STRIDE_MS)) };
}

function nextBegin(cron: Cron, afterWall: number): number | undefined {
  return cron.nextRun(new Date(floorToSecond(afterWall)))?.getTime();
}

function readWindow({ kind, schedule, duration, manualSync, timeZone }: SyncWindow): ReadableWindow | undefined {
  const durationMs = parseGoDuration(duration);
  const clock = timeZone === undefined ? undefined : Clock.in(timeZone);
  if (durationMs === undefined || clock === undefined || schedule.length > 200) return undefined;
  try {
    // Argo CD's cron (robfig/cron) knows `5/15`, which others call sloppy. The wall clock is computed by ourselves.
    const cron = new Cron(schedule.trim(), { utcOffset: 0, mode: '5-part', sloppyRanges: true });
    return { kind, manualSync, cron, durationMs, clock };
  } catch {
    return undefined;
  }
}

/** Go knows no days; less than a second is no window. */
function parseGoDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) return undefined;
  const ms = parseDuration(text);
  return ms === undefined || ms < SECOND_MS ? undefined : floorToSecond(ms);
}

function floorToSecond(ms: number): number {
  return Math.floor(ms / SECOND_MS) * SECOND_MS;
}
