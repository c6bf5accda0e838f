import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';
import { createRebuildRoom } from '../../src/app.ts';
import type { Clock } from '../../src/base/clock.ts';
import { projectChange } from '../../src/runtime/project-change.ts';
import { rebuildHere } from '../../src/runtime/rebuild.ts';
import { openStore } from '../../src/store/open.ts';
import { databaseFile } from '../../src/store/sqlite-backup.ts';
import type { Store } from '../../src/store/store.ts';

/** Rows that have to come of events alone. With what a build arrived that was skipped over, Git said. */
const FROM_LOG = "'sequence', 'pull-request', 'report', 'report-key', 'built', 'indicators'";

/**
 * Holds the rows that a service wrote as it went along to those that the log alone gives, keys and all. Nobody may have
 * the store open.
 */
export async function expectRowsOfLog(dataDir: string, clock: Clock): Promise<void> {
  const store = await openStore({ dataDir, clock });
  try {
    const room = createRebuildRoom(store, clock);
    await workOff(store, room);
    const live = rowsIn(dataDir);
    const sequences = live.documents.filter((row) => row['kind'] === 'sequence');
    const delivered = new Set(sequences.map((row) => row['context']));
    expect(live.changes.map((row) => row['id'])).toEqual(expect.arrayContaining([...delivered]));
    forget(dataDir);
    await rebuildHere(room, clock.now());
    expect(rowsIn(dataDir)).toEqual(live);
  } finally {
    await store.close();
  }
}

/** What was asked for before the service ended. */
async function workOff(store: Store, room: Parameters<typeof projectChange>[0]): Promise<void> {
  const left = async () => {
    const found = (await store.stats()).find(({ queue }) => queue === 'change');
    return found ? found.due + found.waiting + found.running : 0;
  };
  for (const until = Date.now() + 10_000; Date.now() < until && (await left()) > 0; ) {
    const jobs = await store.claim({ limit: 50, leaseMs: 10_000, queues: ['change'] });
    for (const job of jobs) await projectChange(room, job);
    if (jobs.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function forget(dataDir: string): void {
  const database = new DatabaseSync(databaseFile(dataDir));
  for (const table of [
    'changes',
    'change_keys',
    `documents where kind in (${FROM_LOG}) and (kind <> 'built' or status <> 'arrived')`,
  ])
    database.exec(`delete from ${table}`);
  database.close();
}

/** As they stand in the database, without when they were written. */
function rowsIn(dataDir: string) {
  const database = new DatabaseSync(databaseFile(dataDir), { readOnly: true });
  try {
    const all = (text: string) =>
      database
        .prepare(text)
        .all()
        .map((row) => ({ ...row }));
    return {
      changes: all('select * from changes order by id').map((row): Record<string, unknown> => {
        const { written_at, data, ...rest } = row;
        return { ...rest, data: JSON.parse(String(data)) };
      }),
      keys: all('select change, name, value from change_keys order by change, name, value'),
      documents: all(`select * from documents where kind in (${FROM_LOG}) order by kind, id`).map(withoutHeardAt),
    };
  } finally {
    database.close();
  }
}

/** The log knows to the millisecond or two when something was heard; the rows that it becomes do not depend on it. */
function withoutHeardAt(row: Record<string, unknown>): Record<string, unknown> {
  if (row['kind'] === 'built') return { ...row, sort: 0 };
  if (row['kind'] !== 'report' && row['kind'] !== 'report-key') return row;
  return { ...row, data: { ...(JSON.parse(String(row['data'])) as object), heardAt: '' } };
}
