import type { Clock } from '../base/clock.ts';
import type { ClaimedJob, Document, NewJob, Store } from '../store/store.ts';
import type { TestEvent } from '../views/connections-screen.ts';

const KIND = 'test-event';

/** What is left to do once a test event is in the log: to note that it came. */
export function testedJob(connection: string, test: Pick<TestEvent, 'by' | 'sentAt'>): NewJob {
  return { queue: 'tested', key: connection, payload: { connection, ...test } };
}

/** Notes that a test event came all the way through the queue. */
export async function noteTestEvent({ store, clock }: { store: Store; clock: Clock }, job: ClaimedJob): Promise<void> {
  const { connection, by, sentAt } = job.payload;
  const now = clock.now();
  const document: Document = {
    kind: KIND,
    id: String(connection),
    version: now.getTime(),
    sort: now.getTime(),
    data: { by: String(by), sentAt: String(sentAt), receivedAt: now.toISOString() },
  };
  await store.commit({ documents: [document], claim: job, settle: { kind: 'done' } });
}

/** The last test event of each connection that had one. */
export async function readTestEvents(store: Store): Promise<Map<string, TestEvent>> {
  const rows = await store.documents({ kind: KIND, limit: 1000 });
  return new Map(rows.map(({ id, data }) => [id, data as unknown as TestEvent]));
}
