import { closeSync, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { StoreUnavailableError } from './store.ts';

/** What stands between a commit and a power failure. */
export interface Disk {
  /**
   * Resolves once everything that was committed before is on the disk, while this thread does other things.
   *
   * @throws {StoreUnavailableError} from then on for good: the kernel may have dropped what it could not write
   */
  sync(): Promise<void>;
  /**
   * Resolves when no commit waits for the disk: what is read then, no power failure takes back.
   *
   * @throws {StoreUnavailableError} when the disk failed once
   */
  settled(): Promise<void>;
  close(): void;
}

const flush = promisify(fdatasync);

/**
 * For a database in WAL mode with `synchronous = normal`: SQLite writes a commit into the log and goes on. With `full` it
 * would do the same and then call `fdatasync`, which makes everyone wait who shares its thread. A checkpoint
 * waits for the disk by itself in both.
 */
export function openDisk(databaseFile: string): Disk {
  // Not the database itself: closing a file drops the locks that this process holds on it.
  const log = openSync(`${databaseFile}-wal`, 'r+');
  let waiting: Promise<void> | undefined;
  let broken: StoreUnavailableError | undefined;

  async function write(): Promise<void> {
    try {
      await flush(log);
    } catch (cause) {
      const reason = 'the disk did not take what was written: look at it, then start again';
      broken = new StoreUnavailableError(`The store cannot work: ${reason}`, { cause });
      throw broken;
    } finally {
      waiting = undefined;
    }
  }

  return {
    sync() {
      waiting = write();
      return waiting;
    },
    async settled() {
      while (waiting !== undefined) await waiting;
      if (broken !== undefined) throw broken;
    },
    close: () => closeSync(log),
  };
}
