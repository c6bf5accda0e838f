import { createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { sql } from '../../../src/adapters/metrics/sql.ts';
import { bindQuery } from '../../../src/adapters/metrics/sql-query.ts';
import { query, SECRET, tools } from '../../contracts/metrics-source.ts';
import { withPostgres } from '../../support/postgres.ts';

const source = (url: string, config: object = {}, addresses: 'any' | 'team' = 'any') =>
  sql.create('shop', { url, password: { env: 'P' }, ...config }, { ...tools, addresses });

withPostgres('SQL as a metrics source', (database) => {
  let admin: pg.Client;
  beforeAll(async () => {
    admin = new pg.Client(database.url);
    await admin.connect();
    await admin.query(`create table orders (service text, at timestamptz, ms int8, price numeric)`);
    await admin.query(
      `insert into orders values ('cart', '2026-01-01T10:01:00Z', 10, 0.5), ('cart', '2026-01-01T11:00:00Z', 99, 9)`,
    );
  });
  afterAll(() => admin?.end());
  const read = (text: string, variables: Record<string, string> = {}, config: object = {}) =>
    source(database.url, config).read(query({ query: text, variables: { SERVICE: 'cart', ...variables } }));

  it.each([
    ['count(*)', 1],
    ['sum(price)', 0.5],
    ['avg(ms)', 10],
    ['min(ms)::int2', 10],
    ['max(price)::float8', 0.5],
    ['1::numeric / 3', 1 / 3],
    ['0', 0],
    ['-1.5', -1.5],
    ["'1e300'::float8", 1e300],
  ])('reads %s of the period', async (column, value) => {
    const text = `select ${column} from orders where service = $SERVICE and at >= $START and at < $END -- of $$ this $$`;
    expect(await read(`${text};`)).toEqual({ ok: true, value });
  });

  it.each([
    ['no row', 'select ms from orders where false', 'no-data'],
    ['NULL', 'select sum(ms) from orders where false', 'no-data'],
    ['two rows', 'select ms from orders', 'several-values'],
    ['two columns', 'select 1, 2', 'several-values'],
    ['a text', "select '1'::text", 'not-numeric'],
    ['a truth', 'select true', 'not-numeric'],
    ['NaN', "select 'NaN'::numeric", 'not-a-number'],
    ['infinity', "select 'Infinity'::float8", 'not-a-number'],
    ['more than a double can count', 'select 9007199254740993', 'not-a-number'],
    ['much more', 'select 10::numeric ^ 30', 'not-a-number'],
  ])('%s is answered honestly', async (_what, text, missing) => {
    expect(await read(text)).toMatchObject({ ok: false, missing });
  });

  it('takes any text as that text, and never as SQL', { timeout: 60_000 }, async () => {
    const nasty = fc.constantFrom(
      "'",
      '"',
      '\\',
      ';',
      '--',
      '/*',
      '$1',
      '$$',
      "' or 1=1 --",
      '\n',
      '%',
      '😀',
      '\u2028',
    );
    const hostile = fc.array(fc.oneof(nasty, fc.string({ unit: 'grapheme', maxLength: 4 })), {
      minLength: 1,
      maxLength: 6,
    });
    const texts = fc
      .sample(
        hostile.map((parts) => parts.join('')),
        100,
      )
      .filter((text) => !text.includes('\u0000'));
    for (const text of ['', ...texts]) {
      const one = await read(`select count(*) + octet_length($V) from orders where service <> $V`, { V: text });
      expect({ text, one }).toEqual({ text, one: { ok: true, value: 2 + Buffer.byteLength(text) } });
    }
  });

  it.each([
    ['changes something', 'with gone as (delete from orders returning 1) select count(*) from gone'],
    ['changes something in a function', "select nextval('numbers')"],
    ['says two things', 'select 1; commit; drop table orders'],
    ['leaves its brackets', 'select 1) as answer; commit; drop table orders; select * from (select 1'],
  ])('refuses a query that %s', async (_what, text) => {
    await admin.query('create sequence if not exists numbers');
    await expect(read(text)).rejects.toMatchObject({ reason: 'rejected' });
    expect((await admin.query('select count(*)::int4 as left from orders')).rows).toEqual([{ left: 2 }]);
  });

  it('says what PostgreSQL does not understand, without the password', async () => {
    await expect(read('select nothing from orders')).rejects.toMatchObject({
      reason: 'rejected',
      message: 'PostgreSQL shop: column "nothing" does not exist (42703)',
    });
    const error = await read(`select '${SECRET}'::int`).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('invalid input syntax for type integer: "<secret>"');
    expect(String(error)).not.toContain(SECRET);
  });

  it('says when rights, the database or the user are missing', async () => {
    await admin.query('create role nobody_here; create role reader login').catch(() => {});
    const as = (user: string, changes: (url: URL) => void = () => {}) => {
      const url = new URL(database.url);
      url.username = user;
      changes(url);
      return source(url.href).read(query({ query: 'select count(*) from orders' }));
    };
    await expect(as('reader')).rejects.toMatchObject({ reason: 'forbidden' });
    await expect(as('nobody_here')).rejects.toMatchObject({ reason: 'unauthenticated' });
    const elsewhere = as('reader', (url) => {
      url.pathname = '/nowhere';
    });
    await expect(elsewhere).rejects.toMatchObject({ reason: 'not-found' });
    await admin.query('drop role nobody_here; drop role reader');
  });

  it('ends a query that takes too long, on the server too', async () => {
    const reading = read('select 1 from pg_sleep(60)', {}, { timeout: '300ms' });
    await expect(reading).rejects.toMatchObject({ reason: 'timeout', message: expect.stringContaining('57014') });
  });

  it('stops when it is aborted', async () => {
    const stop = new AbortController();
    const reading = source(database.url).read(query({ query: 'select 1 from pg_sleep(60)' }), { signal: stop.signal });
    setTimeout(() => stop.abort(), 100);
    await expect(reading).rejects.toMatchObject({ reason: 'cancelled' });
    await expect(
      source(database.url).read(query({ query: 'select 1' }), { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ reason: 'cancelled' });
  });

  it('does not connect where it may not', async () => {
    const reading = source(database.url, {}, 'team').read(query({ query: 'select 1' }));
    await expect(reading).rejects.toMatchObject({
      reason: 'rejected',
      message: expect.stringContaining('not allowed'),
    });
  });

  it('does without encryption only when it was told so', async () => {
    await expect(read('select 1', {}, { tls: true })).rejects.toMatchObject({ reason: 'unavailable' });
  });

  it('leaves no connection behind', async () => {
    await read('select 1');
    await expect(read('select nothing')).rejects.toThrow();
    const open = `select count(*)::int4 as n from pg_stat_activity where application_name = 'lynceus' and datname = current_database()`;
    await expect.poll(async () => (await admin.query(open)).rows, { timeout: 10_000 }).toEqual([{ n: 0 }]);
  });
});

describe('a PostgreSQL that is none', () => {
  const listening = async (onConnect: (socket: Socket) => void) => {
    const server = createServer(onConnect);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    return `postgresql://reader@127.0.0.1:${(server.address() as { port: number }).port}/shop`;
  };

  it('is given up when it does not answer', async () => {
    const sockets: Socket[] = [];
    const url = await listening((socket) => sockets.push(socket));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    await expect(source(url, { timeout: '200ms' }).read(query({ query: 'select 1' }))).rejects.toMatchObject({
      reason: expect.stringMatching(/^(?:timeout|unavailable)$/),
    });
  });

  it.each([
    ['hangs up', (socket: Socket) => socket.destroy()],
    ['speaks HTTP', (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('and %s is unavailable', async (_what, onConnect) => {
    const error = await source(await listening(onConnect))
      .read(query({ query: 'select 1' }))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'AdapterError', reason: 'unavailable' });
    expect(String(error)).not.toContain(SECRET);
  });

  it.each([
    'postgresql://db/shop',
    'postgresql://reader@db',
    'postgresql://reader:secret@db/shop',
    'postgresql://reader@db/shop?sslmode=disable',
    'mysql://reader@db/shop',
    'postgresql://%zz@db/shop',
    '',
  ])('is not looked for at %s', (url) => {
    expect(() => source(url)).toThrow('the URL must be postgresql://user@host:5432/database');
  });
});

describe('a placeholder in SQL', () => {
  it('becomes a parameter, the same one each time', () => {
    expect(bindQuery('select $A + $B + $A', { A: '1', B: '2' })).toEqual({
      text: 'select * from (select $1 + $2 + $1\n) as answer limit 2',
      values: ['1', '2'],
    });
  });

  it.each(["'$A'", "'it''s $A'", "E'\\' $A'", '"$A"', '$$ $A $$', '1 -- $A\n', '/* $A */ 1'])(
    'in %s would be text',
    (expression) => {
      expect(() => bindQuery(`select ${expression}`, { A: '1' })).toThrow('stands in quotes or in a comment');
    },
  );

  it.each([
    ['select $NOBODY', 'unknown placeholder $NOBODY'],
    ['select $1', 'numbered parameter'],
    ['delete from orders', 'must be one SELECT'],
    ['-- select\ndelete from orders', 'must be one SELECT'],
    ['', 'must be one SELECT'],
    ['select $A', 'a character that no text has'],
  ])('%s is refused', (text, message) => {
    expect(() => bindQuery(text, { A: '\u0000' })).toThrow(message);
  });
});
