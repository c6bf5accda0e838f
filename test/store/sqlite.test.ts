import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { backupSqlite } from '../../src/store/sqlite-backup.ts';
import type { NewEvent, Store } from '../../src/store/store.ts';
import { storeContract } from '../contracts/store.ts';
import { PROGRAM, storeProcess } from './child.ts';
import { expectCounted, writeCounted } from './counted.ts';

const root = mkdtempSync(join(tmpdir(), 'lynceus-store-'));
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
function freshFolder(): string {
  folders += 1;
  return join(root, `data-${folders}`);
}

function anEvent(id: string): NewEvent {
  return { id, source: '/test', type: 'dev.lynceus.test.happened.v1', time: '2025-03-01T10:00:00Z', data: {} };
}

async function using<T>(dir: string, body: (store: Store) => Promise<T>): Promise<T> {
  const store = await openSqliteStore({ dir });
  try {
    return await body(store);
  } finally {
    await store.close();
  }
}

describe('the embedded store', () => {
  storeContract(async () => {
    const store = await openSqliteStore({ dir: freshFolder() });
    return {
      store,
      openAnother: () => openSqliteStore({ dir: freshFolder() }),
      dispose: () => store.close(),
    };
  });
});

describe('the owner of a data folder', () => {
  it('is one process: another is refused at once and told who it is', async () => {
    const dataDir = freshFolder();
    const owner = storeProcess('hold', { dataDir });
    await owner.says('holding');
    const startedAt = performance.now();
    const opening = openSqliteStore({ dir: dataDir });
    await expect(opening).rejects.toThrow(new RegExp(`in use by process ${owner.pid} on .*stop it first`));
    expect(performance.now() - startedAt).toBeLessThan(2000);
    await owner.kill();
  });

  it('is one store within a process too', async () => {
    const dir = freshFolder();
    await using(dir, async () => {
      await expect(openSqliteStore({ dir })).rejects.toThrow(`in use by process ${process.pid}`);
    });
  });

  it('may be followed by another as soon as it is killed, which takes up its work at once', async () => {
    const dataDir = freshFolder();
    const owner = storeProcess('hold', { dataDir });
    await owner.says('holding');
    await owner.kill();
    await using(dataDir, async (store) => {
      const jobs = await store.claim({ limit: 10, leaseMs: 1000 });
      expect(jobs).toMatchObject([{ queue: 'held', key: 'k', attempt: 2 }]);
    });
  });

  it('leaves the folder free when it closes', async () => {
    const dir = freshFolder();
    await using(dir, (store) => store.receive('inbox', anEvent('1'), []));
    await using(dir, async (store) => expect(await store.readLog({})).toHaveLength(1));
  });
});

describe('due times and leases of the embedded store', () => {
  it('go on when somebody sets the clock: a timer follows it, a lease does not', async () => {
    let now = Date.parse('2025-03-01T10:00:00Z');
    const store = await openSqliteStore({ dir: freshFolder(), clock: { now: () => new Date(now) } });
    await store.commit({ jobs: [{ queue: 'q', key: 'runs' }] });
    const [running] = await store.claim({ limit: 10, leaseMs: 5_000 });
    await store.commit({ jobs: [{ queue: 'q', key: 'timer', delayMs: 600_000 }] });
    now += 600_000;
    expect(await store.claim({ limit: 10, leaseMs: 5_000 })).toMatchObject([{ key: 'timer' }]);
    await store.commit({ claim: running!, settle: { kind: 'done' } });
    await store.close();
  });
});

describe('a backup', () => {
  it('is consistent while others write, and opens as a store', async () => {
    const dir = freshFolder();
    const file = join(root, 'backup.db');
    await using(dir, async (store) => {
      for (let n = 0; n < 50; n += 1)
        await store.receive('inbox', anEvent(`before ${n}`), [{ queue: 'q', key: `${n}` }]);
      const writes = Array.from({ length: 500 }, (_, n) => store.receive('inbox', anEvent(`during ${n}`), []));
      await store.backup!(file);
      await Promise.all(writes);
    });
    await expectRestores(file, 50);
  });

  it('can be taken by another process while the server runs', async () => {
    const dataDir = freshFolder();
    const server = storeProcess('append', { dataDir });
    await server.says('committed');
    const file = join(root, 'other-process.db');
    await backupSqlite(dataDir, file);
    const heard = server.lines().length;
    await server.says('received', heard);
    await server.kill();
    await expectRestores(file, 1);
  });

  it('can be taken when no server runs', async () => {
    const dir = freshFolder();
    await using(dir, (store) => store.receive('inbox', anEvent('1'), []));
    const file = join(root, 'at-rest.db');
    await backupSqlite(dir, file);
    await backupSqlite(dir, file);
    await expectRestores(file, 1);
  });

  it('of a folder without a database is refused and makes none', async () => {
    const dir = freshFolder();
    mkdirSync(dir);
    await expect(backupSqlite(dir, join(root, 'nothing.db'))).rejects.toThrow(/no database at .*lynceus\.db/);
    expect(readdirSync(dir)).toEqual([]);
    expect(existsSync(join(root, 'nothing.db'))).toBe(false);
  });

  async function expectRestores(file: string, atLeast: number): Promise<void> {
    const dir = freshFolder();
    mkdirSync(dir);
    copyFileSync(file, join(dir, 'lynceus.db'));
    await using(dir, async (store) => {
      expect((await store.readLog({})).length).toBeGreaterThanOrEqual(atLeast);
      await store.receive('inbox', anEvent('after'), []);
    });
  }
});

describe('the schema of the embedded store', () => {
  async function tampered(statement: string): Promise<string> {
    const dir = freshFolder();
    await using(dir, async () => {});
    const db = new DatabaseSync(join(dir, 'lynceus.db'));
    db.exec(statement);
    db.close();
    return dir;
  }

  it('of a newer program is refused', async () => {
    const dir = await tampered("insert into lynceus_migrations values (999, 'from-the-future', 'x', 0)");
    await expect(openSqliteStore({ dir })).rejects.toThrow(/migration 999 \(from-the-future\).*newer version/);
    // A refusal leaves the folder free.
    await expect(openSqliteStore({ dir })).rejects.toThrow(/migration 999/);
  });

  it('counts the changes that are there when it learns to count', async () => {
    const dir = freshFolder();
    await using(dir, (store) => writeCounted(store));
    const db = new DatabaseSync(join(dir, 'lynceus.db'));
    for (const name of ['come', 'go', 'move']) db.exec(`drop trigger change_counts_${name}`);
    db.exec('drop table change_counts; drop index changes_found; delete from lynceus_migrations where id = 4');
    db.close();
    await using(dir, (store) => expectCounted(store));
  });

  it('that was applied in another form is refused', async () => {
    const dir = await tampered("update lynceus_migrations set checksum = 'other'");
    await expect(openSqliteStore({ dir })).rejects.toThrow(/Migration 1 .*another form/);
  });
});

describe('an acknowledgement', () => {
  const strace = available('strace');
  const skipped = !strace && process.env['CI'] !== 'true';
  if (skipped) console.warn('Skipped, no strace here: an acknowledgement of the disk');

  function traced(mode: string, dir: string, options: readonly string[]): string {
    return execFileSync('strace', ['-f', ...options, process.execPath, PROGRAM, mode, '', dir], { encoding: 'utf8' });
  }

  /** One event on a disk that does otherwise than usual. */
  function receiveOne(dir: string, disk: string) {
    const inject = ['-o', '/dev/null', '-e', 'trace=fdatasync', '-e', `inject=fdatasync:${disk}`];
    return JSON.parse(traced('receive-one', dir, inject).trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
  }

  it.skipIf(skipped)('comes after the disk has the event, each time', () => {
    const trace = join(root, 'trace');
    const syncsOf = (mode: string) => {
      traced(mode, freshFolder(), ['-o', trace, '-e', 'trace=fsync,fdatasync']);
      return readFileSync(trace, 'utf8').match(/f(data)?sync\(/g)?.length ?? 0;
    };
    expect(syncsOf('receive-twenty') - syncsOf('open')).toBeGreaterThanOrEqual(20);
  });

  it.skipIf(skipped)('waits for a slow disk, as do those who would read it; nobody else does', () => {
    const { received, read, readMs, turns } = receiveOne(freshFolder(), 'delay_enter=400000');
    expect({ received, read }).toEqual({ received: 'stored', read: '1' });
    expect(readMs).toBeGreaterThanOrEqual(400);
    expect(turns).toBeGreaterThan(10);
  });

  it.skipIf(skipped)('is not given when the disk fails, and no other until the store is opened again', async () => {
    const dir = freshFolder();
    const refused = expect.stringMatching(/^StoreUnavailableError: .*the disk did not take what was written/);
    expect(receiveOne(dir, 'error=EIO')).toMatchObject({ received: refused, read: refused, ready: refused });
    await using(dir, async (store) => {
      const event = anEvent('after');
      expect(await store.receive('inbox', event, [])).toBe('stored');
    });
  });
});

describe('a disk that takes no more writes', () => {
  const prlimit = available('prlimit');
  if (!prlimit && process.env['CI'] !== 'true')
    console.warn('Skipped, no prlimit here: a disk that takes no more writes');

  it.skipIf(!prlimit && process.env['CI'] !== 'true')(
    'makes the store unavailable and not ready, and it recovers by itself',
    async () => {
      const dataDir = freshFolder();
      const server = storeProcess('receive-patiently', { dataDir });
      await server.says('stored');
      limitFileSize(server.pid, '1000');
      const refused = await server.says('StoreUnavailableError', server.lines().length);
      expect(refused).toMatch(/The store cannot work: the disk/);
      limitFileSize(server.pid, 'unlimited');
      await server.says('stored', server.lines().length);
      await server.kill();
      await expectAcknowledgedEvents(dataDir, server.lines());
    },
  );

  /** Past the limit a write fails as on a broken disk. Only the soft limit moves: no rights needed. */
  function limitFileSize(pid: number, bytes: string): void {
    execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);
  }

  async function expectAcknowledgedEvents(dir: string, lines: readonly string[]): Promise<void> {
    const stored = lines.filter((line) => line.startsWith('stored ')).map((line) => line.split(' ')[1]!);
    await using(dir, async (store) => {
      const ids = new Set((await store.readLog({})).map((event) => event.id));
      expect(stored.filter((id) => !ids.has(id))).toEqual([]);
    });
  }
});

function available(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
