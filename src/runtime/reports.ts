import { imageName, imagesBefore, imagesOf } from '../answers/facts/images.ts';
import { reportedFacts } from '../answers/journey.ts';
import type { Step } from '../answers/step.ts';
import { derivedId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { promotionsOf } from '../engine/promotion.ts';
import { short } from '../engine/revisions.ts';
import type { SequenceState } from '../engine/sequence.ts';
import { isFullCommit, type Report, reportKeys } from '../events/report.ts';
import { askedFirst, type JoinKeys, joinReports } from '../events/report-join.ts';
import type { ChangeKey } from '../store/changes.ts';
import type { Document, Store } from '../store/store.ts';
import { changeJob } from './change-job.ts';
import type { ReportsOf, ReportsOfChange } from './project-change.ts';
import { indexed } from './repository-key.ts';

/** One row per report, by which lists are made; its `status` is the kind. */
export const REPORT = 'report';
/** One row per key of a report; `context` is the key. */
export const REPORT_KEY = 'report-key';
/**
 * Rows of changes that CI alone has told of; `status` says what became of them, `context` with which delivered change.
 */
export const BUILT = 'built';
/** It was not delivered yet. */
export const WAITING = 'waiting';
/** It is a part of that change. */
export const MERGED = 'merged';
/** That change came instead of it, and contains it. */
export const ARRIVED = 'arrived';
/** Nobody delivered it in all the time that it was waited for. */
export const GONE = 'gone';
/** What a change begins with; a pull request may never be merged, and a deployment is of something that was built. */
const BEGINNINGS: ReadonlySet<Report['kind']> = new Set(['build', 'image', 'manifest', 'pipeline', 'test']);

/** Rows that say why a report is joined to nothing though it names something. */
export const UNJOINED = 'unjoined-report';

/** From commit and digest to image, build, run and pull request: more hops than this lead elsewhere. */
const MAX_ROUNDS = 5;
const MAX_KEYS = 400;
const MAX_FOUND = 1_000;

/** The rows that a report becomes. */
export function reportRows(report: Report): Document[] {
  const { id, kind, at, project, stage, service } = report;
  const common = {
    version: 1,
    ...(project === undefined ? {} : { project }),
    ...(stage === undefined ? {} : { stage }),
    ...(service === undefined ? {} : { service }),
    sort: Date.parse(at),
    data: report as unknown as JsonObject,
  };
  return [
    { kind: REPORT, id, status: kind, context: built(report)?.id ?? id, ...common },
    ...reportKeys(report).map((key, n) => ({ kind: REPORT_KEY, id: `${id}/${n}`, context: indexed(key), ...common })),
  ];
}

/**
 * The row of its own that a report has as long as nothing was deployed: of one service's one commit. Without both there is
 * none.
 */
export function built({ service, commit, kind, stage, project }: Report): (BuiltChange & { id: string }) | undefined {
  if (service === undefined || commit === undefined || stage !== undefined || !BEGINNINGS.has(kind)) return undefined;
  return { id: builtId(service, commit, project), service, commit, ...(project === undefined ? {} : { project }) };
}

/** Two projects may build one commit of a service that is called the same in both: each has a row of its own. */
function builtId(service: string, commit: string, project: string | undefined): string {
  return derivedId('built', service.toLowerCase(), commit, ...(project === undefined ? [] : [project.toLowerCase()]));
}

/** What a row of a change that was only built says; `project` may be missing. */
export interface BuiltChange {
  service: string;
  commit: string;
  project?: string;
}

/** Reports that belong to a change, in the order in which things happened; asks the store as often as they lead on. */
export async function reportsOf(store: Store, keys: JoinKeys): Promise<Report[]> {
  const candidates = new Map<string, Report>();
  const asked = new Set<string>();
  let ask = askedFirst(keys);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const next = ask.filter((key) => !asked.has(key)).slice(0, MAX_KEYS);
    if (next.length === 0) break;
    for (const key of next) asked.add(key);
    for (const report of await findReports(store, next)) candidates.set(report.id, report);
    ask = joinReports(keys, [...candidates.values()]).ask;
  }
  return joinReports(keys, [...candidates.values()]).reports;
}

/** All reports with one of the keys, whoever they are about. */
export async function findReports(store: Store, keys: readonly string[]): Promise<Report[]> {
  if (keys.length === 0) return [];
  const context = [...new Set(keys.map(indexed))];
  const rows = await store.documents({ kind: REPORT_KEY, context, limit: MAX_FOUND });
  return [...new Map(rows.map(({ data }) => [String(data['id']), data as unknown as Report])).values()];
}

/** What was reported of a change, for its projection; `sequences` are empty for one that CI alone has told of. */
export function createReportsOf(store: Store): ReportsOf {
  return (change, sequences) =>
    sequences.length === 0 ? reportsOfBuilt(store, change) : reportsOfDelivered(store, change, sequences);
}

async function reportsOfDelivered(
  store: Store,
  change: string,
  sequences: readonly SequenceState[],
): Promise<ReportsOfChange | undefined> {
  const reports = await reportsOf(store, joinKeysOf(change, sequences));
  const rows = await store.documents({ kind: BUILT, context: [change], status: [ARRIVED] });
  const skipped = rows.map(({ id, data }) => ({ id, ...(data as unknown as BuiltChange) }));
  const own = [...new Set(reports.flatMap((report) => built(report)?.id ?? []))];
  await mergeInto(store, change, own);
  const reported = reportedFacts(reports) ?? { steps: [] };
  if (reports.length === 0 && skipped.length === 0) return undefined;
  return {
    reported: { ...reported, steps: [...reported.steps, ...skipped.map(arrivedStep)] },
    version: reports.length + skipped.length,
    keys: [
      ...keysOf(reports),
      ...skipped.map(({ commit }) => ({ name: 'commit', value: commit })),
      ...[...own, ...skipped.map(({ id }) => id)].map((value) => ({ name: 'was', value })),
    ],
  };
}

/** Its manifests were skipped over, and came with those of the change. */
function arrivedStep({ service, commit }: BuiltChange): Step {
  const detail = `${service} ${short(commit)} arrived with it`;
  return { key: 'manifest', state: 'passed', attempt: 1, detail, human: false, links: [] };
}

/** What was a row of its own is a part of the change from now on; its projection takes the row away. */
async function mergeInto(store: Store, change: string, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const row = await store.document(BUILT, id);
    if (row?.status !== WAITING && row?.status !== GONE) continue;
    await store.commit({
      documents: [{ ...row, version: row.version + 1, context: change, status: MERGED }],
      jobs: [changeJob(id)],
    });
  }
}

async function reportsOfBuilt(store: Store, change: string): Promise<ReportsOfChange | undefined> {
  const row = await store.document(BUILT, change);
  if (row?.status !== WAITING) return undefined;
  const about = row.data as unknown as BuiltChange;
  const { service, project } = about;
  const reports = await reportsOf(store, builtKeys({ ...about, id: change }));
  const reported = reportedFacts(reports);
  if (!reported) return undefined;
  return {
    reported,
    version: reports.length,
    keys: keysOf(reports),
    place: { project: newest(reports, (report) => report.project) ?? project ?? '', service },
  };
}

/** By what a change is known that was only built. */
export function builtKeys({ id, service, commit, project }: BuiltChange & { id: string }): JoinKeys {
  const place = { service, ...(project === undefined ? {} : { project }) };
  return { changes: [id], ...place, commits: [], digests: [], pullRequests: [], sources: [commit] };
}

function newest<T>(reports: readonly Report[], read: (report: Report) => T | undefined): T | undefined {
  return reports
    .toReversed()
    .map(read)
    .find((found) => found !== undefined);
}

/** By what a delivered change is known to those who report. */
export function joinKeysOf(change: string, sequences: readonly SequenceState[]): JoinKeys {
  const place = sequences.find(({ triggered }) => triggered)?.triggered?.place;
  return {
    changes: [change, ...sequences.flatMap(({ triggered }) => triggered?.sequence ?? [])],
    ...(place ? { project: place.project, service: place.service } : {}),
    commits: [...new Set(sequences.flatMap(commitsOf))],
    digests: [...new Set(sequences.flatMap(newDigests))],
    pullRequests: [],
  };
}

function commitsOf(state: SequenceState): string[] {
  const { triggered } = state;
  if (!triggered) return [];
  const merges = promotionsOf(state).map(({ outcome }) => outcome?.data['mergeSha']);
  const all = [
    triggered.revision,
    triggered.drySha,
    triggered.source.revision,
    ...(triggered.revisions ?? []),
    ...merges,
  ];
  return all.filter((sha): sha is string => typeof sha === 'string' && isFullCommit(sha));
}

/** Of images that were not there before: an edit of configuration is not the build of what it configures. */
function newDigests(state: SequenceState): string[] {
  if (state.triggered?.rollsBack !== undefined) return [];
  const before = new Set(imagesBefore(state).flatMap((image) => imageName(image).digest ?? []));
  return imagesOf(state)
    .flatMap((image) => imageName(image).digest ?? [])
    .filter((digest) => !before.has(digest));
}

function keysOf(reports: readonly Report[]): ChangeKey[] {
  const found = reports.flatMap(({ commit, manifestCommit, digest, pullRequest, version }) => [
    ...[commit, manifestCommit].map((value) => ({ name: 'commit', value })),
    { name: 'digest', value: digest },
    { name: 'pr', value: pullRequest?.key },
    { name: 'version', value: version },
  ]);
  return found.filter((key): key is ChangeKey => key.value !== undefined);
}
