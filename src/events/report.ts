/** What a report of others is about. */
export const REPORT_KINDS = [
  'build',
  'image',
  'manifest',
  'pull-request',
  'test',
  'deploy',
  'incident',
  'pipeline',
  'task',
] as const;
export type ReportKind = (typeof REPORT_KINDS)[number];

/** How far that is. A pull request is `finished` when it is merged, an incident when it is resolved. */
export const REPORT_STATES = ['queued', 'started', 'finished', 'failed', 'cancelled'] as const;
export type ReportState = (typeof REPORT_STATES)[number];

/**
 * One thing that somebody else said about a change on its way to the cluster, in our words: the same for a CDEvent and
 * for the short form. Times are ISO 8601.
 */
export interface Report {
  /** The same for the same event, however often it comes. */
  id: string;
  /** Who said it, and in what words. */
  source: string;
  type: string;
  kind: ReportKind;
  state: ReportState;
  /** When it happened there, never later than `heardAt`. */
  at: string;
  heardAt: string;
  /** The same for all events about one run of one thing. */
  run: string;
  /** The run that this one is a part of. */
  partOf?: string;
  project?: string;
  service?: string;
  /** The stage or ring. */
  stage?: string;
  cluster?: string;
  team?: string;
  author?: { name: string; login?: string };
  title?: string;
  /** Full, of the source: what was built. */
  commit?: string;
  /** URL of the repository of `commit`. */
  repository?: string;
  /** Full, of what the delivery system deploys. */
  manifestCommit?: string;
  /** `sha256:` and 64 digits. */
  digest?: string;
  /** Without tag and digest. */
  image?: string;
  version?: string;
  pullRequest?: ReportedPullRequest;
  /** Our own id of the change, or that of a row of its own. */
  change?: string;
  /** What CDEvents call a chain: events that belong to each other. */
  chain?: string;
  /** Where in the run: `{name: 'go test', number: 2, of: 4}`. */
  step?: { name: string; number?: number; of?: number };
  /** One line for people. */
  detail?: string;
  url?: string;
  /** What was said instead of a digest or a full commit: nothing is joined by it. */
  loose?: { commit?: string; tag?: string };
}

export interface ReportedPullRequest {
  url: string;
  /** Host, path and number: `github.com/acme/deploy/412`. */
  key: string;
  number: number;
  mergedBy?: string;
}

const FULL = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** A full commit, SHA-1 or SHA-256. */
export function isFullCommit(text: string): boolean {
  return FULL.test(text);
}

export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/**
 * By what a report is found, as index entries: `commit:…` (either commit), `digest:…`, `pr:…`, `change:…`, `run:…` and
 * `chain:…`. Never a tag: it may point elsewhere tomorrow.
 */
export function reportKeys(report: Report): string[] {
  const { commit, manifestCommit, digest, pullRequest, change, run, partOf, chain } = report;
  const keys = [
    ...[commit, manifestCommit].map((sha) => sha && `commit:${sha}`),
    digest && `digest:${digest}`,
    pullRequest && `pr:${pullRequest.key}`,
    change && `change:${change}`,
    `run:${run}`,
    partOf && `run:${partOf}`,
    chain && `chain:${chain}`,
  ];
  return [...new Set(keys.filter((key): key is string => key !== undefined && key !== ''))];
}

/** Whether anything that a change is known by stands in it. */
export function namesChange({ commit, manifestCommit, digest, pullRequest, change }: Report): boolean {
  return [commit, manifestCommit, digest, pullRequest, change].some((name) => name !== undefined);
}

/** Of both, what is said; what is not said is no contradiction. */
export function isAbout(report: Pick<Report, 'project' | 'service'>, place: Pick<Report, 'project' | 'service'>) {
  return (['project', 'service'] as const).every((name) => {
    const [said, known] = [report[name], place[name]];
    return said === undefined || known === undefined || said.toLowerCase() === known.toLowerCase();
  });
}
