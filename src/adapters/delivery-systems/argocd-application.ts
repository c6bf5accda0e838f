import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import type { Application, Deployment, Health, Operation, Place, Source } from '../../events/application.ts';

export interface ArgoCdContext {
  /** The configured name of this Argo CD. */
  system: string;
  /** Where a person reaches its UI, root path included. */
  url: string;
  labelPrefix: string;
  controlPlaneNamespace: string;
}

const HEALTH: ReadonlySet<string> = new Set<Health>([
  'Healthy',
  'Progressing',
  'Degraded',
  'Suspended',
  'Missing',
  'Unknown',
]);
const PHASES: ReadonlySet<string> = new Set<Operation['phase']>([
  'Running',
  'Terminating',
  'Succeeded',
  'Failed',
  'Error',
]);
const ENDED: ReadonlySet<Operation['phase']> = new Set<Operation['phase']>(['Succeeded', 'Failed', 'Error']);

/** A Kubernetes label value that can stand in a URL and a branch name. */
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
/** Sorts before every real moment, so that nothing undated is taken for newer than it is. */
const UNDATED = '1970-01-01T00:00:00Z';
/** A message longer than this (a whole manifest in a diff) helps nobody. */
const MAX_MESSAGE = 2_000;
/** Copies of the whole object, or of what was sent about it: large, and the first may carry Helm values. */
const COPIES: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'notified.notifications.argoproj.io',
]);

/**
 * An Argo CD Application object in our words; every field but its name may be missing.
 *
 * @throws {AdapterError} `bad-response` when there is no `metadata.name`
 */
export function toApplication(raw: unknown, context: ArgoCdContext): Application {
  const { metadata, spec, status, requested, state } = partsOf(raw);
  const name = text(metadata['name']);
  if (name === undefined) {
    throw new AdapterError('bad-response', `Argo CD ${context.system} answered an application without metadata.name`);
  }
  const namespace = text(metadata['namespace']) ?? context.controlPlaneNamespace;
  const annotations = strings(metadata['annotations'], COPIES);
  const labels = strings(metadata['labels']);
  const sources = sourcesOf(spec);
  const operation = state === undefined ? undefined : operationOf(state);
  return {
    ref: {
      system: context.system,
      namespace,
      name,
      uid: text(metadata['uid']) ?? '',
      systemProject: text(spec['project']) ?? 'default',
    },
    ...optional('place', placeOf(labels, context.labelPrefix)),
    ...optional('url', urlOf(annotations, object(status['summary']), context.labelPrefix)),
    ...optional('deliveryFile', annotations[`${context.labelPrefix}/delivery`]),
    link: linkOf(context.url, namespace, name),
    annotations,
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    source: sources[0] ?? { repoUrl: '', path: '', targetRevision: '' },
    sources,
    automated: isAutomated(object(spec['syncPolicy'])),
    ...optional('targetRevision', revisionOf(object(status['sync']))),
    syncStatus: syncStatusOf(object(status['sync'])['status']),
    health: healthOf(object(status['health'])),
    ...optional('operationRequested', requestOf(requested, operation)),
    ...optional('operation', operation),
    ...optional('reconciledAt', time(status['reconciledAt'])),
    history: objects(status['history']).flatMap(deploymentOf),
    images: array(object(status['summary'])['images']).filter((image) => typeof image === 'string'),
    conditions: objects(status['conditions']).map((condition) => ({
      type: text(condition['type']) ?? 'UnknownError',
      message: messageOf(condition['message']),
    })),
  };
}

/** Whether the labels say that this object wants to be looked after (they may still be incomplete). */
export function carriesOurLabels(raw: unknown, labelPrefix: string): boolean {
  const labels = strings(object(object(raw)['metadata'])['labels']);
  return labels[`${labelPrefix}/service`] !== undefined || labels['keptnService'] !== undefined;
}

function partsOf(raw: unknown) {
  const app = object(raw);
  const status = object(app['status']);
  const state = status['operationState'];
  return {
    metadata: object(app['metadata']),
    spec: object(app['spec']),
    status,
    requested: isJsonObject(app['operation']) ? app['operation'] : undefined,
    state: isJsonObject(state) ? state : undefined,
  };
}

function placeOf(labels: Record<string, string>, prefix: string): Place | undefined {
  const ours = placeFrom(labels[`${prefix}/project`], labels[`${prefix}/stage`], labels[`${prefix}/service`]);
  return ours ?? placeFrom(labels['keptnProject'], labels['stage'], labels['keptnService']);
}

function placeFrom(project = '', stage = '', service = ''): Place | undefined {
  return [project, stage, service].every((name) => NAME.test(name)) ? { project, stage, service } : undefined;
}

/** An annotation that is no address leaves it open: testing some other address would prove nothing. */
function urlOf(annotations: Record<string, string>, summary: JsonObject, prefix: string): string | undefined {
  const said = annotations[`${prefix}/url`] ?? annotations['externalURI'];
  if (said !== undefined) return webUrl(said);
  // An ingress may name its link: `title|https://...`.
  return array(summary['externalURLs'])
    .map((url) => webUrl(url) ?? (typeof url === 'string' ? webUrl(url.slice(url.lastIndexOf('|') + 1)) : undefined))
    .find((url) => url !== undefined);
}

/** Only http(s) without credentials: `javascript:` links and passwords in annotations stay out. */
function webUrl(value: unknown): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  return url.username === '' && url.password === '' ? value : undefined;
}

function linkOf(url: string, namespace: string, name: string): string {
  return `${url.replace(/\/+$/, '')}/applications/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
}

function sourcesOf(spec: JsonObject): Source[] {
  const several = objects(spec['sources']);
  if (several.length > 0) return several.map(sourceOf);
  if (isJsonObject(spec['source'])) return [sourceOf(spec['source'])];
  if (isJsonObject(spec['sourceHydrator'])) return [hydratedSourceOf(spec['sourceHydrator'])];
  return [];
}

function sourceOf(source: JsonObject): Source {
  return {
    repoUrl: text(source['repoURL']) ?? '',
    path: text(source['path']) ?? '',
    targetRevision: text(source['targetRevision']) ?? 'HEAD',
  };
}

/** What is synced is the hydrated branch; all its revisions are commits of that branch. */
function hydratedSourceOf(hydrator: JsonObject): Source {
  const [dry, synced] = [object(hydrator['drySource']), object(hydrator['syncSource'])];
  return {
    repoUrl: text(synced['repoURL']) ?? text(dry['repoURL']) ?? '',
    path: text(synced['path']) ?? '',
    targetRevision: text(synced['targetBranch']) ?? '',
  };
}

function isAutomated(policy: JsonObject): boolean {
  const automated = policy['automated'];
  return isJsonObject(automated) && automated['enabled'] !== false;
}

function syncStatusOf(value: Json | undefined): Application['syncStatus'] {
  return value === 'Synced' || value === 'OutOfSync' ? value : 'Unknown';
}

function healthOf(health: JsonObject): Application['health'] {
  const status = text(health['status']) ?? 'Unknown';
  return {
    status: HEALTH.has(status) ? (status as Health) : 'Unknown',
    ...optional('since', time(health['lastTransitionTime'])),
    ...optional('message', text(health['message'])?.slice(0, MAX_MESSAGE)),
  };
}

/** `operation` stays on the object while it runs; only without a state of its own is it still to be picked up. */
function requestOf(requested: JsonObject | undefined, operation: Operation | undefined) {
  if (requested === undefined) return undefined;
  if (operation !== undefined && !ENDED.has(operation.phase)) return undefined;
  return { infos: infosOf(requested['info']) };
}

function operationOf(state: JsonObject): Operation {
  const requested = object(state['operation']);
  const sync = object(requested['sync']);
  const finishedAt = time(state['finishedAt']);
  const phase = phaseOf(state['phase'], finishedAt);
  const problem = phase === state['phase'] ? '' : `unknown phase ${JSON.stringify(state['phase'] ?? null)}; `;
  return {
    phase,
    startedAt: time(state['startedAt']) ?? UNDATED,
    ...optional('finishedAt', finishedAt),
    ...optional('revision', revisionOf(object(state['syncResult']))),
    infos: infosOf(requested['info']),
    dryRun: sync['dryRun'] === true,
    partial: array(sync['resources']).length > 0 || isJsonObject(object(sync['syncStrategy'])['apply']),
    retrying: phase === 'Running' && finishedAt !== undefined,
    automated: object(requested['initiatedBy'])['automated'] === true,
    message: problem + messageOf(state['message']),
  };
}

/** A phase that we do not know is never a success: ended it is an error, else it is waited for. */
function phaseOf(value: Json | undefined, finishedAt: string | undefined): Operation['phase'] {
  if (typeof value === 'string' && PHASES.has(value)) return value as Operation['phase'];
  return finishedAt === undefined ? 'Running' : 'Error';
}

/** Several sources fill `revisions` and leave the singular empty or out; ours is the first. */
function revisionOf(holder: JsonObject): string | undefined {
  return text(holder['revision']) ?? text(array(holder['revisions'])[0]);
}

function infosOf(value: Json | undefined): Record<string, string> {
  const pairs = objects(value).map((info) => [text(info['name']) ?? '', info['value']] as const);
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => isSafePair(pair)));
}

function deploymentOf(entry: JsonObject): Deployment[] {
  const revision = revisionOf(entry);
  const deployedAt = time(entry['deployedAt']);
  if (revision === undefined || deployedAt === undefined) return [];
  return [{ revision, ...optional('startedAt', time(entry['deployStartedAt'])), deployedAt }];
}

function messageOf(value: Json | undefined): string {
  return (text(value) ?? '').slice(0, MAX_MESSAGE);
}

function object(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function array(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

function objects(value: Json | undefined): JsonObject[] {
  return array(value).filter(isJsonObject);
}

function strings(value: Json | undefined, except: ReadonlySet<string> = new Set()): Record<string, string> {
  return Object.fromEntries(
    Object.entries(object(value)).filter((pair): pair is [string, string] => isSafePair(pair) && !except.has(pair[0])),
  );
}

/** `__proto__` as a key would change the object that it is copied into. */
function isSafePair([key, value]: readonly [string, unknown]): boolean {
  return key !== '' && key !== '__proto__' && typeof value === 'string';
}

/** A text with something in it: Go writes what is unset as an empty string. */
function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function time(value: Json | undefined): string | undefined {
  return typeof value === 'string' && TIMESTAMP.test(value) ? value : undefined;
}

function optional<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]?: V });
}
