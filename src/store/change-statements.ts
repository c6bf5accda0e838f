import { positionOf } from './change-columns.ts';
import type { ChangeFacets, ChangesQuery, CountQuery, KeyFilter } from './changes.ts';
import { pageSize, type Statement } from './statements.ts';

export const CHANGE_COLUMNS =
  'id, version, project, service, team, author, state, stage, kind, rank, created_at, moved_at, position, written_at, data';
const READ_COLUMNS =
  'id, version, project, service, team, author, state, stage, kind, rank, created_at, moved_at, data';

/** The same again writes nothing, so that nobody is told of it; only the same version may correct itself. */
export const ON_CHANGE_CONFLICT = `on conflict (id) do update set
  version = excluded.version, project = excluded.project, service = excluded.service, team = excluded.team,
  author = excluded.author, state = excluded.state, stage = excluded.stage, kind = excluded.kind,
  rank = excluded.rank, created_at = excluded.created_at, moved_at = excluded.moved_at,
  position = excluded.position, written_at = excluded.written_at, data = excluded.data
  where excluded.version > changes.version or excluded.version = changes.version and
    (excluded.data <> changes.data or excluded.state <> changes.state or excluded.position <> changes.position
      or excluded.moved_at <> changes.moved_at or excluded.kind <> changes.kind
      or coalesce(excluded.stage, '') <> coalesce(changes.stage, '')
      or coalesce(excluded.team, '') <> coalesce(changes.team, '')
      or coalesce(excluded.author, '') <> coalesce(changes.author, ''))`;

/** Sorts after everything that begins with what it is appended to: no character is higher. */
const HIGHEST = '\u{10ffff}';
/** These are counted, each as if it were not filtered by. */
const FACETS = ['state', 'stage', 'team'] as const;
const OTHERS = ['id', 'project', 'service', 'author', 'kind'] as const;

type Within = (column: string, parameter: string) => string;

interface Conditions {
  all: string[];
  values: Statement['values'];
  parameter(value: Statement['values'][number]): string;
}

/** `within` writes "column is one of the values of parameter n". */
function conditionsOf(
  query: ChangesQuery,
  columns: readonly (keyof ChangesQuery & string)[],
  within: Within,
): Conditions {
  const values: Statement['values'] = [];
  const parameter = (value: Statement['values'][number]) => `$${values.push(value)}`;
  const all: string[] = [];
  for (const column of columns) {
    const wanted = query[column] as readonly string[] | undefined;
    if (wanted !== undefined) all.push(within(column, parameter(wanted)));
  }
  if (query.movedSince !== undefined) all.push(`moved_at >= ${parameter(query.movedSince)}`);
  for (const filter of query.keys ?? []) {
    // An expression keeps databases from looking up every id that the keys lead to.
    const id = filter.often ? "(id || '')" : 'id';
    all.push(`${id} in (${changesWith(filter, parameter, within)})`);
  }
  return { all, values, parameter };
}

/** One range of the index per name and value: a condition with `or` would read all of a name. */
function changesWith(filter: KeyFilter, parameter: Conditions['parameter'], within: Within): string {
  const { orId = [] } = filter;
  const found = [
    ...rangesOf(filter, parameter, within),
    ...(orId.length === 0 ? [] : [`select id from changes where ${within('id', parameter(orId))}`]),
  ];
  return found.length === 0 ? 'select change from change_keys where false' : found.join(' union all ');
}

function rangesOf(
  { names, values, prefix, upTo }: KeyFilter,
  parameter: Conditions['parameter'],
  within: Within,
): string[] {
  if (names.length === 0 || values.length === 0) return [];
  const select = (name: string, value: string) => `select change from change_keys where name = ${name} and ${value}`;
  const named = names.map(parameter);
  if (!prefix && upTo === undefined) {
    const wanted = within('value', parameter(values));
    return named.map((name) => select(name, wanted));
  }
  const ranges = values.map((value) => {
    const end = upTo === undefined ? `< ${parameter(value + HIGHEST)}` : `<= ${parameter(value + upTo)}`;
    return `value >= ${parameter(value)} and value ${end}`;
  });
  return named.flatMap((name) => ranges.map((range) => select(name, range)));
}

function where(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
}

/** One page and one row more, which tells whether there is another. The inner query never leaves its index; `cross join` has SQLite begin with it. */
export function changesList(query: ChangesQuery, within: Within): Statement {
  const { all, values, parameter } = conditionsOf(query, [...OTHERS, ...FACETS], within);
  if (query.after !== undefined) {
    const position = parameter(positionOf(query.after));
    // The first half alone lets the index find the page; the second leaves out the ties already seen.
    all.push(`position >= ${position} and (position > ${position} or id > ${parameter(query.after.id)})`);
  }
  const text = `select ${READ_COLUMNS} from (
      select id as wanted from changes ${where(all)} order by position, id
      limit ${parameter(pageSize(query.limit) + 1)}) as page
    cross join changes where id = wanted order by position, id`;
  return { text, values };
}

/** Counts per combination of facets; `facetsOf` puts them together. */
export function changesCount(query: ChangesQuery, within: Within): Statement {
  const { all, values } = conditionsOf(query, OTHERS, within);
  const text = `select state, stage, team, count(*) as count from changes ${where(all)} group by state, stage, team`;
  return { text, values };
}

/** How many all filters together leave. */
export function changesTotal(query: CountQuery, within: Within): Statement {
  const { all, values } = conditionsOf(query, [...OTHERS, ...FACETS], within);
  return { text: `select count(*) as count from changes ${where(all)}`, values };
}

export interface CountRow {
  state: string;
  stage: string | null;
  team: string | null;
  count: number;
}

/** The totals of each facet under the other facets' filters, and what all of them together leave. */
export function facetsOf(rows: readonly CountRow[], query: ChangesQuery): { facets: ChangeFacets; total: number } {
  const facets: ChangeFacets = { state: {}, stage: {}, team: {} };
  let total = 0;
  for (const row of rows) {
    const refusedBy = FACETS.filter((facet) => !passes(row[facet], query[facet]));
    if (refusedBy.length === 0) total += row.count;
    for (const facet of FACETS) {
      const value = row[facet];
      if (value === null || refusedBy.some((other) => other !== facet)) continue;
      facets[facet][value] = (facets[facet][value] ?? 0) + row.count;
    }
  }
  return { facets, total };
}

function passes(value: string | null, wanted: readonly string[] | undefined): boolean {
  return wanted === undefined || (value !== null && wanted.includes(value));
}

export function changesById(ids: readonly string[], within: Within): Statement {
  return { text: `select ${READ_COLUMNS} from changes where ${within('id', '$1')}`, values: [ids] };
}

/** From its index alone. */
export function changesWritten({ since, limit }: { since: number; limit: number }): Statement {
  const text = `select id, version as rev, written_at as at from changes
    where written_at >= $1 order by written_at desc, id limit $2`;
  return { text, values: [since, limit] };
}

export function changesWithKey(filter: KeyFilter & { limit?: number }, within: Within): Statement {
  const values: Statement['values'] = [];
  const parameter: Conditions['parameter'] = (value) => `$${values.push(value)}`;
  const text = `select id from changes where id in (${changesWith(filter, parameter, within)})
    order by created_at desc, id limit ${parameter(pageSize(filter.limit))}`;
  return { text, values };
}
