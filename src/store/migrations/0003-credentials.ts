import type { Migration } from './migration.ts';

/** What people and programs prove themselves with. Of each secret there is the hash only. */
function schema(text: string): string {
  return `
create table credentials (
  kind ${text} not null,
  id ${text} not null,
  hash ${text} not null,
  created_at bigint not null,
  used_at bigint not null,
  expires_at bigint not null,
  data ${text} not null,
  primary key (kind, id)
);
create unique index credentials_hash on credentials (kind, hash);
create index credentials_expiry on credentials (expires_at);
`;
}

export const credentials: Migration = {
  id: 3,
  name: 'credentials',
  sqlite: schema('text'),
  postgres: schema('text collate "C"'),
};
