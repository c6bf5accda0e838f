import { hash } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import { parseStrictJson } from '../../base/strict-json.ts';
import { applicationKey } from '../../events/application.ts';
import {
  type FluxMeaning,
  type FluxRole,
  meaningOf,
  plainMetadata,
  releaseIn,
  roleOf,
} from '../../events/flux-event.ts';
import type { NewJob } from '../../store/store.ts';
import { type BearerSource, bearerAuthentication } from './bearer.ts';
import { createRuns } from './runs.ts';
import type { Translation, WebhookSender } from './sender.ts';
import { signatureAuthentication } from './signature.ts';

export interface FluxSenderOptions {
  /** One per cluster: the configured name of the delivery system, and the tokens that sign its events. */
  sources: readonly { system: string; tokens: BearerSource['tokens'] }[];
}

const EVENT_TYPE = 'dev.lynceus.notification.received.v1';
/** Flux gives up after its time-out, a minute or so. What is older was kept by somebody and is sent again. */
const MAX_AGE_MS = 10 * 60_000;
const MAX_AHEAD_MS = 2 * 60_000;
/** Fine weather is told once a day, everything else at most four times an hour. */
const STEADY_MS = 86_400_000;
const REPEATED_MS = 15 * 60_000;
/** Sources that move together are worth one list; at most six lists a minute come of them. */
const SOURCES_EVERY_MS = 10_000;
const MAX_MESSAGE_CHARS = 2_000;
const MAX_METADATA = 50;
const MAX_TEXT_CHARS = 500;
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
const NAMESPACE = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
const KIND = /^[A-Za-z][A-Za-z0-9]{0,62}$/;
const REASON = /^\S{1,200}$/;

/** Receives what notification-controller sends for a Provider of type `generic-hmac`, or `generic` with a bearer token. */
export function fluxSender({ sources }: FluxSenderOptions): WebhookSender {
  const named = sources.map(({ system, tokens }) => ({ name: system, tokens }));
  const [bearer, signed] = [bearerAuthentication(named), signatureAuthentication(named)];
  const runs = createRuns();
  return {
    path: '/webhooks/flux',
    proof: 'body',
    // Five attempts, whatever is between them: 30 s by itself, 4 s with our usual Retry-After.
    pausesItself: true,
    authenticate({ headers, rawBody }) {
      const signature = headers['x-signature'];
      // Who signs is held to the signature, whatever else is sent along.
      return signature === undefined ? bearer(headers.authorization) : signed(String(signature), rawBody);
    },
    translate: (system, rawBody, receivedAt) => translate(runs, system, rawBody, receivedAt),
  };
}

type Runs = ReturnType<typeof createRuns>;

function translate(runs: Runs, system: string, rawBody: Buffer, receivedAt: Date): Translation {
  const parsed = parseStrictJson(rawBody);
  if (!parsed.ok) {
    const status = parsed.code === 'too-large' ? 413 : 400;
    return { ok: false, status, code: parsed.code, detail: `the body is not acceptable JSON: ${parsed.detail}` };
  }
  const told = readEvent(parsed.value);
  if (typeof told === 'string') return { ok: false, status: 422, code: 'unknown-shape', detail: told };
  const late = lateness(told.timestamp, receivedAt);
  // 422 and not 401: it says on the Alert what is wrong, most likely a clock. Flux repeats neither.
  if (late !== undefined) return { ok: false, status: 422, code: 'outside-time-window', detail: late };
  const bodySha256 = hash('sha256', rawBody);
  return {
    ok: true,
    event: {
      // Told from the body: the same bytes twice are one event, and a recorded one sent again is none.
      id: bodySha256,
      source: `flux/${system}`,
      type: EVENT_TYPE,
      subject: subjectOf(system, told),
      time: receivedAt.toISOString(),
      key: keyOf(runs, system, told),
      data: { system, ...(told as unknown as JsonObject), bodySha256 },
    },
    jobs: jobsOf(system, told, receivedAt),
  };
}

interface ToldEvent {
  kind: string;
  namespace: string;
  name: string;
  uid: string;
  role: FluxRole;
  meaning: FluxMeaning;
  reason: string;
  severity: string;
  /** ISO 8601, as the controller says. */
  timestamp: string;
  message: string;
  revision: string;
  originRevision: string;
  /** Of Helm. */
  release?: number;
  metadata: Record<string, string>;
  controller: string;
}

/** The event, or the sentence that says what is wrong with it. */
function readEvent(body: Json): ToldEvent | string {
  if (!isJsonObject(body) || !isJsonObject(body['involvedObject'])) {
    return 'involvedObject is missing: the body must be an event of Flux; Providers of type generic-hmac and generic send it';
  }
  const { kind, namespace, name, uid, apiVersion } = body['involvedObject'];
  if (!matches(kind, KIND)) return wrong('involvedObject.kind', 'a kind of Kubernetes');
  if (!matches(namespace, NAMESPACE)) return wrong('involvedObject.namespace', 'the name of a namespace');
  if (!matches(name, NAME)) return wrong('involvedObject.name', 'the name of an object');
  const { reason, timestamp } = body;
  if (!matches(reason, REASON)) return wrong('reason', 'one word, such as ReconciliationSucceeded');
  if (!matches(timestamp, TIMESTAMP) || Number.isNaN(Date.parse(timestamp))) {
    return wrong('timestamp', 'a time, such as 2026-08-20T10:00:04Z');
  }
  const group = typeof apiVersion === 'string' ? apiVersion.split('/')[0] : undefined;
  const role = roleOf(kind, group);
  const message = text(body['message'], MAX_MESSAGE_CHARS);
  const metadata = plainMetadata(group, textsOf(body['metadata']));
  const release = kind === 'HelmRelease' ? releaseIn(message) : undefined;
  return {
    kind,
    namespace,
    name,
    uid: text(uid, 100),
    role,
    meaning: meaningOf({ role, reason, message }),
    reason,
    severity: text(body['severity'], 20),
    timestamp: new Date(timestamp).toISOString(),
    message,
    revision: metadata['revision'] ?? '',
    originRevision: metadata['originRevision'] ?? '',
    ...(release === undefined ? {} : { release }),
    metadata,
    controller: text(body['reportingController'], 100),
  };
}

function matches(value: Json | undefined, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function wrong(field: string, wanted: string): string {
  return `${field} is not ${wanted}; only Flux itself should send here`;
}

/** Why it comes too late or too early, for people. */
function lateness(timestamp: string, receivedAt: Date): string | undefined {
  const ageMs = receivedAt.getTime() - Date.parse(timestamp);
  if (ageMs <= MAX_AGE_MS && ageMs >= -MAX_AHEAD_MS) return undefined;
  const seconds = Math.round(Math.abs(ageMs) / 1_000);
  const taken = `taken are ${MAX_AGE_MS / 60_000} minutes back and ${MAX_AHEAD_MS / 60_000} ahead`;
  return `timestamp is ${seconds} s ${ageMs > 0 ? 'old' : 'ahead'}, ${taken}: compare the clocks of cluster and Lynceus`;
}

function subjectOf(system: string, { kind, namespace, name }: ToldEvent): string {
  return applicationKey({ system, namespace, name: `${kind.toLowerCase()}/${name}` });
}

/**
 * Flux tells a success in every interval, and a failure at every attempt: one run of the same is one event. After a
 * change (failed, applied, failed again) it is another.
 */
function keyOf(runs: Runs, system: string, told: ToldEvent): string {
  const { meaning, reason, revision, release, timestamp } = told;
  const object = `${system}:${told.uid || subjectOf(system, told)}`;
  // As a digest, because a key has room for a name of a branch, but not for any.
  const state = hash('sha256', JSON.stringify([meaning, reason, revision, release ?? '']));
  const since = runs.since(object, state, timestamp, meaning === 'applied' ? STEADY_MS : REPEATED_MS);
  return `flux:${object}:${meaning}:${state}:${since}`;
}

/** Always to look again: at what is delivered, or at everything that may come from a source. */
function jobsOf(system: string, { role, kind, namespace, name }: ToldEvent, receivedAt: Date): NewJob[] {
  if (role === 'other') return [];
  if (role === 'source') {
    const delayMs = SOURCES_EVERY_MS - (receivedAt.getTime() % SOURCES_EVERY_MS);
    return [{ queue: 'reconcile', key: system, payload: { system }, delayMs }];
  }
  const ref = { system, namespace, name: `${kind.toLowerCase()}/${name}` };
  return [{ queue: 'observe', key: applicationKey(ref), payload: ref }];
}

function textsOf(value: Json | undefined): Record<string, string> {
  const entries = Object.entries(isJsonObject(value) ? value : {}).slice(0, MAX_METADATA);
  return Object.fromEntries(entries.map(([key, inner]) => [text(key, MAX_TEXT_CHARS), text(inner, MAX_TEXT_CHARS)]));
}

function text(value: Json | undefined, maxChars: number): string {
  return typeof value === 'string' ? value.slice(0, maxChars).toWellFormed() : '';
}
