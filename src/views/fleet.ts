import { versionIn, versionOf } from '../answers/facts/images.ts';
import { stagesOf } from '../answers/facts/stages.ts';
import { short } from '../engine/revisions.ts';
import { wasRolledBack } from '../engine/rollback.ts';
import { finishedTask, type SequenceState } from '../engine/sequence.ts';
import type { Application, Health } from '../events/application.ts';
import type { EvaluationView } from './evaluation-document.ts';
import { finishedAt, resultOf, scoreOf } from './evaluations.ts';

/** What an application runs, as it was last seen. */
export interface Running {
  images: string[];
  /** What was deployed last. */
  revision?: string;
  health: Health;
  sync: Application['syncStatus'];
  /** When that was deployed, ISO 8601. */
  since?: string;
  cluster: string;
  ring?: string;
  team?: string;
  link?: string;
}

/** One application of a service: one place where it runs. */
export interface FleetUnit extends Omit<Running, 'images' | 'team'> {
  stage: string;
  system: string;
  namespace: string;
  name: string;
  /** As its image or chart calls it; absent: only the commit is known. */
  version?: string;
}

export interface FleetStage {
  stage: string;
  /** 0..100 of its last evaluations, the oldest first; null: nothing was judged. */
  scores: (number | null)[];
  evaluation?: { id: string; at: string; result: ReturnType<typeof resultOf>; score?: number };
  /** What was delivered here last and stayed: the change that brought it, and when it was done. */
  last?: Delivered;
  /** What was good here before that. */
  good?: Delivered;
  /** Commits that were delivered here, the newest first, where only those tell what runs. */
  revisions: Known[];
}

export interface Delivered {
  change: string;
  label: string;
  at: string;
}

interface Known {
  label: string;
  /** When it first appeared, ISO 8601. */
  at: string;
}

/** A service wherever it runs. The row of the read model. */
export interface FleetService {
  project: string;
  service: string;
  team?: string;
  /** By stage in the order of the delivery, then by cluster. */
  units: FleetUnit[];
  stages: FleetStage[];
  /** Versions that appeared in any stage, the newest first. */
  versions: Known[];
  /** Not the same everywhere. */
  differs: boolean;
  /** When something last came to the last stage. */
  lastAt?: string;
}

export interface FleetInput {
  project: string;
  service: string;
  applications: readonly { stage: string; ref: Application['ref']; runs?: Running }[];
  /** The newest of each stage, in any order. */
  sequences: readonly SequenceState[];
  /** By stage, the newest first. */
  evaluations: ReadonlyMap<string, readonly EvaluationView[]>;
}

/** Nobody is further behind than that in a way that a number tells. */
const MAX_KNOWN = 30;

/** What an application runs and where, out of a look at it. */
export function runningOf(application: Application): Running {
  const { history, operation, health, syncStatus, images, labels = {}, link, ref, cluster, team } = application;
  const last = history.at(-1);
  const revision = last?.revision ?? operation?.revision ?? application.targetRevision;
  const since = last?.deployedAt ?? operation?.finishedAt;
  const ring = ourLabel(labels, 'ring');
  return {
    images: [...images],
    ...(revision === undefined ? {} : { revision }),
    health: health.status,
    sync: syncStatus,
    ...(since === undefined ? {} : { since }),
    cluster: cluster ?? ref.system,
    ...(ring === undefined ? {} : { ring }),
    ...(team === undefined ? {} : { team }),
    ...(link === undefined ? {} : { link }),
  };
}

/** Under whatever prefix the service is named. */
function ourLabel(labels: Readonly<Record<string, string>>, name: string): string | undefined {
  const prefix = Object.keys(labels).find((key) => key.endsWith('/service'));
  return (prefix === undefined ? undefined : labels[`${prefix.slice(0, -'/service'.length)}/${name}`]) || undefined;
}

/** Puts together where a service runs, and what of it. */
export function fleetService({ project, service, applications, sequences, evaluations }: FleetInput): FleetService {
  const byAge = [...sequences].sort((a, b) => (atOf(a) < atOf(b) ? -1 : 1));
  const order = orderOf(byAge, [...applications.map(({ stage }) => stage), ...evaluations.keys()]);
  const units = applications
    .map((one) => unitOf(one, service))
    .sort((a, b) => order.indexOf(a.stage) - order.indexOf(b.stage) || (a.cluster < b.cluster ? -1 : 1));
  const stages = order.map((stage) => stageOf(stage, byAge, evaluations.get(stage) ?? []));
  const team = applications.find(({ runs }) => runs?.team !== undefined)?.runs?.team;
  const lastAt = stages.findLast(({ last }) => last !== undefined)?.last?.at;
  return {
    project,
    service,
    ...(team === undefined ? {} : { team }),
    units,
    stages,
    versions: known(byAge.filter(hasVersion).map((state) => ({ label: versionOf(state), at: atOf(state) }))),
    differs: differs(units),
    ...(lastAt === undefined ? {} : { lastAt }),
  };
}

/** Those of the delivery first, in its order; what nobody promotes to comes by name. */
function orderOf(sequences: readonly SequenceState[], others: readonly string[]): string[] {
  const present = new Set([...others, ...sequences.map(({ triggered }) => triggered?.place.stage ?? '')]);
  const ordered = stagesOf(sequences.filter(tellsOrder)).filter((stage) => present.has(stage));
  const rest = [...present].filter((stage) => stage !== '' && !ordered.includes(stage));
  return [...ordered, ...rest.sort((a, b) => usualRank(a) - usualRank(b) || (a < b ? -1 : 1))];
}

/** Its plan says what leads to what; else stages would stand in the order in which they were entered. */
function tellsOrder({ plan }: SequenceState): boolean {
  return (plan?.stages?.length ?? 0) > 0 || plan?.steps?.some(({ name }) => name === 'promotion') === true;
}

/** How stages are usually called, in the order in which they usually come: only where no delivery tells. */
const USUAL = [/^dev/i, /^(?:test|qa|int)/i, /^(?:stag|stg|hardening|uat)/i, /^pre/i, /^canary/i, /^prod/i];

function usualRank(stage: string): number {
  const at = USUAL.findIndex((pattern) => pattern.test(stage));
  return at < 0 ? 2 : at;
}

function unitOf({ stage, ref, runs }: FleetInput['applications'][number], service: string): FleetUnit {
  const { system, namespace, name } = ref;
  const place = { stage, system, namespace, name };
  if (!runs) return { ...place, health: 'Unknown', sync: 'Unknown', cluster: system };
  const { images, team: _, ...rest } = runs;
  const version = versionIn(images, service) ?? chartVersion(runs.revision);
  return { ...place, ...rest, ...(version === undefined ? {} : { version }) };
}

/** A revision that is no commit and no digest is the version of a chart. */
function chartVersion(revision: string | undefined): string | undefined {
  return revision !== undefined && /^v?\d+\.\d+/.test(revision) ? revision : undefined;
}

const MAX_SCORES = 12;

function stageOf(
  stage: string,
  sequences: readonly SequenceState[],
  evaluations: readonly EvaluationView[],
): FleetStage {
  const here = sequences.filter(({ triggered }) => triggered?.place.stage === stage);
  const gone = new Set(here.flatMap(takenBackBy));
  const done = here
    .filter((state) => isDelivered(state) && !gone.has(state.triggered?.sequence ?? ''))
    .map(toDelivered);
  const last = done.at(-1);
  const good = done.findLast(({ label }) => label !== last?.label);
  const judged = evaluations.filter(({ state }) => state === 'finished');
  const [newest] = judged;
  return {
    stage,
    scores: judged
      .slice(0, MAX_SCORES)
      .reverse()
      .map((view) => scoreOf(view) ?? null),
    ...(newest === undefined ? {} : { evaluation: evaluationOf(newest) }),
    ...(last === undefined ? {} : { last }),
    ...(good === undefined ? {} : { good }),
    revisions: known(here.map((state) => ({ label: short(state.triggered?.revision ?? ''), at: atOf(state) }))),
  };
}

function evaluationOf(view: EvaluationView): NonNullable<FleetStage['evaluation']> {
  const score = scoreOf(view);
  return { id: view.id, at: finishedAt(view), result: resultOf(view), ...(score === undefined ? {} : { score }) };
}

/** It was synced, and ended well. */
function isDelivered(state: SequenceState): boolean {
  return finishedTask(state, 'sync')?.result === 'pass' && (state.finished?.result ?? 'fail') !== 'fail';
}

/** What was found bad afterwards is neither what stayed nor a good one to go back to. */
function takenBackBy(state: SequenceState): string[] {
  const { asked, rollsBack } = state.triggered ?? {};
  if (rollsBack) return isDelivered(state) ? [rollsBack.sequence] : [];
  return asked?.what === 'rollback' && wasRolledBack(state) ? [asked.sequence] : [];
}

function toDelivered(state: SequenceState): Delivered {
  const at = state.finished?.at ?? atOf(state);
  return { change: state.triggered?.context ?? '', label: versionOf(state), at };
}

function hasVersion(state: SequenceState): boolean {
  return versionOf(state) !== short(state.triggered?.revision ?? '');
}

function atOf({ triggered }: SequenceState): string {
  return triggered?.at ?? '';
}

/** @param seen the oldest first */
function known(seen: readonly Known[]): Known[] {
  const first = new Map<string, string>();
  for (const { label, at } of seen) if (label !== '' && !first.has(label)) first.set(label, at);
  return [...first]
    .map(([label, at]) => ({ label, at }))
    .reverse()
    .slice(0, MAX_KNOWN);
}

/** Commits are compared within a stage only: each may have a branch of its own. */
function differs(units: readonly FleetUnit[]): boolean {
  const versions = new Set(units.flatMap(({ version }) => version ?? []));
  if (versions.size > 1) return true;
  const byStage = new Map<string, Set<string>>();
  for (const unit of units) byStage.set(unit.stage, (byStage.get(unit.stage) ?? new Set()).add(labelOf(unit)));
  return [...byStage.values()].some((labels) => labels.size > 1);
}

/** What a unit runs, as people call it. */
export function labelOf({ version, revision }: Pick<FleetUnit, 'version' | 'revision'>): string {
  return version ?? (revision === undefined ? 'not known' : short(revision));
}

export function stageNamed({ stages }: FleetService, name: string): FleetStage | undefined {
  return stages.find(({ stage }) => stage === name);
}
