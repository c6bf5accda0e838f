import { hash } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import type { Secret } from '../../base/secret.ts';
import { parseStrictJson } from '../../base/strict-json.ts';
import { applicationKey } from '../../events/application.ts';
import type { NewEvent, NewJob } from '../../store/store.ts';
import { bearerAuthentication } from './bearer.ts';
import type { Translation, WebhookSender } from './sender.ts';

export interface ArgoCdSenderOptions {
  /** One per Argo CD: the configured name of the delivery system, and the tokens its notifications carry. */
  sources: readonly { system: string; tokens: readonly Secret[] }[];
}

const EVENT_TYPE = 'dev.lynceus.notification.received.v1';
const SCHEMA = 'argocd.v1';
/** More of an application than this is not kept: what matters of it is read again anyway. */
const MAX_KEPT_CHARS = 64 * 1024;
/** Written again, JSON grows at most as `1e20` does, which becomes 21 digits. */
const MAX_GROWTH = 6;
const MAX_TRIGGER_CHARS = 100;
/** Longer ones, of many sources, are told apart by their digest. */
const MAX_STATE_CHARS = 200;
const MAX_TIME_CHARS = 30;
const NAMESPACE = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
/** Bulk, copies, and the places where charts and plug-ins get inline values, passwords among them. */
const NOT_KEPT: ReadonlySet<string> = new Set([
  'managedFields',
  'kubectl.kubernetes.io/last-applied-configuration',
  'notified.notifications.argoproj.io',
  'helm',
  'plugin',
  'manifests',
]);

/** Receives what the templates in argocd-notifications/ send. */
export function argocdSender({ sources }: ArgoCdSenderOptions): WebhookSender {
  const authenticate = bearerAuthentication(sources.map(({ system, tokens }) => ({ name: system, tokens })));
  return {
    path: '/webhooks/argocd',
    proof: 'headers',
    authenticate: ({ headers }) => authenticate(headers.authorization),
    translate,
  };
}

function translate(system: string, rawBody: Buffer, receivedAt: Date): Translation {
  const parsed = parseStrictJson(rawBody);
  if (!parsed.ok) return refuseText(parsed.code, parsed.detail, rawBody);
  const body = parsed.value;
  if (!isJsonObject(body)) return refuseShape('the body must be a JSON object with the fields trigger and app');
  if (body['schema'] !== undefined && body['schema'] !== SCHEMA) {
    return refuseShape(`schema: only "${SCHEMA}" is known; apply the templates of this version of Lynceus`);
  }
  const app = body['app'];
  if (!isJsonObject(app)) return refuseShape('app: the application object is missing; see argocd-notifications/');
  const subject = subjectOf(app);
  if (typeof subject === 'string') return refuseShape(subject);
  const event = eventOf(system, subject, body, app, rawBody.length, receivedAt);
  return { ok: true, event, jobs: [observeJob(system, subject)] };
}

interface Subject {
  namespace: string;
  name: string;
  uid: string;
}

/** Which application it is about, or the sentence that says what is wrong. */
function subjectOf(app: JsonObject): Subject | string {
  const metadata = object(app['metadata']);
  const [name, namespace, uid] = [metadata['name'], metadata['namespace'], metadata['uid']];
  if (typeof name !== 'string' || !NAME.test(name)) return wrong('app.metadata.name', 'the name of an application');
  if (typeof namespace !== 'string' || !NAMESPACE.test(namespace)) {
    return wrong('app.metadata.namespace', 'the name of a namespace');
  }
  if (typeof uid !== 'string' || uid === '' || uid.length > 100) return wrong('app.metadata.uid', 'a Kubernetes uid');
  return { namespace, name, uid };
}

function wrong(field: string, wanted: string): string {
  return `${field} is not ${wanted}; the template must send {{ toJson .app.metadata }}`;
}

function eventOf(
  system: string,
  subject: Subject,
  body: JsonObject,
  app: JsonObject,
  receivedBytes: number,
  receivedAt: Date,
): NewEvent {
  const state = stateOf(app);
  const trigger = text(body['trigger']).slice(0, MAX_TRIGGER_CHARS);
  return {
    id: idOf(subject, state),
    source: `argocd/${system}`,
    type: EVENT_TYPE,
    subject: applicationKey({ system, ...subject }),
    time: receivedAt.toISOString(),
    data: { system, ...subject, trigger, ...state, ...kept(app, receivedBytes) },
  };
}

/** The parts of an application whose change makes it worth another look. */
function stateOf(app: JsonObject) {
  const status = object(app['status']);
  const [operation, health, sync] = [
    object(status['operationState']),
    object(status['health']),
    object(status['sync']),
  ];
  return {
    operation: {
      startedAt: text(operation['startedAt']),
      finishedAt: text(operation['finishedAt']),
      phase: text(operation['phase']),
      revision: revisionOf(object(operation['syncResult'])),
    },
    health: { status: text(health['status']), since: text(health['lastTransitionTime']) },
    sync: { status: text(sync['status']), revision: revisionOf(sync) },
  };
}

/**
 * Several triggers fire for one state, and one trigger fires again (after a restart, an edited trigger, a lost annotation,
 * or because the answer was lost): all say "look at this state", so the state is the event. Its newest time comes first:
 * what arrives together stands together in the index, where random ids would each write a page of their own.
 */
function idOf({ uid }: Subject, { operation, health, sync }: ReturnType<typeof stateOf>): string {
  const { startedAt, phase, finishedAt } = operation;
  const newest = newer(newer(startedAt, finishedAt), health.since);
  const state = `${startedAt}:${phase}:${finishedAt}:${health.status}:${health.since}:${sync.status}:${sync.revision}`;
  return `${newest.slice(0, MAX_TIME_CHARS)}/${state.length > MAX_STATE_CHARS ? hash('sha256', state) : state}/${uid}`;
}

function newer(one: string, other: string): string {
  return one > other ? one : other;
}

function observeJob(system: string, { namespace, name }: Subject): NewJob {
  return {
    queue: 'observe',
    key: applicationKey({ system, namespace, name }),
    payload: { system, namespace, name },
  };
}

/** The application as it was told, for people who look into it later. */
function kept(app: JsonObject, receivedBytes: number): { app: Json } | { appLeftOut: string } {
  const lean = hasBulk(app) ? withoutBulk(app) : app;
  const surelyFits = receivedBytes * MAX_GROWTH <= MAX_KEPT_CHARS;
  if (surelyFits || JSON.stringify(lean).length <= MAX_KEPT_CHARS) return { app: lean };
  return { appLeftOut: `larger than ${MAX_KEPT_CHARS} characters` };
}

/** Safe to recurse: the parser bounds the depth. */
function hasBulk(value: Json): boolean {
  if (Array.isArray(value)) return value.some(hasBulk);
  if (!isJsonObject(value)) return false;
  for (const key in value) {
    if (NOT_KEPT.has(key) || hasBulk(value[key] ?? null)) return true;
  }
  return false;
}

function withoutBulk(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutBulk);
  if (!isJsonObject(value)) return value;
  const copy: JsonObject = {};
  for (const [key, inner] of Object.entries(value)) {
    if (!NOT_KEPT.has(key)) copy[key] = withoutBulk(inner);
  }
  return copy;
}

function refuseText(code: string, detail: string, rawBody: Buffer): Translation {
  if (code === 'too-large') return { ok: false, status: 413, code, detail };
  if (rawBody.length === 0) {
    return {
      ok: false,
      status: 400,
      code: 'empty-body',
      detail: 'the body is empty: the template needs webhook.<service>.body, under the name of the service',
    };
  }
  const remedy = rawBody.includes('<no value>') || rawBody.includes('map[') ? '; every value needs toJson' : '';
  return { ok: false, status: 400, code, detail: `the body is not acceptable JSON: ${detail}${remedy}` };
}

function refuseShape(detail: string): Translation {
  return { ok: false, status: 422, code: 'unknown-shape', detail };
}

/** Several sources fill `revisions` and leave the singular empty. */
function revisionOf(holder: JsonObject): string {
  const several = holder['revisions'];
  return text(holder['revision']) || (Array.isArray(several) ? several.map(text).join(',') : '');
}

function object(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value.slice(0, 1_000) : '';
}
