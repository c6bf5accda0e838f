import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import type { JsonObject } from '../../src/base/json.ts';

/**
 * How fast the store takes groups of 64 events with nothing around it: the same table with the same
 * indexes, one group after the other, each durable before the next begins. SQLite: one transaction of
 * 64 statements. PostgreSQL: one statement of 64 rows. Writing the data as JSON is included, because
 * whoever stores a value has to; making the values is not.
 */
const GROUP = 64;
const COLUMNS = ['stream', 'source', 'id', 'type', 'subject', 'time', 'data', 'recorded_at'];
const options = JSON.parse(process.argv[2] ?? '{}') as {
  dataDir: string;
  databaseUrl?: string;
  bodies: { template: string; placeholder: string; prefix: string };
  amount: number;
};

const groups = makeGroups();
const insert = options.databaseUrl === undefined ? intoSqlite() : await intoPostgres(options.databaseUrl);
const began = performance.now();
for (const group of groups) await insert(group);
const seconds = (performance.now() - began) / 1000;
console.log(JSON.stringify({ perSecond: options.amount / seconds }));
process.exit(0);

function makeGroups(): JsonObject[][] {
  const { template, placeholder, prefix } = options.bodies;
  const events = Array.from(
    { length: options.amount },
    (_, at) => JSON.parse(template.replaceAll(placeholder, `${prefix}${at}`)) as JsonObject,
  );
  return Array.from({ length: Math.ceil(events.length / GROUP) }, (_, at) =>
    events.slice(at * GROUP, (at + 1) * GROUP),
  );
}

function valuesOf(event: JsonObject): (string | number)[] {
  const now = new Date();
  return [
    'inbox',
    String(event['source'] ?? 'argocd'),
    String(event['id'] ?? crypto.randomUUID()),
    String(event['type'] ?? 'notification'),
    String(event['subject'] ?? 'application'),
    String(event['time'] ?? now.toISOString()),
    JSON.stringify(event['data'] ?? event),
    now.getTime(),
  ];
}

function intoSqlite() {
  const db = new DatabaseSync(join(options.dataDir, 'lynceus.db'));
  db.exec('pragma journal_mode = wal; pragma synchronous = full');
  const statement = db.prepare(
    `insert into events (${COLUMNS.join(', ')}) values (${COLUMNS.map(() => '?').join(', ')})`,
  );
  return (group: readonly JsonObject[]) => {
    db.exec('begin immediate');
    for (const event of group) statement.run(...valuesOf(event));
    db.exec('commit');
  };
}

async function intoPostgres(url: string) {
  const client = new pg.Client(url);
  await client.connect();
  const types = COLUMNS.map((column) => (column === 'recorded_at' ? 'bigint[]' : 'text[]'));
  const text = `insert into events (${COLUMNS.join(', ')})
    select * from unnest(${types.map((type, at) => `$${at + 1}::${type}`).join(', ')})`;
  return async (group: readonly JsonObject[]) => {
    const rows = group.map(valuesOf);
    const values = COLUMNS.map((_, column) => rows.map((row) => row[column]));
    await client.query({ name: 'insert', text, values });
  };
}
