import { seededService } from '../../bench/support/ui-world.ts';
import type { SequenceState } from '../../src/engine/sequence.ts';
import { GOLDEN_NOW } from './change-rows.ts';

const STAGES: Readonly<Record<string, string>> = { dev: 'dev', staging: 'staging', 'prod-eu': 'production' };

/** What became of changes of `checkout` before, in the stages of the golden changes. */
export function pastRuns(changes = 12): SequenceState[] {
  const { changes: seeded } = seededService(5, { services: 1, changes: changes + 1 }, Date.parse(GOLDEN_NOW));
  return seeded.slice(0, -1).flatMap(({ sequences }) =>
    sequences.flatMap((state) => {
      const { triggered } = state;
      const stage = STAGES[triggered?.place.stage ?? ''];
      if (!triggered || stage === undefined) return [];
      return [{ ...state, triggered: { ...triggered, place: { project: 'shop', service: 'checkout', stage } } }];
    }),
  );
}
