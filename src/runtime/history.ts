import type { SequenceState } from '../engine/sequence.ts';
import type { Evaluation } from '../slo/evaluation.ts';
import type { Store } from '../store/store.ts';
import type { History } from '../tasks/task.ts';
import { sequenceFromRow } from '../views/sequence-document.ts';
import type { SeenApplication } from './observe-application.ts';

/** Enough for a service that is deployed ten times a day over the ninety days that risk looks back. */
const MAX_ROWS = 1000;

/** The past as tasks may ask for it, out of the read models. */
export function createHistory(store: Store): History {
  return {
    async applications(place) {
      const rows = await store.documents({
        kind: 'application',
        ...place,
        status: ['seen', 'absent'],
        limit: MAX_ROWS,
      });
      return rows.map((row) => (row.data as unknown as SeenApplication).ref);
    },
    async evaluations(place, limit) {
      const rows = await store.documents({ kind: 'evaluation', ...place, limit });
      return rows.map((row) => {
        const { result, indicators } = row.data['evaluation'] as unknown as Evaluation;
        return {
          id: row.id,
          result,
          indicators: indicators.map(({ sli, value }) => ({ sli, ...(value === undefined ? {} : { value }) })),
        };
      });
    },
    async sequence(id) {
      const row = await store.document('sequence', id);
      return row && sequenceFromRow(row.data);
    },
    async sequences(place, since) {
      const rows = await store.documents({ kind: 'sequence', ...place, limit: MAX_ROWS });
      return rows.filter((row) => row.sort >= since.getTime()).map((row): SequenceState => sequenceFromRow(row.data));
    },
  };
}
