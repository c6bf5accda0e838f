import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { changesCount, changesList } from '../../src/store/change-statements.ts';
import { MIGRATIONS } from '../../src/store/migrations.ts';
import { openPostgresStore } from '../../src/store/postgres.ts';
import { within } from '../../src/store/postgres-changes.ts';
import { toStoreError } from '../../src/store/postgres-errors.ts';
import { type NewEvent, type Store, StoreUnavailableError } from '../../src/store/store.ts';
import { storeContract } from '../contracts/store.ts';
import { withPostgres } from '../support/postgres.ts';
import { binaries, type PostgresCluster, startPostgres } from '../support/postgres-cluster.ts';
import { storeProcess } from './child.ts';
import { expectCounted, writeCounted } from './counted.ts';

let events = 0;
function anEvent(fields: Partial<NewEvent> = {}): NewEvent {
  events += 1;
  return {
    id: `event-${events}`,
    source: '/test',
    type: 'dev.lynceus.test.happened.v1',
    time: '2025-03-01T10:00:00Z',
    data: {},
    ...fields,
  };
}

withPostgres('the PostgreSQL store', (database) => {
  storeContract(async () => {
    const store = await openPostgresStore({ connectionString: new Secret(database.url) });
    return {
      store,
      openAnother: () => openPostgresStore({ connectionString: database.url }),
      dispose: () => store.close(),
    };
  });
});

withPostgres('several replicas on one PostgreSQL', (database) => {
  it('apply each migration once when they start together', async () => {
    const stores = await Promise.all([1, 2, 3, 4].map(() => openPostgresStore({ connectionString: database.url })));
    const rows = await query(
      database.url,
      'select id, count(*)::int as times from lynceus_migrations group by id order by id',
    );
    expect(rows).toEqual(MIGRATIONS.map(({ id }) => ({ id, times: 1 })));
    await Promise.all(stores.map((store) => store.close()));
  });

  it('wake each other when there is work', async () => {
    const [one, other] = await openTwo();
    let calls = 0;
    other.onWork(() => {
      calls += 1;
    });
    await until(() => calls > 0);
    const before = calls;
    await one.receive('inbox', anEvent(), [{ queue: 'wake', key: 'k' }]);
    await until(() => calls > before);
    await Promise.all([one.close(), other.close()]);
  });

  it('listen again after their connection was cut', async () => {
    const [one, other] = await openTwo();
    let calls = 0;
    other.onWork(() => {
      calls += 1;
    });
    await until(() => calls > 0);
    await query(database.url, "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %'");
    // Being back is a reason to look for work too: a message may have been missed.
    const before = calls;
    await until(() => calls > before);
    const back = calls;
    await one.receive('inbox', anEvent(), [{ queue: 'wake', key: 'again' }]);
    await until(() => calls > back);
    await Promise.all([one.close(), other.close()]);
  });

  it('tell each other of changes, and find what they missed while they could not hear', async () => {
    const [one, other] = await openTwo();
    const heard = new Map<string, number>();
    other.onChanged((moved) => {
      for (const { id, rev } of moved) heard.set(id, rev);
    });
    await listening(database.url, 1);
    const change = (id: string, version: number) => ({
      ...{ id, version, project: 'p', service: 's', state: 'running', kind: 'code', rank: 2 },
      ...{ createdAt: 1, movedAt: 1, keys: [], data: {} },
    });
    // More than fit into one message of PostgreSQL.
    const many = Array.from({ length: 300 }, (_, index) => change(`ä-change-with-a-long-name-${index}`, 7));
    await one.commit({ changes: many });
    await until(() => heard.size === many.length);
    expect(heard.get(many[299]!.id)).toBe(7);
    const missed = async (record: ReturnType<typeof change>) => {
      await query(database.url, "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %'");
      await listening(database.url, 0);
      heard.delete(record.id);
      await one.commit({ changes: [record] });
      await until(() => heard.get(record.id) === record.version);
      await listening(database.url, 1);
    };
    await missed(change('missed', 3));
    // Somebody stopped the line: the row says so, and nothing happened to the change itself.
    await missed({ ...change('missed', 3), state: 'waiting' });
    await Promise.all([one.close(), other.close()]);
  });

  it('finish commits that ask for each other at the same time', async () => {
    const [one, other] = await openTwo();
    await one.commit({ jobs: ['a', 'b'].map((key) => ({ queue: 'mutual', key })) });
    for (let round = 0; round < 30; round += 1) {
      const claims = await one.claim({ limit: 2, leaseMs: 60_000, queues: ['mutual'] });
      expect(claims).toHaveLength(2);
      await Promise.all(
        claims.map((claim, index) => {
          const jobs = [{ queue: 'mutual', key: claim.key === 'a' ? 'b' : 'a' }];
          return (index === 0 ? one : other).commit({ claim, settle: { kind: 'again', delayMs: 0 }, jobs });
        }),
      );
    }
    await Promise.all([one.close(), other.close()]);
  });

  async function openTwo(): Promise<[Store, Store]> {
    const open = () => openPostgresStore({ connectionString: database.url });
    return [await open(), await open()];
  }
});

withPostgres('the log of PostgreSQL', (database) => {
  it('waits for an event with a lower number that is still being written', async () => {
    const store = await openPostgresStore({ connectionString: database.url });
    const slow = await connect(database.url);
    await slow.query('begin');
    await slow.query(`insert into events (stream, source, id, type, time, data, recorded_at)
      values ('inbox', '/slow', 'slow', 't', '', '{}', 0)`);
    await store.receive('inbox', anEvent({ id: 'quick' }), []);

    let answered = false;
    const reading = store.readLog({ stream: 'inbox' }).finally(() => {
      answered = true;
    });
    await sleep(200);
    expect(answered).toBe(false);
    await store.receive('inbox', anEvent({ id: 'later' }), []);
    await slow.query('commit');
    expect((await reading).map((event) => event.id)).toEqual(['slow', 'quick']);
    expect((await store.readLog({})).map((event) => event.id)).toEqual(['slow', 'quick', 'later']);
    await slow.end();
    await store.close();
  });

  it('does not wait for transactions of others that write elsewhere', async () => {
    const store = await openPostgresStore({ connectionString: database.url });
    const other = await connect(database.url);
    await other.query('create table elsewhere (n int)');
    await other.query('begin; insert into elsewhere values (1)');
    await store.receive('other', anEvent(), []);
    const startedAt = performance.now();
    expect(await store.readLog({ stream: 'other' })).toHaveLength(1);
    expect(performance.now() - startedAt).toBeLessThan(2000);
    await other.end();
    await store.close();
  });
});

withPostgres('one bad event in a group', (database) => {
  it('fails by itself when only the database notices', async () => {
    const store = await openPostgresStore({ connectionString: database.url });
    await query(database.url, "alter table events add constraint no_bad check (subject is distinct from 'bad')");
    const subjects = ['good', 'bad', 'fine'];
    const answers = await Promise.allSettled(
      subjects.map((subject) => store.receive('inbox', anEvent({ subject }), [{ queue: 'q', key: subject }])),
    );
    expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await store.readLog({})).map((event) => event.subject)).toEqual(['good', 'fine']);
    expect((await store.stats())[0]).toMatchObject({ due: 2 });
    await store.close();
  });
});

withPostgres('the schema of a PostgreSQL', (database) => {
  it('counts the changes that are there when it learns to count', async () => {
    const before = await openPostgresStore({ connectionString: database.url });
    await writeCounted(before);
    await before.close();
    await query(
      database.url,
      'drop function change_counts_keep cascade; drop table change_counts; delete from lynceus_migrations where id = 4',
    );
    const store = await openPostgresStore({ connectionString: database.url });
    await expectCounted(store);
    await store.close();
  });

  it('of a newer or an edited program is refused', async () => {
    await (await openPostgresStore({ connectionString: database.url })).close();
    await query(database.url, "insert into lynceus_migrations values (999, 'from-the-future', 'x', 0)");
    await expect(openPostgresStore({ connectionString: database.url })).rejects.toThrow(/migration 999/);
    await query(
      database.url,
      "delete from lynceus_migrations where id = 999; update lynceus_migrations set checksum = ''",
    );
    await expect(openPostgresStore({ connectionString: database.url })).rejects.toThrow(/another form/);
  });
});

withPostgres('lists of changes in PostgreSQL', (database) => {
  it('compare what several words lead to by hash, never each row with each of them', async () => {
    await (await openPostgresStore({ connectionString: database.url })).close();
    const word = (value: string) => ({ names: ['word', 'service'], values: [value], prefix: true, often: true });
    const asked = { keys: [word('retry'), word('card')], state: ['failed'] };
    for (const { text, values } of [changesList(asked, within), changesCount(asked, within)]) {
      const plan = JSON.stringify(await query(database.url, `explain ${text}`, values));
      expect(plan.match(/hashed SubPlan/g)?.length).toBeGreaterThanOrEqual(2);
      expect(plan).not.toContain('Semi Join');
    }
  });
});

withPostgres('a server that answers before its disk has it', (database) => {
  it('is told to write our commits through', async () => {
    const name = new URL(database.url).pathname.slice(1);
    await query(database.url, `alter database ${name} set synchronous_commit = off`);
    const store = await openPostgresStore({ connectionString: database.url });
    await query(
      database.url,
      `create function note_setting() returns trigger language plpgsql as $$
        begin new.subject := current_setting('synchronous_commit'); return new; end $$;
       create trigger note_setting before insert on events for each row execute function note_setting()`,
    );
    await store.receive('inbox', anEvent(), []);
    expect(await store.readLog({})).toMatchObject([{ subject: 'on' }]);
    await store.close();
  });
});

describe.skipIf(binaries === undefined && process.env['CI'] !== 'true')('a PostgreSQL that goes away', () => {
  let cluster: PostgresCluster;
  beforeAll(async () => {
    cluster = await startPostgres();
  });
  afterAll(() => cluster.stop());

  it('makes the store unavailable for a moment and costs no acknowledged event', async () => {
    const child = storeProcess('receive-patiently', { databaseUrl: cluster.url });
    for (let round = 0; round < 3; round += 1) {
      await child.says('stored', child.lines().length);
      await cluster.crashAndRestart();
      const startedAt = performance.now();
      const heard = child.lines().length;
      expect(await child.says('stored', heard)).toMatch(/ ready$/);
      expect(performance.now() - startedAt).toBeLessThan(5000);
    }
    await child.kill();
    expect(child.lines().filter((line) => !/^(open|stored|duplicate|StoreUnavailableError)/.test(line))).toEqual([]);
    const stored = child
      .lines()
      .filter((line) => line.startsWith('stored '))
      .map((line) => line.split(' ')[1]!);
    const rows = await query(cluster.url, 'select id from events');
    const ids = new Set(rows.map((row) => row['id']));
    expect(stored.filter((id) => !ids.has(id))).toEqual([]);
  });
});

describe('a PostgreSQL that cannot be used', () => {
  const PASSWORD = 'v3ry-s3cret';

  it('is reported by host and port, never with the password', async () => {
    const url = `postgresql://lynceus:${PASSWORD}@127.0.0.1:1/db`;
    const error = await openPostgresStore({ connectionString: new Secret(url) }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(String(error)).toContain('127.0.0.1:1/db');
    expect(everythingIn(error)).not.toContain(PASSWORD);
  });

  it('is reported in time when it accepts connections and says nothing', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    const { port } = silent.address() as AddressInfo;
    const startedAt = performance.now();
    const opening = openPostgresStore({ connectionString: `postgresql://u:${PASSWORD}@127.0.0.1:${port}/db` });
    await expect(opening).rejects.toBeInstanceOf(StoreUnavailableError);
    expect(performance.now() - startedAt).toBeLessThan(8000);
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it('has a readable reason when the URL is none, without quoting it', async () => {
    const url = `postgresql://lynceus:${PASSWORD}@host:not-a-port/db`;
    const error = await openPostgresStore({ connectionString: url }).catch((reason: unknown) => reason);
    expect(String(error)).toMatch(/database URL cannot be read/);
    expect(everythingIn(error)).not.toContain(PASSWORD);
  });

  it.each([
    ['53100', 'a full disk'],
    ['57P01', 'a shutdown'],
    ['53300', 'too many connections'],
    ['25006', 'a standby'],
    ['28P01', 'a rotated password'],
  ])('means "try again later" for %s, %s', (code) => {
    const error = new pg.DatabaseError('words of the server', 0, 'error');
    error.code = code;
    const answer = toStoreError(error, 'db:5432/lynceus');
    expect(answer).toBeInstanceOf(StoreUnavailableError);
    expect(String(answer)).toContain(`db:5432/lynceus cannot work: ${code} words of the server`);
  });

  it('leaves a mistake of ours what it is', () => {
    const error = new pg.DatabaseError('syntax error', 0, 'error');
    error.code = '42601';
    expect(toStoreError(error, 'db')).toBe(error);
  });

  function everythingIn(error: unknown): string {
    const { message, stack, cause } = error as Error;
    const details = cause instanceof Error ? [cause.message, cause.stack, JSON.stringify(cause)] : [];
    return [message, stack, JSON.stringify(error), ...details].join('\n');
  }
});

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  return client;
}

async function query(url: string, text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = await connect(url);
  try {
    return (await client.query(text, values.length === 0 ? undefined : values)).rows;
  } finally {
    await client.end();
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('It did not happen within 10 s');
    await sleep(10);
  }
}

/** Waits until this many connections listen. */
async function listening(url: string, wanted: number): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const rows = await query(url, "select count(*)::int as count from pg_stat_activity where query like 'listen %'");
    if (rows[0]!['count'] === wanted) return;
    await sleep(10);
  }
  throw new Error(`there are never ${wanted} that listen`);
}
