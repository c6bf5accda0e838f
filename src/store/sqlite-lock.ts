import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Enough for a predecessor that is just closing, short enough to be refused at once. */
const PATIENCE_MS = 500;

/** Another process works with the data folder. */
export class StoreLockedError extends Error {
  override name = 'StoreLockedError';
}

/**
 * Makes this process the only owner of a data folder; answers how to give it up. The lock is one of
 * the kernel (an exclusive SQLite transaction on a side file), so it ends with the process however
 * that ends. The text file beside it only tells people who holds it: by itself a pid proves nothing,
 * in containers everyone is pid 1.
 *
 * @throws {StoreLockedError} naming the holder
 */
export function lockFolder(folder: string): () => void {
  const holderFile = join(folder, 'lynceus.pid');
  const lock = new DatabaseSync(join(folder, 'lynceus.lock'), { timeout: PATIENCE_MS });
  try {
    lock.exec('begin exclusive');
  } catch (error) {
    lock.close();
    throw isBusy(error) ? new StoreLockedError(refusal(folder, holderFile)) : error;
  }
  writeFileSync(holderFile, `${process.pid} on ${hostname()}\n`);
  return () => {
    rmSync(holderFile, { force: true });
    lock.close();
  };
}

function refusal(folder: string, holderFile: string): string {
  return (
    `The data folder ${folder} is in use by process ${holder(holderFile)}: stop it first, ` +
    'choose another folder, or use PostgreSQL to run several processes'
  );
}

function holder(holderFile: string): string {
  try {
    return readFileSync(holderFile, 'utf8').trim().slice(0, 200);
  } catch {
    return '(unknown pid)';
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5;
}
