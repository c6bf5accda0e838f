import type { RiskSignalKey } from '../definitions/delivery-risk.ts';

/** Something outside that a query answers for: a dependency, or a cluster that is being upgraded. */
export interface Probe {
  name: string;
  /** What was read; absent: it could not be read, and `why` says so. */
  value?: number;
  why?: string;
  /** Red above this value, or below that one. */
  above?: number;
  below?: number;
  /** A hard rule: red denies, and what cannot be read is waited for. */
  deny?: boolean;
}

/**
 * What is known of a change before it is deployed; whatever is not known is left out. `unknown` says
 * why a signal that was asked for is missing.
 */
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
  /** An image and other configuration change together. */
  configAndImage?: boolean;
  /** The largest jump among the versions of images. */
  versionJump?: 'major' | 'minor' | 'patch' | 'none';
  /** How many of the authors have not changed these parts before. */
  authors?: { all: number; unfamiliar: number };
  /** Deployments of this service in the last 90 days and how many of them failed. */
  history?: { deployments: number; failures: number };
  /** Since this service last failed to deploy; `none`: it never did. */
  hoursSinceFailure?: number | 'none';
  daysSinceDeployment?: number;
  /** Alerts that fired in the last 24 hours. */
  alertsFiring?: number;
  /** The verdict of the stage that the change comes from. */
  previousResult?: 'pass' | 'warning' | 'fail';
  /** How long it ran there, and how long it should have, in milliseconds. */
  previousSoak?: { ranMs: number; expectedMs: number };
  /** Share of the error budget that is left. */
  budgetRemaining?: number;
  dependencies?: readonly Probe[];
  infrastructure?: readonly Probe[];
  /** Minutes since Monday 00:00 where the team lives (`localMinuteOfWeek`). */
  localMinuteOfWeek?: number;
  /** Until the next deployment window closes; `none`: not within a day. */
  hoursToFreeze?: number | 'none';
  /** Whoever approved it in the stage before is among its authors. */
  selfApproved?: boolean;
  /** Goes back to what ran before. */
  rollback?: boolean;
  /** Nothing differs from what runs. */
  noDifference?: boolean;
  unknown?: Partial<Record<RiskSignalKey, string>>;
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

/** The top-level directories that the paths are in; files at the root are in one of their own, named ''. */
export function topLevelDirectories(paths: readonly string[]): string[] {
  return [...new Set(paths.map((path) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '')))];
}

/** Whether a probe is red; `undefined`: it could not be read. */
export function isRed({ value, above, below }: Probe): boolean | undefined {
  if (value === undefined || !Number.isFinite(value)) return undefined;
  return (above !== undefined && value > above) || (below !== undefined && value < below);
}
