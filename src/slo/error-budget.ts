import { sayDuration } from '../base/duration.ts';
import type { JsonObject } from '../base/json.ts';
import type { ErrorBudgetPolicy } from '../definitions/delivery.ts';
import type { CheckAnswer } from '../engine/check.ts';
import { BUDGET, burnName, type ErrorBudgetTarget } from './budget-queries.ts';

/** Data that is missing now is often there after the next scrapes. */
const ASK_AGAIN_MS = 15_000;
/** A budget recovers slowly; asking more often only loads the metrics source. */
const ASK_DENIED_AGAIN_MS = 5 * 60_000;
/** Extrapolated rates put good above total by a hair; further outside of 0..1 it is no ratio. */
const RATIO_TOLERANCE = 0.01;

export interface BudgetFigures {
  /** e.g. 0.999; below 1. */
  target: number;
  windowMs: number;
  /** Bad / total over the window of the target. */
  errorRatio: number;
  burns: readonly { windowMs: number; errorRatio: number }[];
}

export interface ErrorBudget {
  /** Share of the budget that is left; negative when more than all is spent. */
  remaining: number;
  /** How many times faster than allowed: 1 spends the budget exactly within its window. */
  burnRates: { windowMs: number; rate: number }[];
  /** At the pace of the shortest window; absent when nothing burns or nothing is left. */
  exhaustedInMs?: number;
}

/**
 * What is left of an error budget, by the method of occurrences: events count, however they are
 * spread over time. remaining = ((1 - T) - e(W)) / (1 - T), burn(w) = e(w) / (1 - T), after the SRE
 * workbook (https://sre.google/workbook/alerting-on-slos/).
 */
export function errorBudget({ target, windowMs, errorRatio, burns }: BudgetFigures): ErrorBudget {
  const allowed = 1 - target;
  const remaining = (allowed - errorRatio) / allowed;
  const burnRates = burns
    .map((burn) => ({ windowMs: burn.windowMs, rate: burn.errorRatio / allowed }))
    .sort((a, b) => a.windowMs - b.windowMs);
  const pace = burnRates[0]?.rate ?? errorRatio / allowed;
  return {
    remaining,
    burnRates,
    ...(pace > 0 && remaining > 0 ? { exhaustedInMs: (remaining * windowMs) / pace } : {}),
  };
}

type Answer = CheckAnswer['answer'];
interface Finding {
  answer: Answer;
  reason: string;
}

const WORST_FIRST: readonly Answer[] = ['deny', 'unknown', 'needs-approval', 'pass'];

/** The answer to one of `budgetQueries`, by its name. */
export type BudgetReading = { name: string; ok: true; value: number } | { name: string; ok: false; message: string };

export interface BudgetQuestion {
  policy: ErrorBudgetPolicy;
  target: ErrorBudgetTarget;
  readings: readonly BudgetReading[];
  now: Date;
}

/**
 * Whether the error budget allows a deployment now. Data that is missing is named and judged as the
 * policy says; what can be seen already still denies.
 */
export function checkErrorBudget({ policy, target, readings, now }: BudgetQuestion): CheckAnswer {
  const whole = ratioOf(BUDGET, readings);
  const burns = policy.maximumBurnRate.map(({ windowMs }) => ({ windowMs, ...ratioOf(burnName(windowMs), readings) }));
  const budget = errorBudget({
    ...target,
    errorRatio: whole.value ?? Number.NaN,
    burns: burns.flatMap(({ windowMs, value }) => (value === undefined ? [] : [{ windowMs, errorRatio: value }])),
  });
  const missing = [whole, ...burns].flatMap((ratio) => (ratio.missing === undefined ? [] : [ratio.missing]));
  const findings = [
    ...(whole.value === undefined ? [] : judgeRemaining(policy, budget.remaining)),
    ...judgeBurnRates(policy, budget.burnRates),
    ...missing.map((message) => judgeMissing(policy, message)),
  ];
  return answerOf(findings, figuresOf(target, whole.value, budget, missing), now);
}

function answerOf(findings: readonly Finding[], figures: JsonObject, now: Date): CheckAnswer {
  const answer = WORST_FIRST.find((each) => findings.some((finding) => finding.answer === each)) ?? 'unknown';
  const delay = { deny: ASK_DENIED_AGAIN_MS, unknown: ASK_AGAIN_MS, 'needs-approval': undefined, pass: undefined }[
    answer
  ];
  return {
    check: 'error-budget',
    answer,
    reasons: WORST_FIRST.flatMap((each) => findings.filter((finding) => finding.answer === each).map((f) => f.reason)),
    figures,
    ...(delay === undefined ? {} : { askAgainAt: new Date(now.getTime() + delay).toISOString() }),
  };
}

function judgeRemaining(policy: ErrorBudgetPolicy, remaining: number): Finding[] {
  const left = `${sayShare(remaining)} of the error budget is left`;
  if (remaining < policy.minimumRemaining) {
    return [{ answer: 'deny', reason: `${left}, at least ${sayShare(policy.minimumRemaining)} is needed` }];
  }
  if (remaining <= 0) return [{ answer: 'deny', reason: `${left}: it is spent` }];
  if (policy.approvalBelow !== undefined && remaining < policy.approvalBelow) {
    return [
      { answer: 'needs-approval', reason: `${left}, below ${sayShare(policy.approvalBelow)} a person must agree` },
    ];
  }
  return [{ answer: 'pass', reason: left }];
}

function judgeBurnRates(policy: ErrorBudgetPolicy, rates: ErrorBudget['burnRates']): Finding[] {
  return rates.map(({ windowMs, rate }) => {
    const limit = policy.maximumBurnRate.find((each) => each.windowMs === windowMs)?.factor ?? 0;
    const said = `the budget burns ${round(rate)} times as fast as allowed over ${sayDuration(windowMs)}`;
    if (rate > limit) return { answer: 'deny', reason: `${said}, at most ${limit} is accepted` };
    return { answer: 'pass', reason: `${said} (limit ${limit})` };
  });
}

function judgeMissing(policy: ErrorBudgetPolicy, message: string): Finding {
  switch (policy.onMissingData) {
    case 'wait':
      return { answer: 'unknown', reason: `${message}; the change waits for data` };
    case 'needs-approval':
      return { answer: 'needs-approval', reason: `${message}; without data a person must agree` };
    case 'pass':
      return { answer: 'pass', reason: `${message}; this stage lets changes pass without data (onMissingData: pass)` };
  }
}

interface Ratio {
  value?: number;
  missing?: string;
}

function ratioOf(name: string, readings: readonly BudgetReading[]): Ratio {
  const reading = readings.find((each) => each.name === name);
  if (reading === undefined) return { missing: `${name}: it was not read` };
  if (!reading.ok) return { missing: `${name}: ${reading.message}` };
  // Written so that NaN is refused too.
  if (!(reading.value >= -RATIO_TOLERANCE && reading.value <= 1 + RATIO_TOLERANCE)) {
    return { missing: `${name}: ${reading.value} is not an error ratio from 0 to 1` };
  }
  return { value: Math.min(1, Math.max(0, reading.value)) };
}

function figuresOf(
  target: ErrorBudgetTarget,
  errorRatio: number | undefined,
  budget: ErrorBudget,
  missing: string[],
): JsonObject {
  return {
    method: target.method,
    target: target.target,
    windowMs: target.windowMs,
    errorRatio: errorRatio ?? null,
    remaining: errorRatio === undefined ? null : budget.remaining,
    burnRates: budget.burnRates.map((burn) => ({ ...burn })),
    // Old errors leave a rolling window, so this is a warning of the earliest time, not a forecast.
    exhaustedInMs: budget.exhaustedInMs ?? null,
    missing,
  };
}

function sayShare(share: number): string {
  return `${round(share * 100)} %`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
