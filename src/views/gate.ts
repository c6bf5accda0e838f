import { isJsonObject } from '../base/json.ts';
import type { StageView, TaskView } from './change.ts';
import type { EvaluationView } from './evaluation-document.ts';

export type GateResult = 'pass' | 'warning' | 'fail' | 'running' | 'error';

/** What a gate says to others; the same for every consumer, whatever form it takes. */
export interface GateAnswer {
  /** `error`: could not be judged, which never counts as a pass. */
  result: GateResult;
  /** The same in GitOps Promoter's words. */
  phase: 'success' | 'pending' | 'failure';
  /** 0..100. Informs; the result decides, also where the score is high. */
  score: number;
  /** One sentence. */
  reason: string;
  /** Where to look. */
  url: string;
  /** It will not change any more by waiting. */
  complete: boolean;
}

/**
 * What to wait for of a change: that it may be deployed, or its verdict. `failure`: that what was deployed has been
 * found bad, for those who undo it then; whatever else did not pass is no such verdict, but an `error`.
 */
export type GateUntil = 'deploy' | 'verdict' | 'failure';

/** What comes before a change is deployed. */
const BEFORE_DEPLOY: ReadonlySet<string> = new Set(['plan', 'checks', 'approval']);

/** An answer out of a verdict; everything that is no verdict is neither a pass nor a warning. */
export function gateAnswer(
  result: GateResult,
  { score, reason, url, complete }: { score?: number | undefined; reason: string; url: string; complete?: boolean },
): GateAnswer {
  const over = complete ?? result !== 'running';
  return { result, phase: phaseOf(result, over), score: scoreFor(result, score), reason, url, complete: over };
}

function phaseOf(result: GateResult, complete: boolean): GateAnswer['phase'] {
  if (result === 'pass' || result === 'warning') return 'success';
  return complete ? 'failure' : 'pending';
}

function scoreFor(result: GateResult, score: number | undefined): number {
  if (score !== undefined && Number.isFinite(score)) return Math.min(100, Math.max(0, score));
  return { pass: 100, warning: 50, fail: 0, running: 0, error: 0 }[result];
}

/** What judges a change after it was deployed. */
const AFTER_DEPLOY: ReadonlySet<string> = new Set(['rollout', 'test', 'evaluation', 'soak']);

/** An evaluation as a gate. */
export function gateOfEvaluation(view: EvaluationView, url: string, until: GateUntil = 'verdict'): GateAnswer {
  if (view.state !== 'finished') {
    return gateAnswer('running', { reason: view.waitingFor?.sentence ?? 'The evaluation is under way', url });
  }
  const reason = view.message ?? 'The evaluation says nothing';
  const { score } = view;
  if (view.invalidated) {
    const { actor, reason: why } = view.invalidated;
    return gateAnswer('error', { score: 0, reason: `The evaluation was invalidated by ${actor}: ${why}`, url });
  }
  if (view.status !== 'succeeded') return gateAnswer('error', { score: 0, reason, url });
  const { result } = view;
  // A fail for want of data keeps others from going on, but says nothing bad of what runs.
  if (until === 'failure' && result === 'fail' && view.evaluation?.judged === false)
    return gateAnswer('error', { score: 0, reason, url });
  if (result === 'pass' || result === 'warning' || result === 'fail') return gateAnswer(result, { score, reason, url });
  return gateAnswer('error', { score: 0, reason: 'The evaluation has no verdict', url });
}

/** A change in one stage as a gate. */
export function gateOfStage(stage: StageView, until: GateUntil, url: string): GateAnswer {
  const answer = answerOfStage(stage, until, url);
  if (until !== 'failure' || answer.result !== 'fail' || stage.tasks.some(hasFoundFault)) return answer;
  return gateAnswer('error', { score: 0, reason: `${answer.reason} (not found bad after it was deployed)`, url });
}

/** A verdict on what was deployed: neither the machinery's own failure nor one for want of data. */
function hasFoundFault({ name, status, result, data }: TaskView): boolean {
  const evaluation = data['evaluation'];
  const judged = !isJsonObject(evaluation) || evaluation['judged'] !== false;
  return AFTER_DEPLOY.has(name) && status === 'succeeded' && result === 'fail' && judged;
}

function answerOfStage(stage: StageView, until: GateUntil, url: string): GateAnswer {
  const { score, override } = stage;
  const where = `${stage.stage}: `;
  if (until === 'deploy' && override)
    return gateAnswer('pass', { reason: `${where}let through by ${override.actor}: ${override.reason}`, url });
  if (stage.asked?.what === 'rollback' && stage.status !== 'finished') {
    const { actor, reason } = stage.asked;
    return gateAnswer('fail', { reason: `${where}is being rolled back, asked for by ${actor}: ${reason}`, url });
  }
  if (stage.status === 'finished') {
    const reason = where + (stage.message ?? stage.result ?? 'over');
    const { result } = stage;
    if ((result === 'pass' || result === 'warning') && stage.reason === 'completed')
      return gateAnswer(result, { score, reason, url });
    // Whatever did not come to its end did not pass, whatever it looked like before.
    return gateAnswer('fail', { score, reason, url });
  }
  const failed = stage.tasks.find(({ result }) => result === 'fail');
  if (failed) return gateAnswer('fail', { score, reason: where + (failed.message ?? `${failed.name} failed`), url });
  if (stage.paused) {
    const { actor, reason } = stage.paused;
    return gateAnswer('running', { score, reason: `${where}paused by ${actor}: ${reason}`, url });
  }
  if (until === 'deploy' && !isStopped(stage) && stage.tasks.some(({ name }) => !BEFORE_DEPLOY.has(name)))
    return gateAnswer('pass', { score, reason: `${where}checked and approved`, url });
  return gateAnswer('running', { score, reason: where + sayWaiting(stage), url });
}

/** Somebody stopped the line before its sync began; before the first look nobody knows. */
function isStopped({ tasks }: StageView): boolean {
  const task = tasks.at(-1);
  if (task?.name !== 'sync' || task.finishedAt !== undefined) return false;
  return task.waitingFor === undefined || task.waitingFor.kind === 'stopped';
}

/** What it waits for, where that is known. */
function sayWaiting({ tasks }: StageView): string {
  const task = tasks.at(-1);
  if (!task || task.finishedAt !== undefined) return 'waiting for its turn';
  if (task.waitingFor) return task.waitingFor.sentence;
  if (task.progress) return task.progress.sentence;
  return task.name === 'approval' ? 'waiting for an approval' : `${task.name} is under way`;
}

/**
 * The score for consumers that compare nothing but a number. They do not see the result, so what failed is 0: a key
 * objective fails an evaluation whose score is high. Undefined while there is nothing to compare.
 */
export function decisiveScore({ result, score, complete }: GateAnswer): number | undefined {
  if (!complete) return undefined;
  return result === 'pass' || result === 'warning' ? score : 0;
}

/**
 * The score for a consumer with thresholds of its own (`0 < marginal <= pass <= 100`): a warning stays below what
 * passes there. Whole numbers are compared after the fraction is cut off.
 */
export function scoreForThreshold(answer: GateAnswer, pass: number): number | undefined {
  const score = decisiveScore(answer);
  return score !== undefined && answer.result === 'warning' ? Math.min(score, pass - 1) : score;
}
