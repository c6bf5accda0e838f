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

/** What the database keeps counted: no row of a change is read. */
const SUM = 'cast(coalesce(sum(count), 0) as bigint)';
const KEPT_COUNTS = `select state, nullif(stage, '') as stage, nullif(team, '') as team, ${SUM} as count from change_counts`;

type Within = (column: string, parameter: string) => string;

interface Conditions {
  all: string[];
  values: Statement['values'];
  parameter(value: Statement['values'][number]): string;
}

interface Reading {
  /** Conditions to ask of each row in turn, where rows are read in an order of their own and often meet them. */
  inTurn: readonly ('facets' | 'keys')[];
}

/** `within` writes "column is one of the values of parameter n". */
function conditionsOf(
  query: ChangesQuery,
  columns: readonly (keyof ChangesQuery & string)[],
  within: Within,
  { inTurn }: Reading = { inTurn: [] },
): Conditions {
  const values: Statement['values'] = [];
  const parameter = (value: Statement['values'][number]) => `$${values.push(value)}`;
  const all: string[] = [];
  const add = (condition: string, isInTurn: boolean) => all.push(isInTurn ? asked(condition) : condition);
  for (const column of columns) {
    const wanted = query[column] as readonly string[] | undefined;
    if (wanted !== undefined) add(within(column, parameter(wanted)), isFacet(column) && inTurn.includes('facets'));
  }
  if (query.movedSince !== undefined) all.push(`moved_at >= ${parameter(query.movedSince)}`);
  for (const filter of query.keys ?? [])
    add(`id in (${changesWith(filter, parameter, within)})`, filter.often === true && inTurn.includes('keys'));
  return { all, values, parameter };
}

/** A bare condition has databases look up all rows that it holds for, or compare each row with each of those. */
function asked(condition: string): string {
  return `(${condition}) is true`;
}

function isFacet(column: string): boolean {
  return (FACETS as readonly string[]).includes(column);
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
  const { all, values, parameter } = conditionsOf(query, [...OTHERS, ...FACETS], within, {
    inTurn: ['facets', 'keys'],
  });
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

/**
 * Counts per combination of facets; `facetsOf` puts them together.
 *
 * @param found the index that rows of keys are looked up in; absent: all rows are read
 */
export function changesCount(query: ChangesQuery, within: Within, found?: string): Statement {
  const { all, values } = conditionsOf(query, OTHERS, within, countedBy(found));
  if (all.length === 0) return { text: `${KEPT_COUNTS} group by state, stage, team`, values };
  const text = `select state, stage, team, count(*) as count from ${counted(query, found)} ${where(all)} group by state, stage, team`;
  return { text, values };
}

/** How many all filters together leave. */
export function changesTotal(query: CountQuery, within: Within, found?: string): Statement {
  const isKept = conditionsOf(query, OTHERS, within).all.length === 0;
  const { all, values } = conditionsOf(query, [...OTHERS, ...FACETS], within, countedBy(found));
  if (isKept) return { text: `select ${SUM} as count from change_counts ${where(all)}`, values };
  return { text: `select count(*) as count from ${counted(query, found)} ${where(all)}`, values };
}

function countedBy(found: string | undefined): Reading {
  return { inTurn: found === undefined ? ['keys'] : [] };
}

function counted({ keys = [] }: CountQuery, found: string | undefined): string {
  return found === undefined || keys.length === 0 ? 'changes' : `changes indexed by ${found}`;
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
