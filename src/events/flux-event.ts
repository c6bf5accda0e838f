/**
 * What an event of Flux means. Told by its reason: `info` comes with what is not deployed (a dependency
 * that is not ready) and with what was taken back (a rollback).
 *
 * - `applied`: the API server took everything; that it runs too is for the object's conditions to say
 * - `released`: by Helm, before its tests
 * - `unknown`: a reason that is not known here, and so never a success
 * - `ignored`: about an object that delivers nothing
 */
export type FluxMeaning =
  | 'applied'
  | 'released'
  | 'tested'
  | 'healthy'
  | 'progressing'
  | 'waiting'
  | 'superseded'
  | 'failed'
  | 'rolled-back'
  | 'uninstalled'
  | 'drifted'
  | 'drift-corrected'
  | 'new-artifact'
  | 'recovered'
  | 'unknown'
  | 'ignored';

/** What an object of Flux does with a revision. */
export type FluxRole = 'consumer' | 'source' | 'other';

const CONSUMERS: Readonly<Record<string, string>> = {
  Kustomization: 'kustomize.toolkit.fluxcd.io',
  HelmRelease: 'helm.toolkit.fluxcd.io',
};
const SOURCE_GROUP = 'source.toolkit.fluxcd.io';
const SOURCES: ReadonlySet<string> = new Set([
  'GitRepository',
  'OCIRepository',
  'Bucket',
  'HelmRepository',
  'HelmChart',
  'ExternalArtifact',
]);

/** @param group of the API; absent: of the kind's own */
export function roleOf(kind: string, group?: string): FluxRole {
  const consumer = new Map(Object.entries(CONSUMERS)).get(kind);
  if (consumer !== undefined) return group === undefined || group === consumer ? 'consumer' : 'other';
  return SOURCES.has(kind) && (group === undefined || group === SOURCE_GROUP) ? 'source' : 'other';
}

const MEANINGS: Readonly<Record<Exclude<FluxRole, 'other'>, ReadonlyMap<string, FluxMeaning>>> = {
  consumer: new Map([
    ['ReconciliationSucceeded', 'applied'],
    ['InstallSucceeded', 'released'],
    ['UpgradeSucceeded', 'released'],
    ['TestSucceeded', 'tested'],
    ['RollbackSucceeded', 'rolled-back'],
    ['UninstallSucceeded', 'uninstalled'],
    ['Progressing', 'progressing'],
    ['DependencyNotReady', 'waiting'],
    ['HealthCheckCanceled', 'superseded'],
    ['DriftDetected', 'drifted'],
    ['DriftCorrected', 'drift-corrected'],
  ]),
  source: new Map([
    ['NewArtifact', 'new-artifact'],
    ['ChartPullSucceeded', 'new-artifact'],
    ['ChartPackageSucceeded', 'new-artifact'],
    ['Succeeded', 'recovered'],
    ['Progressing', 'progressing'],
  ]),
};
/** New reasons come with every release of Flux; those that say that something went wrong are taken at their word. */
const SAYS_FAILURE =
  /(?:Failed|Error|Denied|Disabled|Exceeded|Unavailable|Unsupported|Invalid)$|^(?:Invalid|Unsupported)/;
/** kustomize-controller gives what it applied and what became healthy the same reason. */
const HEALTHY = /^Health check passed\b/;

export function meaningOf(event: { role: FluxRole; reason: string; message: string }): FluxMeaning {
  const { role, reason, message } = event;
  if (role === 'other') return 'ignored';
  const meaning = MEANINGS[role].get(reason);
  if (meaning === 'progressing' && HEALTHY.test(message)) return 'healthy';
  return meaning ?? (SAYS_FAILURE.test(reason) ? 'failed' : 'unknown');
}

const EVENT_GROUP = 'event.toolkit.fluxcd.io';
/** For Flux itself. */
const INTERNAL: ReadonlySet<string> = new Set(['checksum', 'digest', 'token']);

/**
 * The metadata of an event without the prefixes that controllers write and notification-controller takes off
 * (with its own precedence: annotations of the object, what the Alert adds, what the controller says).
 * What other controllers wrote is left out.
 */
export function plainMetadata(group: string | undefined, metadata: Readonly<Record<string, string>>) {
  const [annotations, plain, told] = [new Map<string, string>(), new Map<string, string>(), new Map<string, string>()];
  for (const [key, value] of Object.entries(metadata)) {
    const [, prefix, name = key] = /^([a-z.]+\.toolkit\.fluxcd\.io)\/(.+)$/.exec(key) ?? [];
    if (prefix === undefined) plain.set(key, value);
    else if (prefix === EVENT_GROUP) annotations.set(name, value);
    else if (prefix === group && !INTERNAL.has(name)) told.set(name, value);
  }
  return Object.fromEntries([...annotations, ...plain, ...told]);
}

const RELEASE = /\brelease [^\s/]+\/[^\s/]+\.v(\d+)\b/;

/** The number of the Helm release that a message is about, the only thing on the wire that tells two apart. */
export function releaseIn(message: string): number | undefined {
  const number = RELEASE.exec(message)?.[1];
  return number === undefined ? undefined : Number(number);
}
