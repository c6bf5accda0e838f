import type { Step } from '../answers/step.ts';
import { journeySteps } from '../answers/steps.ts';
import type { Store } from '../store/store.ts';
import { sequenceFromRow } from '../views/sequence-document.ts';
import type { ReportsOf } from './project-change.ts';

/** A change visits one sequence per stage, and more when it is delivered again. */
const MAX_SEQUENCES = 200;

/** The journey of a change, read from what is known of it right now. */
export function createStepsOf(store: Store, reportsOf?: ReportsOf): (id: string) => Promise<Step[]> {
  return async (id) => {
    const rows = await store.documents({ kind: 'sequence', context: [id], limit: MAX_SEQUENCES });
    const sequences = rows.reverse().map(({ data }) => sequenceFromRow(data));
    return journeySteps(sequences, (await reportsOf?.(id, sequences))?.reported);
  };
}
