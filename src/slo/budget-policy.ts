import { sayDuration } from '../base/duration.ts';
import type { ErrorBudgetPolicy } from '../definitions/delivery-budget.ts';
import type { CheckAnswer } from '../engine/check.ts';
import { judgeBurns } from './budget-burns.ts';
import { type BudgetFigures, compositeFigures, figuresToJson } from './budget-figures.ts';
import type { BurnPair } from './budget-pairs.ts';
import type { ExpectedCost } from './error-budget.ts';

/** Data that is missing now is often there after the next scrapes. */
const ASK_AGAIN_MS = 15_000;
/** A budget recovers slowly; asking more often only loads the metrics source. */
const ASK_DENIED_AGAIN_MS = 5 * 60_000;

/** What is answered of a budget, under a name of its own. */
export type BudgetAnswer = CheckAnswer;

export interface Finding {
  answer: CheckAnswer['answer'];
  reason: string;
}

const WORST_FIRST: readonly Finding['answer'][] = ['deny', 'unknown', 'needs-approval', 'pass'];

/** One objective with the pairs it is watched over; no pairs: only the policy's own limits count. */
export interface JudgedBudget {
  figures: BudgetFigures;
  pairs: readonly BurnPair[];
}

export interface BudgetQuestion {
  policy: ErrorBudgetPolicy;
  /** At least one. */
  budgets: readonly JudgedBudget[];
  /** What the next deployment is expected to cost, where there is a history. */
  cost?: ExpectedCost;
  /** What else people should know, such as rules that were looked for and not found. */
  notes?: readonly string[];
  now: Date;
}

/**
 * Whether the error budgets allow a deployment now; of several the worst decides, of a composite their
 * weighted sum. Data that is missing is named and judged as the policy says; what can be seen already
 * still denies.
 */
export function checkErrorBudget({ policy, budgets, cost, notes = [], now }: BudgetQuestion): CheckAnswer {
  const composite = policy.composite === true && budgets.length > 1;
  const whole = composite ? compositeFigures(budgets.map(({ figures }) => figures)) : undefined;
  const judged = whole === undefined ? budgets : [{ figures: whole, pairs: budgets[0]?.pairs ?? [] }];
  const findings = [
    ...judged.flatMap((budget) => judge(policy, budget, cost)),
    ...(composite ? budgets.flatMap(({ figures }) => judgePart(figures)) : []),
  ];
  const worst = lowest(judged.map(({ figures }) => figures));
  return answerOf(
    findings,
    {
      ...(worst === undefined ? {} : figuresToJson(worst)),
      ...(budgets.length > 1 ? { objectives: budgets.map(({ figures }) => figuresToJson(figures)) } : {}),
      ...(cost === undefined ? {} : { expectedCost: { ...cost } }),
      ...(notes.length === 0 ? {} : { notes: [...notes] }),
    },
    now,
  );
}

function answerOf(findings: readonly Finding[], figures: CheckAnswer['figures'], now: Date): CheckAnswer {
  const answer = WORST_FIRST.find((each) => findings.some((finding) => finding.answer === each)) ?? 'unknown';
  const delay = { deny: ASK_DENIED_AGAIN_MS, unknown: ASK_AGAIN_MS, 'needs-approval': undefined, pass: undefined }[
    answer
  ];
  const reasons = WORST_FIRST.flatMap((each) =>
    findings.filter((finding) => finding.answer === each).map(({ reason }) => reason),
  );
  return {
    check: 'error-budget',
    answer,
    reasons: reasons.length > 0 ? reasons : ['nothing of the error budget is known'],
    figures,
    ...(delay === undefined ? {} : { askAgainAt: new Date(now.getTime() + delay).toISOString() }),
  };
}

function judge(policy: ErrorBudgetPolicy, { figures, pairs }: JudgedBudget, cost: ExpectedCost | undefined): Finding[] {
  const named = ({ answer, reason }: Finding): Finding => ({
    answer,
    reason: figures.objective === '' ? reason : `${figures.objective}: ${reason}`,
  });
  return [
    ...judgeRemaining(policy, figures),
    ...(cost === undefined ? [] : judgeCost(figures, cost)),
    ...judgeBurns(policy, figures, pairs).map((finding) => (finding.missing ? judgeMissing(policy, finding) : finding)),
  ].map(named);
}

function judgeRemaining(policy: ErrorBudgetPolicy, figures: BudgetFigures): Finding[] {
  const { remaining, remainingAtBest = remaining, windowMs, events } = figures;
  if (remaining === undefined || remainingAtBest === undefined) {
    const own = figures.missing.filter((each) => each.windowMs === windowMs);
    return own.map(({ message }) => judgeMissing(policy, { reason: message }));
  }
  if (events === 0) return [judgeMissing(policy, { reason: `there was no event in ${sayDuration(windowMs)}` })];
  if (policy.minimumEvents !== undefined && figures.events === undefined) {
    const reason = 'minimumEvents is asked for, and the number of events is not known (give "total")';
    return [judgeMissing(policy, { reason })];
  }
  const few = judgeFew(policy, figures);
  if (few !== undefined) return [few];
  const left = `${sayShare(remaining)} of the error budget is left`;
  const limit =
    remaining <= 0
      ? `${left}: it is spent`
      : remaining < policy.minimumRemaining
        ? `${left}, at least ${sayShare(policy.minimumRemaining)} is needed`
        : undefined;
  if (limit !== undefined) return [certain(policy, limit, remainingAtBest, events)];
  if (policy.approvalBelow !== undefined && remaining < policy.approvalBelow) {
    return [
      { answer: 'needs-approval', reason: `${left}, below ${sayShare(policy.approvalBelow)} a person must agree` },
    ];
  }
  return [{ answer: 'pass', reason: left }];
}

/** Denies only when chance alone does not explain it; else a person looks. */
function certain(policy: ErrorBudgetPolicy, reason: string, atBest: number, events: number | undefined): Finding {
  if (atBest < policy.minimumRemaining || atBest <= 0) return { answer: 'deny', reason };
  const doubt = `of ${Math.round(events ?? 0)} events only, it may be ${sayShare(atBest)}`;
  return { answer: 'needs-approval', reason: `${reason}; ${doubt}` };
}

/** Waiting brings no traffic: where it is too little to judge, a person decides instead. */
function judgeFew({ minimumEvents, onMissingData }: ErrorBudgetPolicy, figures: BudgetFigures): Finding | undefined {
  if (minimumEvents === undefined || figures.events === undefined || figures.events >= minimumEvents) return undefined;
  const few = `${Math.round(figures.events)} events in ${sayDuration(figures.windowMs)} are too few to judge the error budget (at least ${minimumEvents})`;
  if (onMissingData === 'pass')
    return { answer: 'pass', reason: `${few}; this stage lets changes pass without data (onMissingData: pass)` };
  return { answer: 'needs-approval', reason: `${few}: a person must agree` };
}

function judgeCost({ remaining }: BudgetFigures, { cost, failureProbability, costOfFailure }: ExpectedCost): Finding[] {
  if (remaining === undefined || remaining <= 0 || cost <= remaining) return [];
  const how = `${sayShare(failureProbability)} chance of failure times ${sayShare(costOfFailure)}`;
  const reason = `a deployment is expected to cost ${sayShare(cost)} of the budget (${how}), more than is left`;
  return [{ answer: 'needs-approval', reason }];
}

function judgePart({ objective, remaining }: BudgetFigures): Finding[] {
  if (remaining === undefined || remaining > 0) return [];
  const reason = `${objective}: ${sayShare(remaining)} of its own error budget is left, a person must agree`;
  return [{ answer: 'needs-approval', reason }];
}

function judgeMissing(policy: ErrorBudgetPolicy, { reason }: { reason: string }): Finding {
  switch (policy.onMissingData) {
    case 'wait':
      return { answer: 'unknown', reason: `${reason}; the change waits for data` };
    case 'needs-approval':
      return { answer: 'needs-approval', reason: `${reason}; without data a person must agree` };
    case 'pass':
      return { answer: 'pass', reason: `${reason}; this stage lets changes pass without data (onMissingData: pass)` };
  }
}

function lowest(figures: readonly BudgetFigures[]): BudgetFigures | undefined {
  const rank = ({ remaining = Number.NEGATIVE_INFINITY }: BudgetFigures) => remaining;
  return [...figures].sort((a, b) => rank(a) - rank(b))[0];
}

/** `12.5 %` */
export function sayShare(share: number): string {
  return `${Math.round(share * 10_000) / 100} %`;
}
