import type { Migration } from './migration.ts';

/**
 * Times are milliseconds since 1970 and JSON is text, so that both dialects share the statements.
 * Names compare by their bytes: lists have the same order on every database.
 */
function schema(dialect: { text: string; sequence: string }): string {
  return `
create table events (
  seq ${dialect.sequence},
  stream ${dialect.text} not null,
  version bigint,
  source ${dialect.text} not null,
  id ${dialect.text} not null,
  key ${dialect.text},
  type ${dialect.text} not null,
  subject ${dialect.text},
  time ${dialect.text} not null,
  data ${dialect.text} not null,
  recorded_at bigint not null
);
create unique index events_source_id on events (source, id);
create unique index events_key on events (key) where key is not null;
create unique index events_stream_version on events (stream, version) where version is not null;
create index events_stream_seq on events (stream, seq);

create table jobs (
  queue ${dialect.text} not null,
  key ${dialect.text} not null,
  payload ${dialect.text} not null,
  run_at bigint not null,
  again_at bigint,
  token ${dialect.text},
  attempt integer not null default 0,
  dead_at bigint,
  last_error ${dialect.text},
  primary key (queue, key)
);
create index jobs_due on jobs (run_at) where dead_at is null;

create table documents (
  kind ${dialect.text} not null,
  id ${dialect.text} not null,
  version bigint not null,
  project ${dialect.text},
  stage ${dialect.text},
  service ${dialect.text},
  context ${dialect.text},
  status ${dialect.text},
  sort bigint not null,
  data ${dialect.text} not null,
  primary key (kind, id)
);
create index documents_newest on documents (kind, sort desc, id);
create index documents_project on documents (kind, project, sort desc, id);
create index documents_place on documents (kind, project, stage, service, sort desc, id);
create index documents_context on documents (kind, context);
create index documents_status on documents (kind, status, sort desc, id);

create table heartbeat (
  id integer primary key,
  at bigint not null
);
`;
}

/** Rows of the queue live for seconds: without this the table would be mostly dead rows. */
const VACUUM_JOBS_OFTEN = `
alter table jobs set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
`;

export const logQueueDocuments: Migration = {
  id: 1,
  name: 'log-queue-documents',
  sqlite: schema({ text: 'text', sequence: 'integer primary key autoincrement' }),
  postgres:
    schema({ text: 'text collate "C"', sequence: 'bigint generated always as identity primary key' }) +
    VACUUM_JOBS_OFTEN,
};
