import type { Migration } from './migration.ts';

/**
 * How many changes there are of each state, stage and team, kept by the database itself: lists show these counts, and
 * reading all rows for them is most of what a page costs. `''` stands for none. In SQLite `changes_found` counts what a
 * search found; PostgreSQL reads all rows beside a hash of that.
 */
const TABLE = {
  sqlite: 'state text not null, stage text not null, team text not null, count integer not null',
  postgres: 'state text collate "C" not null, stage text collate "C" not null, team text collate "C" not null',
};
const COUNTED = (row: string) => `${row}.state, coalesce(${row}.stage, ''), coalesce(${row}.team, '')`;
const FILL = `insert into change_counts (state, stage, team, count)
  select ${COUNTED('changes')}, count(*) from changes group by 1, 2, 3;`;

const HAS_MOVED =
  'old.state <> new.state or old.stage is distinct from new.stage or old.team is distinct from new.team';
const MORE = `insert into change_counts (state, stage, team, count) values (${COUNTED('new')}, 1)
  on conflict do update set count = count + 1;`;
const LESS = `update change_counts set count = count - 1 where (state, stage, team) = (${COUNTED('old')});`;

const SQLITE = `
create table change_counts (${TABLE.sqlite}, primary key (state, stage, team)) without rowid;
create index changes_found on changes (id, state, stage, team);
${FILL}
create trigger change_counts_come after insert on changes begin ${MORE} end;
create trigger change_counts_go after delete on changes begin ${LESS} end;
create trigger change_counts_move after update of state, stage, team on changes when ${HAS_MOVED}
begin ${LESS} ${MORE} end;
`;

/**
 * One row per combination would have all replicas wait for each other: each change adds rows of its own, and every now and
 * then those that nobody holds are put together. Whoever reads sees either what was or its sum.
 */
const TOGETHER_EVERY = 500;

const POSTGRES = `
create table change_counts (id bigint generated always as identity primary key, ${TABLE.postgres}, count bigint not null);
create function change_counts_keep() returns trigger language plpgsql as $$
declare last bigint;
begin
  if tg_op <> 'INSERT' then
    insert into change_counts (state, stage, team, count) values (${COUNTED('old')}, -1) returning id into last;
  end if;
  if tg_op <> 'DELETE' then
    insert into change_counts (state, stage, team, count) values (${COUNTED('new')}, 1) returning id into last;
  end if;
  if last % ${TOGETHER_EVERY} < 2 then
    with several as (select state, stage, team from change_counts group by state, stage, team having count(*) > 1),
    gone as (delete from change_counts where id in (select id from change_counts join several using (state, stage, team)
      for update of change_counts skip locked) returning state, stage, team, count)
    insert into change_counts (state, stage, team, count)
      select state, stage, team, sum(count) from gone group by state, stage, team having sum(count) <> 0;
  end if;
  return null;
end $$;
create trigger change_counts_come after insert or delete on changes for each row execute function change_counts_keep();
create trigger change_counts_move after update of state, stage, team on changes
  for each row when (${HAS_MOVED}) execute function change_counts_keep();
${FILL}
`;

export const changeCounts: Migration = { id: 4, name: 'change-counts', sqlite: SQLITE, postgres: POSTGRES };
