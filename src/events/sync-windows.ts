/** A time in which a delivery system itself allows or denies syncs, as Argo CD's AppProject has it. */
export interface SyncWindow {
  kind: 'allow' | 'deny';
  /** When it begins: minute, hour, day of month, month, day of week. */
  schedule: string;
  /** How long it lasts, as Go writes durations: `1h30m`. */
  duration: string;
  /** A sync that somebody asks for passes all the same. */
  manualSync: boolean;
  /** Absent: not known, so nobody can tell when it begins and ends. */
  timeZone?: string;
  description?: string;
  /** The system says that it is on now. */
  active: boolean;
}

/** The windows that concern one application, and what they mean right now. */
export interface SyncWindows {
  /** For a sync that somebody asks for, such as ours. */
  open: boolean;
  windows: SyncWindow[];
  /** Who sets them, for people: `AppProject payments`. */
  owner: string;
}
