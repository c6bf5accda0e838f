import { isAbout, type Report } from './report.ts';

/** By what a change is known; its reports name one of these. */
export interface JoinKeys {
  /** Ids of the change, ours and those that it had before. */
  changes: readonly string[];
  project?: string;
  service?: string;
  /** Full commits that it delivers, as the delivery system names them. */
  commits: readonly string[];
  /** Of images that it brought. */
  digests: readonly string[];
  /** `host/owner/repo/number` */
  pullRequests: readonly string[];
  /** Full commits of the source that it was built of, where those are known already. */
  sources?: readonly string[];
}

/** What may be looked for next, as `reportKeys` writes it. */
export interface Joined {
  reports: Report[];
  ask: string[];
}

/**
 * Which of the reports belong to a change: those that name its manifest commit, the digest of an image that it
 * brought, its pull request or its id; then those of the source commit that one of these names, and those of the same run
 * or chain. What names a manifest commit that the change does not have is another delivery, whatever it shares.
 * The order of the reports does not matter.
 */
export function joinReports(keys: JoinKeys, candidates: readonly Report[]): Joined {
  const known = new Set(askedFirst(keys));
  const own = new Set(keys.commits);
  const place = {
    ...(keys.project ? { project: keys.project } : {}),
    ...(keys.service ? { service: keys.service } : {}),
  };
  const rest = new Set(candidates.filter((report) => isAbout(report, place)));
  const reports: Report[] = [];
  for (let found = true; found; ) {
    found = false;
    for (const report of rest) {
      if (!belongs(report, known, own, keys)) continue;
      found = true;
      rest.delete(report);
      reports.push(report);
      for (const key of ledTo(report)) known.add(key);
    }
  }
  return { reports: inOrder(reports), ask: [...known] };
}

/** What is asked for before any report is known. */
export function askedFirst({ changes, commits, digests, pullRequests, sources = [] }: JoinKeys): string[] {
  return [
    ...[...commits, ...sources].map((sha) => `commit:${sha}`),
    ...digests.map((digest) => `digest:${digest}`),
    ...pullRequests.map((key) => `pr:${key}`),
    ...changes.map((id) => `change:${id}`),
  ];
}

/** In the order in which things happened; what happened at once, by what was said first in our alphabet. */
export function inOrder(reports: readonly Report[]): Report[] {
  return [...reports].sort((a, b) => compare(a.at, b.at) || compare(a.id, b.id));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function belongs(report: Report, known: ReadonlySet<string>, own: ReadonlySet<string>, keys: JoinKeys): boolean {
  const { change, manifestCommit, commit, digest, pullRequest, run, partOf, chain } = report;
  if (change !== undefined) return keys.changes.includes(change);
  // A built change that was not delivered yet has no manifests that could be others'.
  if (manifestCommit !== undefined && own.size > 0 && !own.has(manifestCommit)) return false;
  return (
    [commit, manifestCommit].some((sha) => sha !== undefined && known.has(`commit:${sha}`)) ||
    (digest !== undefined && known.has(`digest:${digest}`)) ||
    (pullRequest !== undefined && known.has(`pr:${pullRequest.key}`)) ||
    [run, partOf].some((id) => id !== undefined && known.has(`run:${id}`)) ||
    (chain !== undefined && known.has(`chain:${chain}`))
  );
}

/** A pull request leads to what was reported of it only: many commits may travel in one. */
function ledTo({ commit, digest, manifestCommit, pullRequest, run, partOf, chain, kind }: Report): string[] {
  return [
    ...(commit === undefined ? [] : [`commit:${commit}`]),
    ...(manifestCommit === undefined ? [] : [`commit:${manifestCommit}`]),
    ...(digest === undefined ? [] : [`digest:${digest}`]),
    ...(pullRequest !== undefined && (kind === 'manifest' || kind === 'pull-request') ? [`pr:${pullRequest.key}`] : []),
    `run:${run}`,
    ...(partOf === undefined ? [] : [`run:${partOf}`]),
    ...(chain === undefined ? [] : [`chain:${chain}`]),
  ];
}
