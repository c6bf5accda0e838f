import { isJsonObject, type JsonObject } from '../base/json.ts';
import type { RiskSignalKey } from '../definitions/delivery-risk.ts';
import { isGoingBack } from '../engine/rollback.ts';
import { finishedTask, type SequenceState, type TaskState } from '../engine/sequence.ts';
import { SIGNALS } from './catalogue.ts';

/** One change that reached the cluster, and what became of it. */
export interface Deployment {
  sequence: string;
  place: NonNullable<SequenceState['triggered']>['place'];
  revision: string;
  previousRevision?: string;
  /** When it was over, ISO 8601. */
  at: string;
  /** `undecided`: overtaken, stopped by a person, or could not be judged; it counts neither way. */
  verdict: 'succeeded' | 'failed' | 'undecided';
  /** Absent: its risk was not assessed. */
  predicted?: Prediction;
}

/** What was said of a change before it was deployed. */
export interface Prediction {
  /** 0..1 */
  probability: number;
  /** Log-odds of the service's smoothed failure rate at that time. */
  base: number;
  /** 0..1 by signal; what is not there was not known. */
  strengths: Partial<Record<RiskSignalKey, number>>;
}

/** A prediction and what came true. */
export interface Outcome extends Prediction {
  at: string;
  failed: boolean;
}

/** A rollback that comes later than this is about something else. */
const ROLLBACK_MS = 7 * 86_400_000;
const GATES: readonly TaskState['name'][] = ['sync', 'rollout', 'test', 'evaluation', 'soak'];
/** Running out of time here means that it never ran well; elsewhere, that nobody could judge. */
const LATE_IS_FAILED: readonly TaskState['name'][] = ['rollout', 'soak'];

/**
 * A finished sequence as a deployment; `undefined` when it never reached the cluster, or only took back one that failed:
 * that is the end of a failure and not another one. It failed when a
 * gate after the sync (sync, rollout, test, evaluation, soak) said fail, or it never became healthy in
 * time. A promotion that somebody refuses is no failed deployment.
 */
export function deploymentOf(state: SequenceState): Deployment | undefined {
  const { triggered, finished } = state;
  if (isGoingBack(state)) return wayBack(state);
  if (!triggered || triggered.rollsBack || !finished || finishedTask(state, 'sync')?.status !== 'succeeded')
    return undefined;
  const predicted = predictionOf(state);
  return {
    sequence: triggered.sequence,
    place: triggered.place,
    revision: triggered.revision,
    ...(triggered.previousRevision === undefined ? {} : { previousRevision: triggered.previousRevision }),
    at: finished.at,
    verdict: verdictOf(state),
    ...(predicted === undefined ? {} : { predicted }),
  };
}

/** What a person went back to: it counts neither way itself, and what it follows has failed. */
function wayBack({ triggered, finished, tasks }: SequenceState): Deployment | undefined {
  const to = tasks.find(({ name, result }) => name === 'rollback' && result === 'pass')?.data['to'];
  if (!triggered || !finished || typeof to !== 'string') return undefined;
  return { sequence: triggered.sequence, place: triggered.place, revision: to, at: finished.at, verdict: 'undecided' };
}

function verdictOf(state: SequenceState): Deployment['verdict'] {
  const gates = state.tasks.filter(({ name }) => GATES.includes(name));
  if (gates.some((task) => hasFailed(task, state))) return 'failed';
  const passed = gates.every(({ status }) => status === 'succeeded');
  const through = state.finished?.reason === 'completed' || state.tasks.some(({ name }) => name === 'promotion');
  return passed && through ? 'succeeded' : 'undecided';
}

function hasFailed({ name, status, result }: TaskState, { finished }: SequenceState): boolean {
  if (status === 'succeeded') return result === 'fail';
  return status === 'errored' && finished?.reason === 'timed-out' && LATE_IS_FAILED.includes(name);
}

/** A deployment of which it is known whether it failed. */
export interface JudgedDeployment extends Deployment {
  failed: boolean;
}

/**
 * Which deployments failed, oldest first; undecided ones are left out. One failed when a gate after the
 * sync failed, or when the next deployment of the same service in the same stage goes back behind it
 * within seven days.
 */
export function judgeDeployments(deployments: readonly Deployment[]): JudgedDeployment[] {
  const ordered = deployments.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const lines = Map.groupBy(ordered, lineOf);
  return ordered.flatMap((deployment) => {
    const rolledBack = isRolledBack(deployment, lines.get(lineOf(deployment)) ?? []);
    if (deployment.verdict === 'undecided' && !rolledBack) return [];
    return [{ ...deployment, failed: rolledBack || deployment.verdict === 'failed' }];
  });
}

/** What was predicted and what came true, oldest first. */
export function outcomesOf(deployments: readonly Deployment[]): Outcome[] {
  return judgeDeployments(deployments).flatMap(({ predicted, at, failed }) =>
    predicted === undefined ? [] : [{ ...predicted, at, failed }],
  );
}

function lineOf({ place }: Deployment): string {
  return `${place.project}/${place.stage}/${place.service}`;
}

function isRolledBack(deployment: Deployment, line: readonly Deployment[]): boolean {
  const at = line.indexOf(deployment);
  const next = line[at + 1];
  if (!next || Date.parse(next.at) - Date.parse(deployment.at) > ROLLBACK_MS) return false;
  if (next.revision === deployment.revision) return false;
  return (
    line.slice(0, at).some(({ revision }) => revision === next.revision) || next.predicted?.strengths.rollback === 1
  );
}

/** What the risk check of a sequence said, out of its log. */
export function predictionOf(state: SequenceState): Prediction | undefined {
  const answers = finishedTask(state, 'checks')?.data['answers'];
  const risk = Array.isArray(answers) ? answers.filter(isJsonObject).find((one) => one['check'] === 'risk') : undefined;
  return isJsonObject(risk?.['figures']) ? readPrediction(risk['figures']) : undefined;
}

function readPrediction(figures: JsonObject): Prediction | undefined {
  const { probability, base, contributions } = figures;
  const logit = isJsonObject(base) ? base['logit'] : undefined;
  if (typeof probability !== 'number' || !(probability > 0 && probability < 1)) return undefined;
  if (typeof logit !== 'number' || !Number.isFinite(logit) || !Array.isArray(contributions)) return undefined;
  const strengths: Prediction['strengths'] = {};
  for (const one of contributions.filter(isJsonObject)) {
    // Logs of version 0.1.0 have names only.
    const key = SIGNALS.find((signal) => signal.key === one['key'] || signal.name === one['signal'])?.key;
    const strength = one['strength'];
    if (key !== undefined && typeof strength === 'number' && strength >= 0 && strength <= 1) strengths[key] = strength;
  }
  return { probability, base: logit, strengths };
}
