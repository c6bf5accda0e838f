import type { ChangeRow } from '../../../answers/change-row.ts';
import type { Step } from '../../../answers/step.ts';
import type { LineStop } from '../../../engine/stop-the-line.ts';
import type { ChangeView } from '../../../views/change.ts';
import type { Typed } from './form.ts';
import type { Ahead } from './journey.ts';

/** Everything that the screen shows: of a change that only CI has told of there is a row and no delivery yet. */
export interface ChangeScreen {
  change?: ChangeView;
  row?: ChangeRow;
  steps: readonly Step[];
  /** What is under way and what is still to come, with how long it takes as a rule. */
  ahead?: readonly Ahead[];
  /** The change that took its place. */
  newer?: { id: string; text: string };
  stops?: readonly LineStop[];
  /** The step that the address names. */
  step?: string;
  refused?: Refused;
}

/** A decision that was not taken: why, with what was typed. */
export interface Refused extends Typed {
  /** One sentence. */
  detail: string;
  /** Present: it is another one now than the one that was decided on. */
  moved?: { seen?: string; saw?: string; rev?: string };
}
