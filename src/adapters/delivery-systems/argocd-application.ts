import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import type { Application, Health, Place } from '../../events/application.ts';
import { belongingOf } from '../../events/belonging.ts';
import { placeFrom, webUrl } from '../../events/written.ts';
import { deploymentOf, MAX_MESSAGE, messageOf, operationOf, requestOf } from './argocd-operation.ts';
import { hydrationOf, leadingAt, sourcesOf, targetIn } from './argocd-sources.ts';
import { array, object, objects, optional, strings, text, time } from './go-json.ts';

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
/** Names the application that an object belongs to. */
const INSTANCE = 'argocd.argoproj.io/instance';
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
  const operation = state === undefined ? undefined : operationOf(state, sources);
  const target = targetIn(object(status['sync']), sources);
  const automated = automationOf(object(spec['syncPolicy']));
  return {
    ref: {
      system: context.system,
      namespace,
      name,
      uid: text(metadata['uid']) ?? '',
      systemProject: text(spec['project']) ?? 'default',
    },
    ...optional('place', placeOf(labels, context.labelPrefix)),
    ...belongingOf(labels, annotations, context.labelPrefix),
    ...optional('cluster', clusterOf(object(spec['destination']))),
    ...optional('url', urlOf(annotations, object(status['summary']), context.labelPrefix)),
    ...optional('deliveryFile', annotations[`${context.labelPrefix}/delivery`]),
    link: linkOf(context.url, namespace, name),
    annotations,
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    source: sources[leadingAt(sources)] ?? { repoUrl: '', path: '', targetRevision: '' },
    sources,
    automated: automated !== undefined,
    ...(automated?.['selfHeal'] === true ? { selfHeal: true } : {}),
    ...optional('owner', ownerOf(metadata, name)),
    ...(text(metadata['deletionTimestamp']) === undefined ? {} : { deleting: true }),
    ...optional('hydration', hydrationOf(spec, status)),
    ...optional('targetRevision', target.revision),
    ...optional('targetRevisions', target.revisions),
    syncStatus: syncStatusOf(object(status['sync'])['status']),
    health: healthOf(object(status['health'])),
    ...optional('operationRequested', requestOf(requested, operation)),
    ...optional('operation', operation),
    ...optional('reconciledAt', time(status['reconciledAt'])),
    history: objects(status['history']).flatMap((entry) => deploymentOf(entry, sources)),
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

/** How Argo CD calls the cluster that it runs in. */
const OWN_SERVER = /^https:\/\/kubernetes\.default\.svc(?::\d+)?\/?$/;

/** By its name, else by the host of its address. */
function clusterOf(destination: JsonObject): string | undefined {
  const [name, server] = [text(destination['name']), text(destination['server'])];
  if (name !== undefined && name !== '') return name;
  if (server === undefined || server === '') return undefined;
  if (OWN_SERVER.test(server)) return 'in-cluster';
  return URL.canParse(server) ? new URL(server).host : undefined;
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

function linkOf(url: string, namespace: string, name: string): string {
  return `${url.replace(/\/+$/, '')}/applications/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
}

function automationOf(policy: JsonObject): JsonObject | undefined {
  const automated = policy['automated'];
  return isJsonObject(automated) && automated['enabled'] !== false ? automated : undefined;
}

/** An ApplicationSet that generates it, or the application that it is a resource of ("app of apps"). */
function ownerOf(metadata: JsonObject, name: string): Application['owner'] {
  const set = objects(metadata['ownerReferences']).find(({ kind }) => kind === 'ApplicationSet');
  if (set) return { kind: 'ApplicationSet', name: text(set['name']) ?? '' };
  const annotations = object(metadata['annotations']);
  // `<application>:<group>/<kind>:<namespace>/<name>`
  const tracked = text(annotations['argocd.argoproj.io/tracking-id'])?.split(':')[0];
  const owner = tracked ?? text(annotations[INSTANCE]) ?? text(object(metadata['labels'])[INSTANCE]);
  return owner === undefined || owner === name ? undefined : { kind: 'Application', name: owner };
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
