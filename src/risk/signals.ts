/** What is known of a change before it is deployed; whatever is not known is left out. */
export interface RiskSignals {
  /** Added plus deleted. */
  lines?: number;
  files?: number;
  /** Top-level directories that are touched. */
  directories?: number;
  /** Commits since what runs now. */
  commits?: number;
  /** Kinds of sensitive files that are touched, from `sensitiveKinds`; empty: none. */
  sensitive?: readonly string[];
  /** Deployments of this service in the last 90 days and how many of them failed. */
  history?: { deployments: number; failures: number };
  /** Since this service last failed to deploy; `none`: it never did. */
  hoursSinceFailure?: number | 'none';
  /** Share of the error budget that is left. */
  budgetRemaining?: number;
  /** Minutes since Monday 00:00 where the team lives (`localMinuteOfWeek`). */
  localMinuteOfWeek?: number;
  /** Goes back to what ran before. */
  rollback?: boolean;
}

const SENSITIVE: readonly { kind: string; pattern: RegExp }[] = [
  { kind: 'database migration', pattern: /(?:^|[/_.-])(?:migrations?|flyway|liquibase)(?:[/_.-]|$)/i },
  {
    kind: 'RBAC',
    pattern: /(?:^|[/_.-])(?:rbac|(?:cluster-?)?roles?|(?:cluster-?)?role-?bindings?|service-?accounts?)(?:[/_.-]|$)/i,
  },
  { kind: 'custom resource definition', pattern: /(?:^|[/_.-])(?:crds?|custom-?resource-?definitions?)(?:[/_.-]|$)/i },
  { kind: 'network policy', pattern: /(?:^|[/_.-])(?:network-?polic(?:y|ies)|netpol)(?:[/_.-]|$)/i },
  { kind: 'secret', pattern: /(?:^|[/_.-])(?:(?:sealed-?|external-?)?secrets?|credentials?)(?:[/_.-]|$)/i },
];

/** Longest path that is looked at; Git itself allows 4096. */
const MAX_PATH = 4096;

/** Which kinds of files with a long reach are among the paths. By name only: contents are not read. */
export function sensitiveKinds(paths: readonly string[]): string[] {
  return SENSITIVE.filter(({ pattern }) => paths.some((path) => pattern.test(path.slice(0, MAX_PATH)))).map(
    ({ kind }) => kind,
  );
}

/** How many top-level directories the paths are in; files at the root count as one. */
export function topLevelDirectories(paths: readonly string[]): number {
  return new Set(paths.map((path) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : ''))).size;
}
