import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import express from 'express';
import pg from 'pg';
import type { JsonObject } from '../../src/base/json.ts';

/**
 * What one would write first: Express, its JSON parser, and one INSERT per request into the same table
 * with the same indexes. No authentication, no validation, no duplicates, no queue.
 */
const { dataDir, databaseUrl } = JSON.parse(process.argv[2] ?? '{}') as { dataDir: string; databaseUrl?: string };

const COLUMNS = 'stream, source, id, type, subject, time, data, recorded_at';
const insert = databaseUrl === undefined ? intoSqlite() : intoPostgres(databaseUrl);

const app = express();
app.use(express.json({ type: () => true, limit: '1mb' }));
app.post('/events', async (request, response) => {
  await insert(valuesOf(request.body as JsonObject));
  response.status(202).end();
});
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(JSON.stringify({ port: typeof address === 'object' ? address?.port : undefined }));
});
process.once('SIGTERM', () => process.exit(0));

/** A CloudEvent, or the body of a webhook, which has no id of its own. */
function valuesOf(body: JsonObject): (string | number)[] {
  const now = new Date();
  return [
    'inbox',
    String(body['source'] ?? 'argocd'),
    String(body['id'] ?? crypto.randomUUID()),
    String(body['type'] ?? 'notification'),
    String(body['subject'] ?? 'application'),
    String(body['time'] ?? now.toISOString()),
    JSON.stringify(body['data'] ?? body),
    now.getTime(),
  ];
}

function intoSqlite() {
  const db = new DatabaseSync(join(dataDir, 'lynceus.db'));
  db.exec('pragma journal_mode = wal; pragma synchronous = full');
  const statement = db.prepare(`insert into events (${COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?)`);
  return (values: (string | number)[]) => statement.run(...values);
}

function intoPostgres(url: string) {
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  const text = `insert into events (${COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8)`;
  return (values: (string | number)[]) => pool.query({ name: 'insert', text, values });
}
