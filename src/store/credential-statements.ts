import type { Credential, CredentialStore } from './credentials.ts';
import { checkedName, toJson } from './records.ts';
import type { Statement } from './statements.ts';

/** One statement on either database; both answer the rows of `returning`. */
export interface Statements {
  read<Row>(statement: Statement): Promise<Row[]>;
  write<Row>(statement: Statement): Promise<Row[]>;
}

interface Row {
  kind: string;
  id: string;
  hash: string;
  created_at: number;
  used_at: number;
  expires_at: number;
  data: string;
}

const COLUMNS = 'kind, id, hash, created_at, used_at, expires_at, data';
const ADD = `insert into credentials (${COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7)
  on conflict (kind, id) do update set hash = excluded.hash, created_at = excluded.created_at,
    used_at = excluded.used_at, expires_at = excluded.expires_at, data = excluded.data
    where credentials.expires_at <= excluded.created_at
  returning id`;
const FIND = `select ${COLUMNS} from credentials where kind = $1 and hash = $2 and expires_at > $3`;
const TAKE = `delete from credentials where kind = $1 and hash = $2 and expires_at > $3 returning ${COLUMNS}`;
const TOUCH = `update credentials set used_at = $4, expires_at = $5
  where kind = $1 and id = $2 and hash = $3 and used_at <= $4 returning id`;
const LIST = `select ${COLUMNS} from credentials where kind = $1 and expires_at > $2
  order by created_at desc, id limit $3`;
const REMOVE = 'delete from credentials where kind = $1 and id = $2 returning id';
const PURGE = 'delete from credentials where expires_at <= $1 returning id';

/** The same on both databases. */
export function credentialStore({ read, write }: Statements): CredentialStore {
  return {
    async add({ kind, id, hash, createdAt, usedAt, expiresAt, data }) {
      checkedName('kind of the credential', kind);
      checkedName('id of the credential', id);
      const values = [kind, id, hash, createdAt, usedAt, expiresAt, JSON.stringify(data)];
      return (await write({ text: ADD, values })).length === 1;
    },
    find: async (kind, hash, now) => toCredential((await read<Row>({ text: FIND, values: [kind, hash, now] }))[0]),
    take: async (kind, hash, now) => toCredential((await write<Row>({ text: TAKE, values: [kind, hash, now] }))[0]),
    async touch({ kind, id, hash, usedAt, expiresAt }) {
      await write({ text: TOUCH, values: [kind, id, hash, usedAt, expiresAt] });
    },
    async list(kind, now, limit) {
      const rows = await read<Row>({ text: LIST, values: [kind, now, limit] });
      return rows.flatMap((row) => toCredential(row) ?? []);
    },
    remove: async (kind, id) => (await write({ text: REMOVE, values: [kind, id] })).length === 1,
    purge: async (now) => (await write({ text: PURGE, values: [now] })).length,
  };
}

function toCredential(row: Row | undefined): Credential | undefined {
  if (row === undefined) return undefined;
  const { kind, id, hash, created_at: createdAt, used_at: usedAt, expires_at: expiresAt, data } = row;
  return { kind, id, hash, createdAt, usedAt, expiresAt, data: toJson(data) };
}
