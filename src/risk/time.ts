import type { Window } from '../definitions/delivery.ts';
import { localMinuteOfWeek, untilClosing } from '../engine/windows.ts';
import type { RiskSignals } from './signals.ts';

const HOUR_MS = 3_600_000;
/** A window that closes later than this is no reason to hurry. */
const HORIZON_MS = 24 * HOUR_MS;

/** What the clock says, where the team of the first window lives. */
export function timeSignals(windows: readonly Window[], now: Date): RiskSignals {
  const closing = windows.length === 0 ? undefined : (untilClosing(windows, now, HORIZON_MS) ?? 'none');
  return {
    localMinuteOfWeek: localMinuteOfWeek(now, windows[0]?.timeZone ?? 'UTC'),
    ...(closing === undefined ? {} : { hoursToFreeze: closing === 'none' ? closing : closing / HOUR_MS }),
  };
}

/** A known way back stays one, whatever else says no; why something is unknown is kept from everywhere. */
export function mergeSignals(all: readonly RiskSignals[]): RiskSignals {
  const merged: RiskSignals = Object.assign({}, ...all);
  const rollback = all.some((one) => one.rollback) ? { rollback: true } : {};
  return { ...merged, ...rollback, unknown: Object.assign({}, ...all.map(({ unknown }) => unknown)) };
}
