import type { JsonObject } from '../base/json.ts';
import type { DecisionMade, MadeBy } from '../events/types.ts';
import { plannedStep } from './decide.ts';
import { promotionsOf } from './promotion.ts';
import { whyNoRetry } from './promotion-retry.ts';
import { isGoingBack } from './rollback.ts';
import { currentTask, type SequenceState, type TaskState } from './sequence.ts';
import { syncByHand } from './sync-by-hand.ts';

export interface Actor {
  name: string;
  groups: readonly string[];
  method: MadeBy['method'];
  identity?: MadeBy['identity'] | undefined;
}

/** How events say who it was. */
export function madeBy({ name, method, identity }: Omit<Actor, 'groups'>): MadeBy {
  return { actor: name, method, ...(identity === undefined ? {} : { identity }) };
}

export interface DecisionRequest {
  verdict: DecisionMade['verdict'];
  reason: string;
  /** The commit that the actor saw. */
  revision: string;
  /** Hash of the evidence that the actor saw; absent: the present one is meant. */
  evidence?: string;
}

export type CheckedDecision =
  | { ok: true; decision: Omit<DecisionMade, 'decision'> }
  | {
      ok: false;
      refusal: 'over' | 'stale' | 'nothing-to-decide' | 'not-allowed' | 'decided-elsewhere';
      message: string;
    };

/**
 * Whether a person's decision may be recorded. It counts only for what the person saw: the commit and,
 * when given, the evidence.
 */
export function checkDecision(
  state: SequenceState,
  request: DecisionRequest,
  actor: Actor,
  evidence: string,
  /** For an override of what is over: the delivery that it is about, and whether that starts anew. */
  { subject = state, anew = false }: { subject?: SequenceState; anew?: boolean } = {},
): CheckedDecision {
  const { triggered } = state;
  if (request.verdict === 'override') return checkOverride({ state, subject, anew }, request, actor, evidence);
  if (request.verdict === 'retry') return checkRetry(state, request, actor, evidence);
  if (!triggered || state.phase === 'finished')
    return refuse('over', 'the change is no longer under way in this stage');
  if (request.revision !== triggered.revision) {
    return refuse('stale', `this stage is delivering ${triggered.revision}, not ${request.revision}: look again`);
  }
  const common = {
    ...madeBy(actor),
    reason: request.reason,
    revision: request.revision,
    evidence,
    verdict: request.verdict,
  };
  if (request.verdict === 'pause' || request.verdict === 'resume' || request.verdict === 'abort')
    return { ok: true, decision: common };
  if (request.verdict === 'sync') {
    const left = syncByHand(state);
    if (!left) return refuse('nothing-to-decide', 'no sync is left to people here');
    return { ok: true, decision: { ...common, task: left.id } };
  }
  if (request.evidence !== undefined && request.evidence !== evidence) {
    return refuse('stale', 'the evidence changed while you were looking: look again');
  }
  const task = currentTask(state);
  if (task?.name === 'approval') return checkApprover(state, { ...common, task: task.id }, actor);
  const reviewed = task ? reviewsOf(state, task) : [];
  if (!task || reviewed.length === 0) return refuse('nothing-to-decide', 'nothing waits for a decision here');
  if (reviewed.every(({ reviews }) => reviews === 'host')) {
    const where = reviewed.map(({ url }) => String(url ?? '')).join(', ');
    return refuse('decided-elsewhere', `review the pull request at its Git host: ${where}`);
  }
  return checkReviewer(state, { ...common, task: task.id }, actor);
}

/** Where a promotion is approved with us, its policy says by whom: groups of tokens, and their names. */
function checkReviewer(state: SequenceState, decision: Omit<DecisionMade, 'decision'>, actor: Actor): CheckedDecision {
  const { groups = [], people = [] } = plannedStep(state, 'promotion')?.approval ?? {};
  const isPromotion = currentTask(state)?.name === 'promotion';
  const may = people.includes(actor.name) || groups.some((group) => actor.groups.includes(group));
  if (!isPromotion || may || groups.length + people.length === 0) return { ok: true, decision };
  const named = [...groups, ...people].join(', ');
  return refuse('not-allowed', `${actor.name} is not among those who approve this promotion: ${named}`);
}

/** Takes up a promotion that ended without having been merged; also once the sequence is over. */
function checkRetry(
  state: SequenceState,
  { reason, revision, verdict }: DecisionRequest,
  actor: Actor,
  evidence: string,
): CheckedDecision {
  const { triggered } = state;
  if (revision !== triggered?.revision)
    return refuse('stale', `this stage is delivering ${triggered?.revision ?? 'nothing'}, not ${revision}: look again`);
  const why = whyNoRetry(state);
  if (why !== undefined) return refuse('nothing-to-decide', why);
  const task = currentTask(state);
  const about = task === undefined ? {} : { task: task.id };
  return {
    ok: true,
    decision: { ...madeBy(actor), reason, revision, evidence, verdict, ...about },
  };
}

/** The stages that an approval or a rejection is about now: those that a promotion leads to, else the one that waits. */
export function stagesDecided(state: SequenceState): string[] {
  const { triggered } = state;
  if (currentTask(state)?.name !== 'promotion') return triggered ? [triggered.place.stage] : [];
  return promotionsOf(state).flatMap(({ target, outcome }) => (outcome === undefined ? [target.to] : []));
}

/** What was remembered of the pull requests that a task waits for. */
function reviewsOf(state: SequenceState, task: TaskState): JsonObject[] {
  const memos = task.name === 'rollback' ? [task.memo] : task.name === 'promotion' ? openMemos(state) : [];
  return memos.filter(({ pullRequest }) => pullRequest !== undefined);
}

function openMemos(state: SequenceState): JsonObject[] {
  return promotionsOf(state)
    .filter(({ outcome }) => outcome === undefined)
    .map(({ memo }) => memo);
}

/**
 * One person lets a commit through, whatever checks say and whoever else should approve. For what the gate has not let
 * through yet, and for what it refuses because it failed; where only some groups approve, only they may.
 */
function checkOverride(
  { state, subject, anew }: { state: SequenceState; subject: SequenceState; anew: boolean },
  { reason, revision, verdict }: DecisionRequest,
  actor: Actor,
  evidence: string,
): CheckedDecision {
  const { triggered, finished } = state;
  if (revision !== triggered?.revision)
    return refuse('stale', `this stage is delivering ${triggered?.revision ?? 'nothing'}, not ${revision}: look again`);
  if (!finished && isGoingBack(state)) return refuse('nothing-to-decide', 'it is being rolled back: abort that first');
  const through = finished ? finished.result !== 'fail' : state.tasks.some(({ name }) => name === 'sync');
  if (!anew && (through || state.override))
    return refuse('nothing-to-decide', 'the gate has let this commit through already');
  return checkApprover(subject, { ...madeBy(actor), reason, revision, evidence, verdict }, actor);
}

/**
 * Whether the newest decision on the task is this very one, and nothing was planned anew since: who asks twice, because the
 * page shows no answer yet, has said it once.
 */
export function isSaidAlready(state: SequenceState, decision: Omit<DecisionMade, 'decision'>): boolean {
  const task = state.tasks.find(({ id }) => id === decision.task);
  const newest = task?.decisions.at(-1);
  if (!newest || decision.verdict !== 'approve' || isRenewedSince(state, newest.at)) return false;
  const isSame = (['verdict', 'actor', 'method', 'reason', 'revision', 'evidence'] as const).every(
    (field) => newest[field] === decision[field],
  );
  const [before, now] = [newest.identity, decision.identity];
  return isSame && before?.issuer === now?.issuer && before?.subject === now?.subject;
}

/** Approvals from before do not count any more. */
function isRenewedSince(state: SequenceState, at: string): boolean {
  return promotionsOf(state).some(({ memo }) => String(memo['renewedAt'] ?? '') >= at);
}

export function checkApprover(
  state: SequenceState,
  decision: Omit<DecisionMade, 'decision'>,
  actor: Actor,
): CheckedDecision {
  const groups = plannedStep(state, 'approval')?.groups ?? [];
  if (groups.length > 0 && !groups.some((group) => actor.groups.includes(group))) {
    return refuse('not-allowed', `${actor.name} is in none of the groups that decide here: ${groups.join(', ')}`);
  }
  return { ok: true, decision };
}

export function refuse(refusal: Extract<CheckedDecision, { ok: false }>['refusal'], message: string): CheckedDecision {
  return { ok: false, refusal, message };
}

/** What a decision is based on, as one value to be hashed: every finished task with its verdict and figures. */
export function evidenceOf(state: SequenceState): JsonObject {
  const tasks = state.tasks
    .filter((task) => task.finishedAt !== undefined && task.name !== 'approval')
    .map(({ id, result, message, data }) => ({ id, result: result ?? '', message: message ?? '', data }));
  return { revision: state.triggered?.revision ?? '', tasks };
}
