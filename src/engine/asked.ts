import type { Asked, DecisionMade, RollbackWay, SequenceTriggered } from '../events/types.ts';
import { plannedStep } from './decide.ts';
import { type Actor, type CheckedDecision, checkApprover, type DecisionRequest, madeBy, refuse } from './decisions.ts';
import type { Plan, PlannedTask } from './plan.ts';
import { isGoingBack, wasRolledBack, wasSynced } from './rollback.ts';
import type { SequenceState } from './sequence.ts';

/** A sequence that is over, and what has to be known to ask for more. */
export interface Afterwards {
  state: SequenceState;
  /** The delivery that it is about: itself, or what it was asked to roll back. */
  subject: SequenceState;
  /** No other sequence was triggered here since. */
  isNewest: boolean;
}

export interface RollbackRequest extends DecisionRequest {
  by?: RollbackWay;
}

/** As long as the one that the policy asks for may take: a pull request waits for people. */
const ROLLBACK_LIMIT_MS = 30 * 86_400_000;

/** The sequence whose delivery another one is about. */
export function subjectIn(state: SequenceState, find: (sequence: string) => SequenceState | undefined): SequenceState {
  const { asked } = state.triggered ?? {};
  return (asked?.what === 'rollback' ? find(asked.sequence) : undefined) ?? state;
}

/** Why a person cannot have a change rolled back now; `undefined`: it is possible. */
export function whyNotBack({ state, subject, isNewest }: Afterwards): string | undefined {
  const { triggered, finished } = state;
  if (!triggered || !finished) return 'it is still under way in this stage: abort it first';
  if (triggered.rollsBack) return 'it is a rollback itself: deliver another commit instead';
  if (!isNewest) return 'a newer change is there already: look at that one';
  if (!subject.tasks.some(({ name }) => name === 'sync')) return 'it was never deployed in this stage';
  return wasRolledBack(state) || wasRolledBack(subject) ? 'it was rolled back already' : undefined;
}

/** Whether the stage says how it goes back; otherwise the person has to. */
export function saysHowBack({ subject }: Pick<Afterwards, 'subject'>): boolean {
  return plannedStep(subject, 'rollback') !== undefined;
}

/** A person's wish to go back from a change that is over: the newest one, in a way that stage or person names. */
export function checkRollback(
  afterwards: Afterwards,
  { reason, revision, verdict, evidence: seen, by }: RollbackRequest,
  actor: Actor,
  evidence: string,
): CheckedDecision {
  const { state, subject, isNewest } = afterwards;
  if (revision !== state.triggered?.revision)
    return refuse('stale', `this change is ${state.triggered?.revision ?? 'none'}, not ${revision}: look again`);
  const why = whyNotBack(afterwards);
  if (why !== undefined) return refuse(state.finished && !isNewest ? 'stale' : 'nothing-to-decide', why);
  if (by === undefined && !saysHowBack(afterwards))
    return refuse('nothing-to-decide', 'the stage has no onFailure: say how to go back, by sync or by pullRequest');
  if (seen !== undefined && seen !== evidence)
    return refuse('stale', 'the evidence changed while you were looking: look again');
  const made = { ...madeBy(actor), reason, revision, evidence, verdict };
  return checkApprover(subject, { ...made, ...(by === undefined ? {} : { by }) }, actor);
}

/** Whether an override has something to start: the newest change, which is over and does not run here. */
export function startsAnew({ state, subject, isNewest }: Afterwards): boolean {
  if (state.finished?.result !== 'fail' || !isNewest) return false;
  return !wasSynced(subject) || wasRolledBack(subject) || wasRolledBack(state);
}

/** What a decision on a change that is over starts; `undefined`: it is only kept. */
export function sequenceAskedFor(
  afterwards: Afterwards,
  { decision, verdict, actor, reason, by }: DecisionMade,
  sequence: string,
): SequenceTriggered | undefined {
  const { subject } = afterwards;
  if (!subject.triggered) return undefined;
  const starts = verdict === 'rollback' || (verdict === 'override' && startsAnew(afterwards));
  if (!starts) return undefined;
  const { at: _, asked: __, ...rest } = subject.triggered;
  const asked: Asked = {
    what: verdict,
    sequence: subject.triggered.sequence,
    decision,
    actor,
    reason,
    ...(by === undefined ? {} : { by }),
  };
  return { ...rest, sequence, asked };
}

/**
 * What is done to go back from a change, by the plan of its own delivery. Its other steps only say how a sync is carried
 * out here, how long anything may take, and who decides.
 */
export function planGoingBack({ plan }: SequenceState, by: RollbackWay | undefined): Plan | undefined {
  if (!plan) return undefined;
  const policy = plan.steps.find(
    (step): step is Extract<PlannedTask, { name: 'rollback' }> => step.name === 'rollback',
  );
  const fallback = { name: 'rollback', timeLimitMs: ROLLBACK_LIMIT_MS, by: 'auto', merge: 'automatic' } as const;
  const rollback = { ...(policy ?? fallback), ...(by === undefined ? {} : { by }) };
  const kept = plan.steps.filter(({ name }) => name === 'approval' || name === 'sync' || name === 'rollout');
  return { files: plan.files, steps: [...kept, rollback] };
}

/** Whether others came to the stage between a change and what was asked for of it, in a moment when nobody looked. */
export function isOvertaken(asked: SequenceState, subject: SequenceState, others: readonly SequenceState[]): boolean {
  const [since, own] = [subject.triggered?.at ?? '', asked.triggered?.sequence];
  return others.some(({ triggered }) => {
    if (!triggered || triggered.at <= since || triggered.sequence === own) return false;
    return !(triggered.asked?.sequence === subject.triggered?.sequence && isGoingBack({ triggered }));
  });
}
