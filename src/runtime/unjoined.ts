import type { Clock } from '../base/clock.ts';
import type { Report } from '../events/report.ts';
import { adviceOf } from '../events/report-advice.ts';
import type { Store } from '../store/store.ts';
import { REPORT, UNJOINED } from './reports.ts';

/** Reports that are joined to nothing, told in one line. */
export interface UnjoinedReports {
  source: string;
  /** `14 events name image tag 1.8.2 without digest` */
  what: string;
  remedy: string;
  count: number;
  /** ISO 8601. */
  lastAt: string;
}

/** Who reports: how much, and when last. */
export interface ReportSource {
  source: string;
  count: number;
  lastAt: string;
}

const NEWEST = 1_000;
const WEEK_MS = 7 * 86_400_000;
const MOST = 50;

/** Of the newest thousand reports of a week: what can be joined to no change, and why; the newest first. */
export async function unjoinedReports({ store, clock }: { store: Store; clock: Clock }): Promise<UnjoinedReports[]> {
  const reports = await newestReports(store, clock);
  // Events about one run help each other: it is enough that one of them names something.
  const joinable = new Set(reports.filter((one) => adviceOf(one) === undefined).flatMap(hangsOn));
  const alone = reports.filter((one) => !hangsOn(one).some((key) => joinable.has(key)));
  const told = alone.flatMap((report) => {
    const advice = isAboutChange(report) ? adviceOf(report) : undefined;
    return advice ? [{ ...advice, source: report.source, at: report.heardAt }] : [];
  });
  return grouped([...told, ...(await contradictions(store, clock))]).slice(0, MOST);
}

/** Who reported in the last week, of the newest thousand reports; who was heard of last comes first. */
export async function reportSources(room: { store: Store; clock: Clock }): Promise<ReportSource[]> {
  const found = new Map<string, ReportSource>();
  for (const { source, heardAt } of await newestReports(room.store, room.clock)) {
    const before = found.get(source);
    const lastAt = before && before.lastAt > heardAt ? before.lastAt : heardAt;
    found.set(source, { source, count: (before?.count ?? 0) + 1, lastAt });
  }
  return [...found.values()].sort((a, b) => (a.lastAt < b.lastAt ? 1 : -1));
}

async function newestReports(store: Store, clock: Clock): Promise<Report[]> {
  const since = clock.now().getTime() - WEEK_MS;
  const rows = await store.documents({ kind: REPORT, limit: NEWEST });
  return rows.map(({ data }) => data as unknown as Report).filter(({ heardAt }) => Date.parse(heardAt) >= since);
}

function hangsOn({ run, partOf, chain }: Report): string[] {
  return [
    `run ${run}`,
    ...(partOf === undefined ? [] : [`run ${partOf}`]),
    ...(chain === undefined ? [] : [`chain ${chain}`]),
  ];
}

/** Incidents are about a service, pipelines and their tasks often about anything. */
function isAboutChange({ kind }: Report): boolean {
  return kind !== 'incident' && kind !== 'pipeline' && kind !== 'task';
}

/** What names a change of another service than it says it is about. */
async function contradictions(store: Store, clock: Clock) {
  const since = clock.now().getTime() - WEEK_MS;
  const rows = await store.documents({ kind: UNJOINED, limit: NEWEST });
  return rows
    .filter(({ sort }) => sort >= since)
    .map(({ data, sort }) => ({
      source: String(data['source']),
      what: String(data['what']),
      remedy: String(data['remedy']),
      at: new Date(sort).toISOString(),
    }));
}

function grouped(told: readonly { source: string; what: string; remedy: string; at: string }[]): UnjoinedReports[] {
  const groups = new Map<string, UnjoinedReports>();
  for (const { source, what, remedy, at } of told) {
    const key = JSON.stringify([source, what]);
    const before = groups.get(key) ?? { source, what, remedy, count: 0, lastAt: at };
    groups.set(key, { ...before, count: before.count + 1, lastAt: at > before.lastAt ? at : before.lastAt });
  }
  const all = [...groups.values()].sort((a, b) => (a.lastAt < b.lastAt ? 1 : -1));
  return all.map((group) => ({ ...group, what: `${group.count} event${group.count === 1 ? '' : 's'} ${group.what}` }));
}
