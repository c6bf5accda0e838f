import type { JsonObject } from '../base/json.ts';
import type { Report } from '../events/report.ts';
import type { Commit, NewJob, Store, StoredEvent } from '../store/store.ts';
import { reportCommit } from './journey.ts';
import { indicatorsRow } from './receive-event.ts';
import { BUILT, built, REPORT } from './reports.ts';

/** The work that an event of others asked for when it came, read from the log; what cannot be read any more asks for none. */
export type ReadReceived = (event: StoredEvent, heardAt: Date) => readonly NewJob[];

/**
 * The rows that events of others became: reports and pushed numbers. Where rows are lost, it is looked once more what
 * became of what they tell; what there is already is not looked for all over again.
 */
export async function receivedAgain(
  store: Store,
  read: ReadReceived,
  events: readonly StoredEvent[],
): Promise<Required<Pick<Commit, 'documents' | 'jobs'>>> {
  const [documents, jobs]: [NonNullable<Commit['documents']>[number][], NewJob[]] = [[], []];
  for (const event of events) {
    for (const { payload = {} } of read(event, new Date(event.recordedAt))) {
      if (payload['kind'] === 'indicators') documents.push(indicatorsRow(payload));
      if (payload['kind'] !== 'report') continue;
      const again = await reportAgain(store, event, read, payload['report'] as unknown as Report);
      documents.push(...(again.documents ?? []));
      jobs.push(...(again.jobs ?? []));
    }
  }
  return { documents, jobs };
}

/** When it was heard stands in its row; the log was written a moment later. */
async function reportAgain(store: Store, event: StoredEvent, read: ReadReceived, report: Report): Promise<Commit> {
  const own = built(report)?.id;
  const [known, row] = await Promise.all([
    store.document(REPORT, report.id),
    own === undefined ? undefined : store.document(BUILT, own),
  ]);
  const [{ payload = {} } = {}] = known ? read(event, new Date(heardAtOf(known.data))) : [];
  const { documents = [], jobs = [] } = reportCommit(known ? (payload['report'] as unknown as Report) : report);
  const isWhole = known !== undefined && (own === undefined || row !== undefined);
  // A row of its own says since when it waits; that is not for the order of the log to change.
  return { documents: documents.filter(({ kind }) => kind !== BUILT || row === undefined), jobs: isWhole ? [] : jobs };
}

function heardAtOf(report: JsonObject): string {
  return String(report['heardAt']);
}
