import { AdapterError } from '../../base/adapter-error.ts';
import { sha256 } from '../../base/ids.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Application } from '../../events/application.ts';
import type { CallOptions, SyncRequest } from './delivery-system.ts';
import { type Gate, type Release, releaseOf } from './flux-gate.ts';
import { GIT_REPOSITORY, HELM_RELEASE, KUSTOMIZATION, OCI_REPOSITORY, REQUESTED_AT } from './flux-kinds.ts';
import type { FluxObjects } from './flux-seen.ts';
import { artifactOf, isSuspended, pinOf } from './flux-source.ts';
import type { KubernetesApi, ResourceKind } from './kubernetes.ts';
import { nameOf, partsOf } from './kubernetes-object.ts';

export interface ReleaseTools {
  api: KubernetesApi;
  prefix: string;
  /** For the moment of a release, and to wait a little. */
  now(): Date;
  pause(ms: number, signal: AbortSignal | undefined): Promise<void>;
}

/** Between two tries of a change whose lock was lost. */
const LOOK_MS = 250;
const MAX_TRIES = 5;

/**
 * Opens the gate for exactly one revision: the source is pinned, and once it has fetched that, Flux applies it. Each change is a compare-and-set of what was read, so of two releases one is refused.
 *
 * @throws {AdapterError} `conflict` when somebody else changed the object meanwhile, `rejected` when it is not held
 *   by a gate or the gate cannot give this revision
 */
export async function release(
  tools: ReleaseTools,
  { objects, application, gate }: Held,
  request: SyncRequest,
  options: CallOptions,
): Promise<void> {
  if (gate.kind === 'none') throw refused(application, 'is not held by a gate');
  if (gate.kind === 'broken') throw refused(application, `has no working gate: ${gate.problem}`);
  if (isSuspended(objects.object)) throw refused(application, 'is suspended; resume it first');
  refuseSecond(application);
  const revision = fetchedRevision(objects, gate, request);
  const at = tools.now().toISOString();
  const told: Release = {
    application: keyOf(application),
    revision,
    infos: request.infos,
    at,
    // New each time, as Flux wants it, and recognisably ours.
    token: `${at}/lynceus-${sha256(JSON.stringify([revision, request.infos])).slice(0, 12)}`,
  };
  if (gate.kind === 'source') return releaseSource(tools, objects, gate.source, told, options);
  return releaseDependency(tools, objects, gate.gate, told, options);
}

/** Flux knows no second operation; we do. */
function refuseSecond({ ref, operation }: Application): void {
  if (operation?.phase !== 'Running') return;
  throw new AdapterError('conflict', `Flux ${ref.system}: ${ref.name} is being reconciled: ${operation.message}`);
}

export interface Held {
  objects: FluxObjects;
  application: Application;
  gate: Gate;
}

async function releaseSource(
  tools: ReleaseTools,
  { object }: FluxObjects,
  source: JsonObject,
  told: Release,
  options: CallOptions,
): Promise<void> {
  const kind = sourceKind(source);
  const before = pinOf(source) ?? null;
  const pinned = await withLock(
    tools,
    kind,
    source,
    {
      metadata: { annotations: annotationsFor(tools.prefix, { ...told, before }, told.token) },
      spec: {
        ref: { [pinField(kind)]: told.revision },
        ...(isSuspended(source) ? { suspend: false } : {}),
      },
    },
    options,
    (now) => isUntouched(source, now, tools.prefix),
  );
  // A source that fetches something new wakes who uses it; one that has it already wakes nobody.
  if (artifactOf(pinned)?.revision === told.revision) await nudge(tools, object, told.token, options);
}

/** Whether nobody else has pinned, held or released it since it was read. */
function isUntouched(read: JsonObject, now: JsonObject, prefix: string): boolean {
  const generations = [read, now].map((one) => partsOf(one).metadata['generation']);
  return generations[0] === generations[1] && releaseOf(read, prefix)?.token === releaseOf(now, prefix)?.token;
}

async function releaseDependency(
  tools: ReleaseTools,
  objects: FluxObjects,
  gate: JsonObject,
  told: Release,
  options: CallOptions,
): Promise<void> {
  const { prefix } = tools;
  await withLock(
    tools,
    KUSTOMIZATION,
    gate,
    {
      metadata: {
        annotations: { [`${prefix}/release`]: JSON.stringify(told), [`${prefix}/open`]: told.token },
      },
    },
    options,
    (now) => isUntouched(gate, now, prefix),
  );
  // The gate opens for this request alone, and closes with it.
  await nudge(tools, objects.object, told.token, options);
}

async function nudge(tools: ReleaseTools, object: JsonObject, token: string, options: CallOptions): Promise<void> {
  const kind = object['kind'] === KUSTOMIZATION.kind ? KUSTOMIZATION : HELM_RELEASE;
  await withLock(tools, kind, object, { metadata: { annotations: { [REQUESTED_AT]: token } } }, options);
}

/**
 * Changes exactly what was read. Controllers write the status of the same object, which is no reason to give up: a
 * lock that was lost is tried anew on the object as it is by then, as long as `isSame` says that it still may be.
 */
export async function withLock(
  { api, pause }: ReleaseTools,
  kind: ResourceKind,
  read: JsonObject,
  patch: JsonObject,
  options: CallOptions,
  isSame: (now: JsonObject) => boolean = () => true,
): Promise<JsonObject> {
  let object = read;
  for (let tries = 1; ; tries++) {
    try {
      return await api.patch(kind, object, patch, options);
    } catch (error) {
      if (!(error instanceof AdapterError) || error.reason !== 'conflict' || tries >= MAX_TRIES) throw error;
      await pause(LOOK_MS, options.signal);
      object = await api.get(kind, nameOf(read), options);
      if (!isSame(object)) throw error;
    }
  }
}

/**
 * Takes back what can be taken back: the pin of before, or the open gate. What Flux has applied already stays;
 * nothing under way is not an error.
 */
export async function takeBack(
  tools: ReleaseTools,
  { application, gate }: Omit<Held, 'objects'>,
  options: CallOptions,
): Promise<void> {
  options.guard?.();
  const { operation } = application;
  const holder = gate.kind === 'source' ? gate.source : gate.kind === 'dependency' ? gate.gate : undefined;
  const told = holder && releaseOf(holder, tools.prefix);
  if (!holder || operation?.phase !== 'Running' || told?.application !== keyOf(application) || told.ended) return;
  const ended: Release = { ...told, ended: tools.now().toISOString() };
  const annotations = { [`${tools.prefix}/release`]: JSON.stringify(ended) };
  const kind = gate.kind === 'dependency' ? KUSTOMIZATION : sourceKind(holder);
  const patch =
    gate.kind === 'dependency'
      ? { metadata: { annotations: { ...annotations, [`${tools.prefix}/open`]: null } } }
      : { metadata: { annotations }, spec: pinBack(kind, told) };
  await withLock(tools, kind, holder, patch, options, (now) => isUntouched(holder, now, tools.prefix));
}

/** Without a pin to go back to, the source is held by suspending it. */
function pinBack(kind: ResourceKind, { before }: Release): JsonObject {
  return before ? { ref: { [pinField(kind)]: before } } : { suspend: true, ref: { [pinField(kind)]: null } };
}

function annotationsFor(prefix: string, told: Release, token: string): JsonObject {
  return { [`${prefix}/release`]: JSON.stringify(told), [REQUESTED_AT]: token };
}

function sourceKind(source: JsonObject): ResourceKind {
  return source['kind'] === GIT_REPOSITORY.kind ? GIT_REPOSITORY : OCI_REPOSITORY;
}

function pinField(kind: ResourceKind): 'commit' | 'digest' {
  return kind === GIT_REPOSITORY ? 'commit' : 'digest';
}

/**
 * What the source has to fetch. For an artifact that was made of a commit, its digest is what was gated; the
 * commit alone finds it only while it is the one on offer.
 */
function fetchedRevision({ source, follows }: FluxObjects, gate: Gate, request: SyncRequest): string {
  const ids = request.revisions ?? [request.revision];
  const isGit = source?.['kind'] === GIT_REPOSITORY.kind;
  const offered = artifactOf(gate.kind === 'source' ? follows : source);
  const found = ids.findLast((id) => isDigest(id) !== isGit);
  const revision = found ?? (offered?.origin?.commit === request.revision ? offered.revision : undefined);
  if (revision === undefined) {
    throw new AdapterError('rejected', `which artifact was made of ${request.revision} is not known any more`);
  }
  if (gate.kind === 'dependency' && offered?.revision !== revision) {
    throw new AdapterError('rejected', 'its source has moved on: the gate would let through what nobody has checked');
  }
  return revision;
}

function isDigest(id: string): boolean {
  return /^sha\d+:/.test(id);
}

function refused({ ref }: Application, why: string): AdapterError {
  return new AdapterError('rejected', `Flux ${ref.system}: ${ref.name} ${why}`);
}

function keyOf({ ref }: Application): string {
  return `${ref.namespace}/${ref.name}`;
}
