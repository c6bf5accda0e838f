import type { Viewer } from '../answers/viewer.ts';

/** What every page is drawn with, besides what it shows. */
export interface Frame {
  /** Absent: nobody has signed in, and reading is open to all. */
  viewer?: Viewer;
  /** Goes into every form of a signed-in session. */
  csrf?: string;
  /** The moment to which relative times refer, ISO 8601. */
  now: string;
  /** Path and query of this page: where a sign-in comes back to. */
  path: string;
  /** Where one signs in; absent: there is no way to. */
  signIn?: string;
  /** What the reader chose; absent: as their system has it. */
  theme?: 'light' | 'dark';
  /** Lights the navigation. */
  screen: 'changes' | 'fleet' | 'evaluations' | 'forecast' | 'connections' | 'other';
  /** What the page wants to hear of while it is open: the query of `/events`. Absent: it stays as it is. */
  live?: string;
}

/** What parts are drawn with that also come after the page: nothing of one reader's session. */
export type Moment = Pick<Frame, 'now'>;
