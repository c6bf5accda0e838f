import type { SequenceState } from '../engine/sequence.ts';
import type { LineStop } from '../engine/stop-the-line.ts';
import type { Cell, ChangeKind, Person, Ref, State } from './change-row.ts';
import type { Neighbour, Spot } from './spot.ts';
import type { Step } from './step.ts';

/**
 * Everything of a change that takes neither a clock nor a reader to know: made whenever something happens to it, kept, and
 * turned into a row by `changeRow` when somebody reads. Times are ISO 8601.
 */
export interface ChangeFacts {
  id: string;
  /** Goes up with everything that happens to the change. */
  rev: number;
  project: string;
  service: string;
  team?: string;
  /** Who looks after the application, as its annotation says: logins, and groups as `group:name`. */
  owners?: string[];
  title: string;
  version?: string;
  kind: ChangeKind;
  author: Person;
  commit: Ref;
  pr?: Ref;
  createdAt: string;
  movedAt: string;
  state: State;
  /** In the order of the delivery, those that it has not reached included. */
  cells: Cell[];
  /**
   * Where it stands now: what failed, else what is under way, in the order of the delivery. Empty: it is over, or waits
   * for its first stage.
   */
  spots: Spot[];
  /** Where something failed: what is under way in other stages all the same. */
  beside?: Spot[];
  /** Present: it is over, and nobody has to do anything. */
  over?: Over;
  /** Images that it runs as, with their digests where those are known. */
  images?: string[];
}

/** How a change came to its end without anybody having to act. */
export interface Over {
  how: 'done' | 'superseded';
  stage: string;
  at: string;
  /** The newer change, where it was superseded. */
  by?: Neighbour;
  /** What the last stage said of it. */
  message?: string;
}

/** What CI and others reported of a change, joined to it by commit or digest. */
export interface Reported {
  /** Those before the first stage; and of stages, what nobody else tells. */
  steps: readonly Step[];
  author?: Person;
  title?: string;
  /** The commit of the source, where that is another one than the manifests'. */
  commit?: Ref;
  pr?: Ref;
  version?: string;
  kind?: ChangeKind;
  team?: string;
  createdAt?: string;
}

export interface ChangeInput {
  /** The change's id, which is the context of its sequences. */
  id: string;
  rev: number;
  /** Where there is no sequence yet: CI alone has told of it. */
  place?: { project: string; service: string };
  /** Of the change, oldest first. */
  sequences: readonly SequenceState[];
  /**
   * Of other changes: those under way in the places of this one, those that took its place (`mentionedIn`), and the
   * newest where it was merged to and not seen (`handedTo`). Who is ahead, and who came after, is named by them.
   */
  neighbours?: readonly SequenceState[];
  reported?: Reported;
  /** What people have stopped, everywhere. */
  stops?: readonly LineStop[];
  /** Evaluations that must not be believed any more. */
  invalidations?: readonly { evaluation: string; actor: string; reason: string; at: string }[];
}
