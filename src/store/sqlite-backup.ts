import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';

/** All pages in one step: one consistent moment, however much others write meanwhile. */
const ALL_PAGES = 2 ** 31 - 1;

export function databaseFile(folder: string): string {
  return join(folder, 'lynceus.db');
}

/**
 * Copies the database of a data folder to a file, from any process and while the server runs: it
 * reads beside the server's lock. The copy takes its name only when it is complete and on disk. To
 * restore, stop the server and put the file into the folder as `lynceus.db`, removing
 * `lynceus.db-wal` and `lynceus.db-shm`.
 */
export async function backupSqlite(folder: string, file: string): Promise<void> {
  const source = databaseFile(folder);
  if (!existsSync(source)) throw new Error(`There is no database at ${source}: name the folder that the server uses`);
  const partial = `${file}.partial`;
  rmSync(partial, { force: true });
  const db = new DatabaseSync(source, { readOnly: true, timeout: 5_000 });
  try {
    await backup(db, partial, { rate: ALL_PAGES });
    sync(partial);
    renameSync(partial, file);
    sync(dirname(file));
  } finally {
    db.close();
    rmSync(partial, { force: true });
  }
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
