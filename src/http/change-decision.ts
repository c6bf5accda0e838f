import { createHash } from 'node:crypto';
import { isJsonObject } from '../base/json.ts';
import { closedStages } from '../base/rights.ts';
import { type Afterwards, checkRollback, startsAnew } from '../engine/asked.ts';
import { checkDecision, type DecisionRequest, evidenceOf, stagesDecided } from '../engine/decisions.ts';
import type { SequenceState } from '../engine/sequence.ts';
import { ROLLBACK_WAYS, type RollbackWay } from '../events/types.ts';
import type { Holder } from './authentication.ts';
import { Refusal } from './problem.ts';
import { refuseProject } from './project-scope.ts';

const MAX_REASON_CHARS = 2000;

const VERDICTS = ['approve', 'reject', 'pause', 'resume', 'abort', 'override', 'rollback', 'retry', 'sync'] as const;

export type Requested = DecisionRequest & {
  stage?: string;
  by?: RollbackWay;
  /** The revision of the change that was looked at. */
  rev?: number;
};

export function parseDecision(body: unknown): Requested {
  if (!isJsonObject(body)) throw new Refusal(400, 'invalid-request', 'the body must be a JSON object');
  const { verdict, reason, revision, evidence, stage, by, rev } = body;
  const known = VERDICTS.find((one) => one === verdict);
  if (known === undefined) throw new Refusal(400, 'invalid-request', `verdict: must be one of ${VERDICTS.join(', ')}`);
  if (typeof reason !== 'string' || reason.trim() === '')
    throw new Refusal(400, 'invalid-request', 'reason: say why, in a few words');
  if (reason.length > MAX_REASON_CHARS)
    throw new Refusal(400, 'invalid-request', `reason: at most ${MAX_REASON_CHARS} characters`);
  if (typeof revision !== 'string' || revision === '')
    throw new Refusal(400, 'invalid-request', 'revision: name the commit that you decide on');
  if (evidence !== undefined && typeof evidence !== 'string')
    throw new Refusal(400, 'invalid-request', 'evidence: must be the hash that the change shows');
  if (stage !== undefined && typeof stage !== 'string')
    throw new Refusal(400, 'invalid-request', 'stage: must be the name of a stage');
  const way = ROLLBACK_WAYS.find((one) => one === by);
  if (by !== undefined && (way === undefined || known !== 'rollback'))
    throw new Refusal(400, 'invalid-request', `by: for a rollback only, one of ${ROLLBACK_WAYS.join(', ')}`);
  // Forms have texts only.
  const seen = typeof rev === 'string' && /^\d{1,15}$/.test(rev) ? Number(rev) : rev;
  if (seen !== undefined && !Number.isSafeInteger(seen))
    throw new Refusal(400, 'invalid-request', 'rev: must be the number that the change shows');
  return {
    verdict: known,
    reason: reason.trim(),
    revision,
    ...(evidence ? { evidence } : {}),
    ...(stage ? { stage } : {}),
    ...(way === undefined ? {} : { by: way }),
    ...(seen === undefined ? {} : { rev: seen as number }),
  };
}

/** Whoever decides on what has moved since they looked decides nothing. */
export function refuseMoved(seen: number, now: number | undefined): void {
  if (seen === now) return;
  const detail = `something happened to this change since you looked: you saw revision ${seen}, it is ${now ?? 'gone'} now`;
  throw new Refusal(409, 'changed', detail);
}

/** Everybody decides in their projects, approvers in their stages; what changes the course of a delivery is for operators. */
export function refuseElsewhere({ verdict }: Requested, state: SequenceState, holder: Holder): void {
  refuseProject(holder, state.triggered?.place.project);
  if (verdict !== 'approve' && verdict !== 'reject') {
    if (holder.may.includes('operate')) return;
    throw new Refusal(403, 'not-allowed', `${holder.name} may not ${verdict} a change: that takes the role operator`);
  }
  const closed = closedStages(holder, stagesDecided(state));
  if (closed.length === 0) return;
  const open = holder.stages.length === 0 ? 'no stage' : [...holder.stages].join(', ');
  throw new Refusal(403, 'not-allowed', `${holder.name} may decide in ${open}, not in ${closed.join(', ')}`);
}

export function checkRequest(afterwards: Afterwards, request: Requested, actor: Holder) {
  const { state, subject } = afterwards;
  const evidence = hashEvidence(state);
  if (request.verdict === 'rollback') return checkRollback(afterwards, request, actor, evidence);
  return checkDecision(state, request, actor, evidence, { subject, anew: startsAnew(afterwards) });
}

/** The stage that is asked for; else the one in which the change is under way. */
export function findTarget(states: readonly SequenceState[], stage: string | undefined): SequenceState | undefined {
  const candidates = stage === undefined ? states : states.filter((state) => state.triggered?.place.stage === stage);
  return candidates.findLast((state) => state.phase !== 'finished') ?? candidates.at(-1);
}

export function hashEvidence(state: SequenceState): string {
  return createHash('sha256')
    .update(JSON.stringify(evidenceOf(state)))
    .digest('hex');
}
