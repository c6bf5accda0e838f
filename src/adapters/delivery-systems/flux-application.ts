import { AdapterError } from '../../base/adapter-error.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Application, Deployment, Operation } from '../../events/application.ts';
import { type Gate, gateOf, heldBy, releaseOf, type Surroundings, saySource } from './flux-gate.ts';
import { reconciliationOfHelmRelease } from './flux-helmrelease.ts';
import { applicationName, HELM_RELEASE, KUSTOMIZATION, ownerOf } from './flux-kinds.ts';
import { reconciliationOfKustomization } from './flux-kustomization.ts';
import { type FluxOperation, operationOf, sayPutBack } from './flux-operation.ts';
import { type Reconciliation, sayCondition } from './flux-reconciliation.ts';
import { isChartPinned, type Ladder, ladderOfChart, ladderOfKustomization } from './flux-revisions.ts';
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
  webUrl,
} from './kubernetes-object.ts';

export interface FluxContext {
  /** The configured name of this Flux. */
  system: string;
  labelPrefix: string;
}

/** A labelled Kustomization or HelmRelease with the objects that say more about it. */
export interface FluxObjects extends Surroundings {
  object: JsonObject;
  /** The Kustomization that applied a HelmRelease, with its source. */
  parent?: { object: JsonObject; source?: JsonObject };
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
  const seen = kind === KUSTOMIZATION ? ofKustomization(objects, gate, told) : ofHelmRelease(objects, gate, told);
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

interface Told {
  found: Reconciliation | undefined;
  operation: FluxOperation | undefined;
}

/** An operation with its revisions by source. */
type Lifted = Omit<FluxOperation, 'revision'> & { revisions?: string[] };

interface Seen {
  revisions: Pick<Application, 'source' | 'sources' | 'targetRevision' | 'targetRevisions' | 'syncStatus'>;
  operation?: Lifted;
  history: Deployment[];
}

function ofKustomization({ object, source, follows }: FluxObjects, gate: Gate, { found, operation }: Told): Seen {
  const ladder = ladderOfKustomization(object, gate.kind === 'source' ? follows : source, source);
  return {
    revisions: revisionsFor(ladder, found?.applied === undefined ? undefined : ladder.lift(found.applied)),
    ...optional('operation', operation && lifted(operation, ladder.lift)),
    history: historyFor(found, ladder.lift),
  };
}

/**
 * A HelmRelease that a Kustomization applied from Git is told by that commit: new values are a change too, and the
 * files of the team are there. A chart that moves by itself is told beside it. Without Git there is only the chart.
 */
function ofHelmRelease(objects: FluxObjects, gate: Gate, { found, operation }: Told): Seen {
  const { object, source, follows, parent } = objects;
  const chart = ladderOfChart(object, gate.kind === 'source' ? follows : source);
  const above = parent && aboveOf(parent);
  if (!above) {
    return {
      revisions: revisionsFor(chart, found?.applied === undefined ? undefined : [found.applied]),
      ...optional('operation', operation && lifted(operation, chart.lift)),
      history: historyFor(found, chart.lift),
    };
  }
  const isPinned = gate.kind !== 'source' && isChartPinned(object, source);
  const both: Both = (commit, id) => {
    if (commit === undefined || id === undefined) return undefined;
    return isPinned ? [commit] : [commit, id];
  };
  const ladder = {
    sources: isPinned ? [above.git] : [above.git, ...chart.sources],
    ...optional('offered', both(above.offered, chart.offered?.[0])),
  };
  const applied = both(above.applied, found?.applied);
  const latest = found?.history.at(-1);
  const good = operation?.phase === 'Succeeded' && applied !== undefined && latest !== undefined;
  return {
    revisions: revisionsFor(ladder, good && !above.busy ? applied : undefined),
    ...optional('operation', operation && withParent(operation, above, both)),
    history: good ? [deploymentOf(applied, latest)] : [],
  };
}

/** The commit of a HelmRelease, and the id of its chart where that is told beside it. */
type Both = (commit: string | undefined, chart: string | undefined) => string[] | undefined;

interface Above {
  git: Application['source'];
  offered?: string;
  applied?: string;
  attempted?: string;
  /** It has not (or not with success) applied what it attempted. */
  busy?: { phase: Operation['phase']; message: string };
}

function aboveOf({ object, source }: NonNullable<FluxObjects['parent']>): Above | undefined {
  const ladder = ladderOfKustomization(object, source, source);
  const [git] = ladder.sources;
  if (!git || git.kind !== undefined) return undefined;
  const found = reconciliationOfKustomization(object, undefined);
  const commitOf = (id: string | undefined) => (id === undefined ? undefined : ladder.lift(id)?.[0]);
  const busy = found?.attempted === found?.applied ? undefined : found;
  return {
    git,
    ...optional('offered', ladder.offered?.[0]),
    ...optional('applied', commitOf(found?.applied)),
    ...optional('attempted', commitOf(found?.attempted)),
    ...optional(
      'busy',
      busy && { phase: busy.phase, message: `Kustomization ${nameOf(object).name}: ${busy.message}` },
    ),
  };
}

/** While the Kustomization above is at work, what was applied of it is not known: never a success. */
function withParent({ revision, ...operation }: FluxOperation, above: Above, both: Both): Lifted {
  const revisions = both(above.busy ? above.attempted : above.applied, revision);
  const told = { ...operation, ...optional('revisions', revisions) };
  if (!above.busy || operation.phase !== 'Succeeded') return told;
  if (above.busy.phase === 'Failed') return { ...told, phase: 'Failed', message: above.busy.message };
  const { finishedAt: _, ...open } = told;
  return { ...open, phase: 'Running', message: above.busy.message };
}

function lifted({ revision, ...operation }: FluxOperation, lift: Ladder['lift']): Lifted {
  return { ...operation, ...optional('revisions', revision === undefined ? undefined : lift(revision)) };
}

function revisionsFor(
  { sources, offered }: Pick<Ladder, 'sources' | 'offered'>,
  applied: readonly string[] | undefined,
): Seen['revisions'] {
  const same = offered !== undefined && applied !== undefined && offered.join() === applied.join();
  return {
    source: sources[0] ?? { repoUrl: '', path: '', targetRevision: '' },
    sources,
    ...optional('targetRevision', offered?.[0]),
    ...optional('targetRevisions', several(offered)),
    syncStatus: same ? 'Synced' : offered === undefined ? 'Unknown' : 'OutOfSync',
  };
}

function historyFor(found: Reconciliation | undefined, lift: Ladder['lift']): Deployment[] {
  return (found?.history ?? []).flatMap((entry) => {
    const revisions = lift(entry.revision, entry.origin);
    return revisions === undefined ? [] : [deploymentOf(revisions, entry)];
  });
}

function deploymentOf(revisions: readonly string[], entry: Reconciliation['history'][number]): Deployment {
  return {
    ...optional('id', entry.id),
    revision: revisions[0] ?? '',
    ...optional('revisions', several(revisions)),
    ...optional('startedAt', entry.startedAt),
    deployedAt: entry.deployedAt,
  };
}

function several(revisions: readonly string[] | undefined): string[] | undefined {
  return revisions === undefined || revisions.length < 2 ? undefined : [...revisions];
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
