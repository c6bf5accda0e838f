import type { JsonObject } from '../../base/json.ts';
import type { Application, Deployment, Operation } from '../../events/application.ts';
import type { Gate, Surroundings } from './flux-gate.ts';
import { KUSTOMIZATION } from './flux-kinds.ts';
import { reconciliationOfKustomization } from './flux-kustomization.ts';
import type { FluxOperation } from './flux-operation.ts';
import type { Reconciliation } from './flux-reconciliation.ts';
import { isChartPinned, type Ladder, ladderOfChart, ladderOfKustomization } from './flux-revisions.ts';
import { nameOf, optional } from './kubernetes-object.ts';

/** A labelled Kustomization or HelmRelease with the objects that say more about it. */
export interface FluxObjects extends Surroundings {
  object: JsonObject;
  /** The Kustomization that applied a HelmRelease, with its source. */
  parent?: { object: JsonObject; source?: JsonObject };
}

/** What was found out of an application, in ids of what its source offers. */
export interface Told {
  found: Reconciliation | undefined;
  operation: FluxOperation | undefined;
}

/** An operation with its revisions by source. */
export type Lifted = Omit<FluxOperation, 'revision'> & { revisions?: string[] };

/** The same by source, in commits wherever these are known. */
export interface Seen {
  revisions: Pick<Application, 'source' | 'sources' | 'targetRevision' | 'targetRevisions' | 'syncStatus'>;
  operation?: Lifted;
  history: Deployment[];
}

/** What an application asks for, does and did. */
export function seenOf(objects: FluxObjects, gate: Gate, told: Told): Seen {
  return objects.object['kind'] === KUSTOMIZATION.kind
    ? ofKustomization(objects, gate, told)
    : ofHelmRelease(objects, gate, told);
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

export function several(revisions: readonly string[] | undefined): string[] | undefined {
  return revisions === undefined || revisions.length < 2 ? undefined : [...revisions];
}
