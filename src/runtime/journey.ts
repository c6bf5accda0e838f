import type { GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import { AdapterError } from '../base/adapter-error.ts';
import type { Clock } from '../base/clock.ts';
import { isJsonObject, type JsonObject } from '../base/json.ts';
import { inGit } from '../engine/in-git.ts';
import { isAbout, type Report } from '../events/report.ts';
import type { ClaimedJob, Commit, Document, NewJob, Store } from '../store/store.ts';
import { sequenceFromRow } from '../views/sequence-document.ts';
import { changeJob } from './change-job.ts';
import type { Lease } from './lease.ts';
import {
  ARRIVED,
  BUILT,
  type BuiltChange,
  built,
  builtKeys,
  GONE,
  reportRows,
  reportsOf,
  UNJOINED,
  WAITING,
} from './reports.ts';

export interface JourneyRoom {
  store: Store;
  clock: Clock;
  tools: { gitHost(repository: Repository): GitHost | undefined };
}

/** Looked for again after half of its age: soon at first, rarely later. */
const [SOONEST_MS, LATEST_MS] = [2_000, 6 * 3_600_000];
/** What was not delivered by then is not waited for. */
const GIVE_UP_MS = 14 * 24 * 3_600_000;
/** The newest sequences of a service that may have skipped over a commit. */
const LOOK_BACK = 20;

/** Keeps a report and has everything looked at that it may say something about. Doing it twice is doing it once. */
export function reportCommit(report: Report): Commit {
  const own = built(report);
  const rows = reportRows(report);
  const jobs = [journeyJob(report)];
  if (!own) return { documents: rows, jobs };
  const { id, ...data } = own;
  const row: Document = {
    kind: BUILT,
    id,
    // What became of it is of a higher version: a late report changes nothing about that.
    version: 1,
    service: own.service,
    context: id,
    status: WAITING,
    sort: Date.parse(report.heardAt),
    data: data as unknown as JsonObject,
  };
  return { documents: [...rows, row], jobs };
}

/** Is the change delivered by now that a report is about? One job for all reports of one built change. */
function journeyJob(report: Report): NewJob {
  return {
    queue: 'journey',
    key: built(report)?.id ?? report.id,
    payload: { report: report as unknown as JsonObject },
  };
}

/**
 * Looks for the delivered change that a report belongs to, until there is one: then that is told anew, and a row of its
 * own goes away with it. A manifest commit that a newer one skipped over has arrived with the newer one.
 */
export async function workOnJourney(room: JourneyRoom, job: ClaimedJob, lease: Lease): Promise<void> {
  const { store, clock } = room;
  const report = job.payload['report'] as unknown as Report;
  const own = built(report);
  const reports = await reportsAround(store, report);
  const { changes, others } = await deliveredChanges(store, report, reports);
  const row = own && (await store.document(BUILT, own.id));
  if (changes.length > 0) {
    await store.commit({ jobs: changes.map((id) => changeJob(id)), claim: job, settle: { kind: 'done' } });
    return;
  }
  const skipped = row?.status === WAITING ? await skippedBy(room, row, reports, lease.signal) : undefined;
  if (row && skipped !== undefined) {
    const documents = [{ ...row, version: row.version + 1, context: skipped, status: ARRIVED }];
    const jobs = [changeJob(row.id), changeJob(skipped)];
    await store.commit({ documents, jobs, claim: job, settle: { kind: 'done' } });
    return;
  }
  const ageMs = clock.now().getTime() - Date.parse(report.heardAt);
  const jobs = row?.status === WAITING ? [changeJob(row.id)] : [];
  const documents = contradictionRows(report, others);
  if (row?.status === WAITING && ageMs > GIVE_UP_MS) documents.push({ ...row, version: row.version + 1, status: GONE });
  const delayMs = Math.min(LATEST_MS, Math.max(SOONEST_MS, ageMs / 2));
  const settle = ageMs > GIVE_UP_MS ? ({ kind: 'done' } as const) : ({ kind: 'again', delayMs } as const);
  await store.commit({ documents, jobs, claim: job, settle });
}

/** The report with all that it hangs together with. */
async function reportsAround(store: Store, report: Report): Promise<Report[]> {
  const own = built(report);
  const keys = own
    ? builtKeys(own)
    : {
        changes: report.change === undefined ? [] : [report.change],
        ...(report.project === undefined ? {} : { project: report.project }),
        ...(report.service === undefined ? {} : { service: report.service }),
        commits: report.manifestCommit === undefined ? [] : [report.manifestCommit],
        digests: report.digest === undefined ? [] : [report.digest],
        pullRequests: report.pullRequest === undefined ? [] : [report.pullRequest.key],
        sources: report.commit === undefined ? [] : [report.commit],
      };
  const found = await reportsOf(store, keys);
  return found.some(({ id }) => id === report.id) ? found : [...found, report];
}

/** What a report names belongs to a change of another service than the one that it says it is about. */
function contradictionRows(report: Report, others: readonly string[]): Document[] {
  const [other] = others;
  if (other === undefined) return [];
  const { id, source, service = '', heardAt } = report;
  const what = `about service ${service} name what belongs to ${other}`;
  const data = { source, what, remedy: `give --service ${other}` };
  return [{ kind: UNJOINED, id, version: 1, sort: Date.parse(heardAt), data }];
}

/** What a report would come to if it were kept. */
export async function checkReport(store: Store, report: Report) {
  const reports = await reportsAround(store, report);
  const { changes, others } = await deliveredChanges(store, report, reports);
  const own = built(report)?.id;
  return { changes, others, reports: reports.length - 1, ...(own === undefined ? {} : { own }) };
}

/**
 * Changes that were delivered, or are about to be, and are known by what the reports name; `others`: services whose
 * changes are, though the report says that it is about another one.
 */
async function deliveredChanges(
  store: Store,
  report: Report,
  reports: readonly Report[],
): Promise<{ changes: string[]; others: string[] }> {
  const keys = reports.flatMap((one) => [
    ...(one.manifestCommit === undefined ? [] : [{ name: 'commit', value: one.manifestCommit }]),
    ...(one.commit === undefined ? [] : [{ name: 'commit', value: one.commit }]),
    ...(one.digest === undefined ? [] : [{ name: 'digest', value: one.digest }]),
    ...(one.pullRequest === undefined ? [] : [{ name: 'pr', value: one.pullRequest.key }]),
  ]);
  const distinct = [...new Map(keys.map((key) => [JSON.stringify(key), key])).values()];
  const found = await Promise.all(distinct.map((key) => store.findChanges(key)));
  const ids = new Set([...found.flat(), ...reports.flatMap(({ change }) => change ?? [])]);
  const checked = await Promise.all([...ids].map((id) => deliveredPlace(store, id)));
  const known = checked.filter((one) => one !== undefined);
  const [changes, others] = [known.filter(({ place }) => isAbout(report, place)), known];
  return {
    changes: changes.map(({ id }) => id),
    others: changes.length > 0 ? [] : [...new Set(others.flatMap(({ place }) => place.service ?? []))],
  };
}

/** A row that only reports made is no delivery. */
async function deliveredPlace(store: Store, id: string) {
  const [row] = await store.documents({ kind: 'sequence', context: [id], limit: 1 });
  if (!row) return undefined;
  const { project, service } = row;
  return { id, place: { ...(project ? { project } : {}), ...(service ? { service } : {}) } };
}

/** The first change of the service whose manifests, or whose source, contain those of one that was never deployed by itself. */
async function skippedBy(
  { store, tools }: JourneyRoom,
  row: Document,
  reports: readonly Report[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const { service, commit, ...rest } = row.data as unknown as BuiltChange;
  const manifests = [...new Set(reports.flatMap(({ manifestCommit }) => manifestCommit ?? []))];
  const source = reports.find(({ repository }) => repository !== undefined)?.repository;
  const since = reports[0]?.at ?? '';
  for (const { triggered, source: newer } of await deliveriesOf(store, service)) {
    if (triggered.at < since || !isAbout({ service, ...rest }, triggered.place)) continue;
    const { repository, revision } = inGit(triggered);
    const pairs = [
      ...manifests.map((manifest) => ({ repository, newer: revision, older: manifest })),
      ...(source && newer && newer !== commit ? [{ repository: { url: source }, newer, older: commit }] : []),
    ];
    for (const pair of pairs) if (await contains(tools, pair, signal)) return triggered.context;
  }
  return undefined;
}

/** The newest sequences of a service in the order in which they began, with the commit of the source that each of them is said to be built of. */
async function deliveriesOf(store: Store, service: string) {
  const { records } = await store.changes({ service: [service], limit: LOOK_BACK, count: false });
  if (records.length === 0) return [];
  const rows = await store.documents({
    kind: 'sequence',
    context: records.map(({ id }) => id),
    limit: LOOK_BACK * 5,
  });
  const sources = new Map(
    records.map(({ id, data }) => [id, isJsonObject(data['commit']) ? data['commit']['id'] : '']),
  );
  return rows.toReversed().flatMap(({ data }) => {
    const { triggered } = sequenceFromRow(data);
    const source = sources.get(triggered?.context ?? '');
    return triggered ? [{ triggered, source: typeof source === 'string' ? source : '' }] : [];
  });
}

async function contains(
  tools: JourneyRoom['tools'],
  { repository, newer, older }: { repository: Repository; newer: string; older: string },
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return (await tools.gitHost(repository)?.contains(repository, newer, older, { signal })) === true;
  } catch (error) {
    // A commit of another repository; or nobody can be asked now: then nothing is claimed.
    if (error instanceof AdapterError) return false;
    throw error;
  }
}
