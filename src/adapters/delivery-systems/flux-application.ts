import { AdapterError } from '../../base/adapter-error.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Application, Operation } from '../../events/application.ts';
import { belongingOf } from '../../events/belonging.ts';
import { webUrl } from '../../events/written.ts';
import { type Gate, gateOf, heldBy, releaseOf, saySource } from './flux-gate.ts';
import { reconciliationOfHelmRelease } from './flux-helmrelease.ts';
import { applicationName, HELM_RELEASE, KUSTOMIZATION, ownerOf } from './flux-kinds.ts';
import { reconciliationOfKustomization } from './flux-kustomization.ts';
import { operationOf, sayPutBack } from './flux-operation.ts';
import { sayCondition } from './flux-reconciliation.ts';
import { type FluxObjects, type Lifted, seenOf, several } from './flux-seen.ts';
import { artifactOf, isSuspended, pinOf } from './flux-source.ts';
import {
  annotationsOf,
  conditionOf,
  labelsOf,
  nameOf,
  optional,
  partsOf,
  placeOf,
  textAt,
} from './kubernetes-object.ts';

export interface FluxContext {
  /** The configured name of this Flux. */
  system: string;
  labelPrefix: string;
}

/** Sorts before every real moment. */
const UNDATED = '1970-01-01T00:00:00Z';

/**
 * A Kustomization or HelmRelease in our words.
 *
 * @throws {AdapterError} `bad-response` when it is neither, or has no name
 */
export function toFluxApplication(objects: FluxObjects, context: FluxContext): Application {
  const { object } = objects;
  const { labelPrefix: prefix, system } = context;
  const kind = kindOf(object, system);
  const { namespace, name } = nameOf(object);
  if (name === '' || namespace === '') {
    throw new AdapterError('bad-response', `Flux ${system} answered a ${kind.kind} without a name and a namespace`);
  }
  const annotations = annotationsOf(object);
  const policy = annotations[`${prefix}/health`];
  const found =
    kind === KUSTOMIZATION
      ? reconciliationOfKustomization(object, policy)
      : reconciliationOfHelmRelease(object, policy);
  const gate = gateOf(object, objects, prefix);
  const automated = gate.kind === 'none' || gate.kind === 'broken';
  const key = `${namespace}/${applicationName(kind, name)}`;
  const told = { found, operation: operationOf(object, key, gate, found, prefix) };
  const seen = seenOf(objects, gate, told);
  const labels = labelsOf(object);
  return {
    ref: {
      system,
      namespace,
      name: applicationName(kind, name),
      uid: textAt(partsOf(object).metadata['uid']) ?? '',
      systemProject: '',
    },
    ...optional('place', placeOf(object, prefix)),
    ...belongingOf(labels, annotations, prefix),
    ...optional('url', webUrl(annotations[`${prefix}/url`])),
    ...optional('deliveryFile', annotations[`${prefix}/delivery`]),
    annotations,
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...seen.revisions,
    automated,
    ...optional('owner', ownerFor(object)),
    ...optional('held', heldBy(object, gate)),
    ...optional('operation', seen.operation && toOperation(seen.operation, automated)),
    health: found?.health ?? { status: 'Unknown', message: 'Flux has not reconciled it yet' },
    ...optional('reconciledAt', laterOf(conditionOf(object, 'Ready')?.since, seen.history.at(-1)?.deployedAt)),
    history: seen.history,
    images: [],
    conditions: conditionsFor(objects, gate, prefix),
  };
}

/** Conditions are written together with what they are about, give or take the second that they are rounded to. */
function laterOf(since: string | undefined, deployedAt: string | undefined): string | undefined {
  if (since === undefined || deployedAt === undefined) return since;
  return Date.parse(deployedAt) > Date.parse(since) ? deployedAt : since;
}

function kindOf(object: JsonObject, system: string) {
  const kind = [KUSTOMIZATION, HELM_RELEASE].find((one) => one.kind === object['kind']);
  if (kind) return kind;
  throw new AdapterError('bad-response', `Flux ${system} answered something that is no Kustomization or HelmRelease`);
}

function toOperation({ revisions, ...told }: Lifted, automated: boolean): Operation {
  return {
    phase: told.phase,
    startedAt: told.startedAt ?? UNDATED,
    ...optional('finishedAt', told.finishedAt ?? (told.phase === 'Running' ? undefined : told.startedAt)),
    ...optional('revision', revisions?.[0]),
    ...optional('revisions', several(revisions)),
    infos: told.infos,
    dryRun: false,
    partial: false,
    retrying: told.retrying,
    automated,
    message: told.message,
  };
}

function ownerFor(object: JsonObject): Application['owner'] {
  const owner = ownerOf(object);
  return owner && { kind: owner.kind.kind, name: owner.name };
}

/** What people have to know, beyond how the last reconciliation went. */
function conditionsFor(
  { object, source, follows }: FluxObjects,
  gate: Gate,
  prefix: string,
): Application['conditions'] {
  const told: Application['conditions'] = [];
  const given = conditionOf(object, 'Stalled');
  if (given?.status === 'True') told.push({ type: 'Stalled', message: sayCondition(given) });
  if ('problem' in gate && gate.problem !== undefined) told.push({ type: 'GateError', message: gate.problem });
  const release = gate.kind === 'source' ? releaseOf(gate.source, prefix) : undefined;
  if (release && !release.ended && source && pinOf(source) !== release.revision) {
    told.push({ type: 'GateError', message: sayPutBack(saySource(object)) });
  }
  for (const one of [follows, source]) {
    if (!one || isSuspended(one)) continue;
    const ready = conditionOf(one, 'Ready');
    if (ready?.status !== 'False') continue;
    const what = artifactOf(one) ? 'has fetched nothing new' : 'has fetched nothing yet';
    told.push({ type: 'SourceError', message: `${nameOf(one).name} ${what}: ${sayCondition(ready)}` });
  }
  return told;
}
