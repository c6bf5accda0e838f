import { mergesOf } from '../engine/promotion-drift.ts';
import type { SequenceState } from '../engine/sequence.ts';
import type { StageVerdict } from '../engine/stage-verdict.ts';
import type { Place } from '../events/application.ts';
import type { Result } from '../events/types.ts';
import type { Evaluation } from '../slo/evaluation.ts';
import type { Document, Store } from '../store/store.ts';
import type { PushedIndicators } from '../tasks/pushed-indicators.ts';
import type { History, PastEvaluation } from '../tasks/task.ts';
import { isInForce } from '../views/evaluation-document.ts';
import { sequenceFromRow } from '../views/sequence-document.ts';
import type { SeenApplication } from './observe-application.ts';

/** Enough for a service that is deployed ten times a day over the ninety days that risk looks back. */
const MAX_ROWS = 1000;
/** A change enters a stage once, or a few times. */
const MAX_JOURNEY = 100;
/** Sequences of a project that are looked through for what was merged since the last promotion of a service. */
const LATELY = 300;

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
      const rows = await store.documents({ kind: 'evaluation', ...place, status: [...JUDGED], limit });
      const gone = await invalidations(store, place);
      return rows.filter(({ id }) => !gone.has(id)).map((row) => toPast(row));
    },
    async evaluation(id) {
      const row = await store.document('evaluation', id);
      if (!row || !JUDGED.some((status) => status === row.status)) return undefined;
      const invalidation = await store.document('invalidation', id);
      return toPast(row, invalidation && isInForce(invalidation) ? String(invalidation.data['reason']) : undefined);
    },
    async pushedIndicators(place, limit) {
      const rows = await store.documents({ kind: 'indicators', ...place, limit });
      return rows.map(({ data }) => data as unknown as PushedIndicators);
    },
    async sequence(id) {
      const row = await store.document('sequence', id);
      return row && sequenceFromRow(row.data);
    },
    async journey(context) {
      const rows = await store.documents({ kind: 'sequence', context: [context], limit: MAX_JOURNEY });
      return rows.reverse().map((row) => sequenceFromRow(row.data));
    },
    async verdicts(place, limit) {
      const rows = await store.documents({ kind: 'evaluation', ...place, status: [...JUDGED], limit });
      const gone = rows.length === 0 ? new Map<string, Document>() : await invalidations(store, place);
      return rows.map((row) => toVerdict(row, gone.get(row.id)));
    },
    async merges(project) {
      const rows = await store.documents({ kind: 'sequence', project, limit: LATELY });
      return rows.flatMap((row) => mergesOf(sequenceFromRow(row.data)));
    },
    async sequences(place, since, limit = MAX_ROWS, before) {
      const end = before === undefined ? Number.POSITIVE_INFINITY : Date.parse(before);
      const after = before === undefined ? {} : { after: { sort: end, id: '' } };
      const rows = await store.documents({ kind: 'sequence', ...place, ...after, limit: Math.min(limit, MAX_ROWS) });
      const wanted = rows.filter(({ sort }) => sort >= since.getTime() && sort < end);
      return wanted.map((row): SequenceState => sequenceFromRow(row.data));
    },
  };
}

/** Statuses of evaluations that have a verdict; the machinery's own failures are none. */
const JUDGED = ['pass', 'warning', 'fail'] as const;

async function invalidations(store: Store, place: Place): Promise<Map<string, Document>> {
  const rows = await store.documents({ kind: 'invalidation', ...place, limit: MAX_ROWS });
  return new Map(rows.filter(isInForce).map((row) => [row.id, row]));
}

function toVerdict({ id, context = '', sort, status, data }: Document, invalidation?: Document): StageVerdict {
  const { score } = (data['evaluation'] ?? {}) as Partial<Evaluation>;
  const { revision, finishedAt } = data;
  return {
    id,
    context,
    ...(typeof revision === 'string' ? { revision } : {}),
    result: status as Result,
    at: typeof finishedAt === 'string' ? finishedAt : new Date(sort).toISOString(),
    ...(score === undefined ? {} : { score }),
    ...(invalidation ? { invalidated: invalidation.data as unknown as { actor: string; reason: string } } : {}),
  };
}

function toPast({ id, project = '', stage = '', service = '', data }: Document, invalidated?: string): PastEvaluation {
  const { result, indicators } = data['evaluation'] as unknown as Evaluation;
  const revision = data['revision'];
  return {
    id,
    place: { project, stage, service },
    result,
    indicators: indicators.map(({ sli, value }) => ({ sli, ...(value === undefined ? {} : { value }) })),
    ...(typeof revision === 'string' ? { revision } : {}),
    ...(invalidated === undefined ? {} : { invalidated }),
  };
}
