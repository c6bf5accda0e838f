import { Cron } from 'croner';

/** A sync window as it stands in an AppProject's `spec.syncWindows`. */
export interface WindowSpec {
  kind: 'allow' | 'deny';
  schedule: string;
  duration: string;
  applications?: string[];
  namespaces?: string[];
  clusters?: string[];
  manualSync?: boolean;
  timeZone?: string;
  description?: string;
}

interface Target {
  name: string;
  namespace: string;
  cluster: string;
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** The windows of a project that concern an application. */
export function assigned(windows: readonly WindowSpec[], target: Target): WindowSpec[] {
  return windows.filter(
    ({ applications = [], namespaces = [], clusters = [] }) =>
      applications.some((glob) => fits(glob, target.name)) ||
      namespaces.some((glob) => fits(glob, target.namespace)) ||
      clusters.some((glob) => fits(glob, target.cluster)),
  );
}

/** Those that are on: whose schedule comes round between one duration ago and now, by the clock of its time zone. */
export function active(windows: readonly WindowSpec[], now: Date): WindowSpec[] {
  return windows.filter(({ schedule, duration, timeZone = 'UTC' }) => {
    const wall = now.getTime() + offsetOf(timeZone, now);
    const next = new Cron(schedule, { utcOffset: 0, mode: '5-part' }).nextRun(
      new Date(wall - millisecondsOf(duration)),
    );
    return next !== null && next.getTime() < wall;
  });
}

/** Deny beats allow; where there is any allow, outside of all is closed. */
export function canSync(windows: readonly WindowSpec[], now: Date, manual: boolean): boolean {
  const on = active(windows, now);
  const denies = on.filter(({ kind }) => kind === 'deny');
  if (denies.length > 0) return manual && denies.every(({ manualSync }) => manualSync === true);
  const allows = windows.filter(({ kind }) => kind === 'allow');
  if (allows.length === 0 || on.some(({ kind }) => kind === 'allow')) return true;
  return manual && allows.every(({ manualSync }) => manualSync === true);
}

/** What the application's own address tells of a window: neither whom it is for, nor its time zone. */
export function told({ kind, schedule, duration, manualSync = false }: WindowSpec) {
  return { kind, schedule, duration, manualSync };
}

function fits(glob: string, name: string): boolean {
  return new RegExp(`^${glob.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(name);
}

function millisecondsOf(duration: string): number {
  return [...duration.matchAll(/(\d+)([hms])/g)].reduce(
    (sum, [, n, unit]) => sum + Number(n) * (UNIT_MS[unit ?? ''] ?? 0),
    0,
  );
}

function offsetOf(timeZone: string, at: Date): number {
  const text = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(at);
  return Date.parse(`${text.replace(' ', 'T')}Z`) - Math.floor(at.getTime() / 1000) * 1000;
}
