import type { Migration } from './migration.ts';

/**
 * `position` is rank and age in one number, so that the order of lists is one column. The wide indexes hold everything
 * that lists filter by: neither a count nor the search for a page touches the rows, whose `data` is large.
 */
function schema(dialect: { text: string; clustered: string }): string {
  return `
create table changes (
  id ${dialect.text} primary key,
  version bigint not null,
  project ${dialect.text} not null,
  service ${dialect.text} not null,
  team ${dialect.text},
  author ${dialect.text},
  state ${dialect.text} not null,
  stage ${dialect.text},
  kind ${dialect.text} not null,
  rank integer not null,
  created_at bigint not null,
  moved_at bigint not null,
  position bigint not null,
  written_at bigint not null,
  data ${dialect.text} not null
);
create index changes_list on changes (position, id, state, stage, team, project, service, author, kind, moved_at);
create index changes_facets on changes (state, stage, team, project, service, author, kind, moved_at, id);
create index changes_service on changes (project, service, position, id);
create index changes_written on changes (written_at, id);

create table change_keys (
  name ${dialect.text} not null,
  value ${dialect.text} not null,
  change ${dialect.text} not null,
  primary key (name, value, change)
)${dialect.clustered};
create index change_keys_change on change_keys (change);
`;
}

/**
 * Counting reads all rows: without their `data`, which goes into a table of its own beside them, they are a tenth as
 * large. Rows are rewritten with every event; the indexes alone can answer for a page only once it was vacuumed.
 */
const KEEP_ROWS_NARROW = `
alter table changes set (toast_tuple_target = 128, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 500);
`;

export const changes: Migration = {
  id: 2,
  name: 'changes',
  sqlite: schema({ text: 'text', clustered: ' without rowid' }),
  postgres: schema({ text: 'text collate "C"', clustered: '' }) + KEEP_ROWS_NARROW,
};
