import type { DocumentQuery } from './store.ts';

/** Lists and log pages never exceed this. */
export const MAX_PAGE = 1000;
const DEFAULT_PAGE = 100;

export const EVENT_COLUMNS = 'seq, stream, version, source, id, key, type, subject, time, data, recorded_at';
export const DOCUMENT_COLUMNS = 'kind, id, version, project, stage, service, context, status, sort, data';

export const READ_STREAM = `select ${EVENT_COLUMNS} from events where stream = $1 and version > $2 order by version`;
export const READ_DOCUMENT = `select ${DOCUMENT_COLUMNS} from documents where kind = $1 and id = $2`;
export const HEARTBEAT = `insert into heartbeat (id, at) values (1, $1)
  on conflict (id) do update set at = excluded.at`;

/**
 * What asking for work does to a row that is there already. `claimed` says whether somebody works
 * on it: then the time is kept in `again_at`, and its settlement makes it due again. A request that
 * changes nothing writes nothing (it still locks the row): a storm asks for the same work thousands
 * of times.
 *
 * @param payload the one that stays: that of the new request, or of the row
 */
export function onJobConflict(claimed: string, payload = 'excluded.payload'): string {
  return `on conflict (queue, key) do update set
    payload = ${payload},
    run_at = case
      when ${claimed} then jobs.run_at
      when jobs.dead_at is null and jobs.run_at < excluded.run_at then jobs.run_at
      else excluded.run_at end,
    again_at = case
      when not (${claimed}) then jobs.again_at
      when jobs.again_at < excluded.run_at then jobs.again_at
      else excluded.run_at end,
    attempt = case when jobs.dead_at is null then jobs.attempt else 0 end,
    dead_at = null
  where jobs.dead_at is not null or jobs.payload <> ${payload} or case
    when ${claimed} then jobs.again_at is null or jobs.again_at > excluded.run_at
    else jobs.run_at > excluded.run_at end`;
}

/** Whoever has the work by now began with an attempt too many. */
export const FORGIVE = 'update jobs set attempt = attempt - 1 where queue = $1 and key = $2 and attempt > 0';

/** A late writer changes nothing; the same version may correct itself. */
export const ON_DOCUMENT_CONFLICT = `on conflict (kind, id) do update set
  version = excluded.version, project = excluded.project, stage = excluded.stage, service = excluded.service,
  context = excluded.context, status = excluded.status, sort = excluded.sort, data = excluded.data
  where excluded.version >= documents.version`;

/**
 * Gives claimed work back: due at `at`, or earlier when it was asked for meanwhile. Parameters:
 * queue, key, then those of the caller. Answers whether it is due now.
 */
export function reschedule(how: { at: string; attempt: string; error: string; now: string; only?: string }): string {
  return `update jobs set token = null, again_at = null, attempt = ${how.attempt}, last_error = ${how.error},
    run_at = case when again_at < ${how.at} then again_at else ${how.at} end
    where queue = $1 and key = $2 and ${how.only ?? 'true'}
    returning case when run_at <= ${how.now} then 1 else 0 end as due`;
}

export interface StatsRow {
  queue: string;
  due: number;
  waiting: number;
  running: number;
  dead: number;
  oldest: number | null;
}

/** Counts per queue; `running` says whether somebody works on a row, `now` is the store's time. */
export function queueStats(running: string, now: string): string {
  const due = `dead_at is null and not (${running}) and run_at <= ${now}`;
  return `select queue,
    count(*) filter (where ${due}) as due,
    count(*) filter (where dead_at is null and not (${running}) and run_at > ${now}) as waiting,
    count(*) filter (where dead_at is null and ${running}) as running,
    count(*) filter (where dead_at is not null) as dead,
    ${now} - min(run_at) filter (where ${due}) as oldest
    from jobs group by queue order by queue`;
}

export interface Statement {
  text: string;
  values: (string | number | readonly string[])[];
}

/** The list that a query asks for; `within` writes "column is one of the values of parameter n". */
export function documentList(query: DocumentQuery, within: (column: string, parameter: string) => string): Statement {
  const values: Statement['values'] = [query.kind];
  const conditions = ['kind = $1'];
  const parameter = (value: string | number | readonly string[]): string => `$${values.push(value)}`;
  for (const column of ['project', 'stage', 'service'] as const) {
    const value = query[column];
    if (value !== undefined) conditions.push(`${column} = ${parameter(value)}`);
  }
  for (const column of ['context', 'status'] as const) {
    const value = query[column];
    if (value !== undefined) conditions.push(within(column, parameter(value)));
  }
  if (query.after !== undefined) {
    const sort = parameter(query.after.sort);
    // The first half alone lets the index find the page; the second leaves out the ties already seen.
    conditions.push(`sort <= ${sort} and (sort < ${sort} or id > ${parameter(query.after.id)})`);
  }
  // What is looked for by its context are few rows: without the sign SQLite reads all of the kind in the order of the list.
  const order = query.context === undefined ? 'sort' : '+sort';
  const text = `select ${DOCUMENT_COLUMNS} from documents where ${conditions.join(' and ')}
    order by ${order} desc, id limit ${parameter(pageSize(query.limit))}`;
  return { text, values };
}

export function pageSize(limit: number = DEFAULT_PAGE): number {
  return Math.min(MAX_PAGE, Math.max(1, Math.trunc(limit)));
}
