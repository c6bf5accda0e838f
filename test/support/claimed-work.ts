import { newId } from '../../src/base/ids.ts';
import type { ClaimedJob, Store } from '../../src/store/store.ts';

/** A job that is held for so long, as that of a worker is. */
export async function claimedWork(store: Store, leaseMs: number): Promise<ClaimedJob> {
  const queue = `work-${newId()}`;
  await store.commit({ jobs: [{ queue, key: 'only' }] });
  const [claimed] = await store.claim({ limit: 1, leaseMs, queues: [queue] });
  if (!claimed) throw new Error('nobody gives the job out');
  return claimed;
}
