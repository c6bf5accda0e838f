import type { JsonObject } from '../base/json.ts';
import type { CheckAnswer } from '../engine/check.ts';
import { plannedStep } from '../engine/decide.ts';
import type { PlannedTask } from '../engine/plan.ts';
import { checkWindows } from '../engine/windows.ts';
import type { Blocker } from '../events/types.ts';
import { checkBudget } from './check-budget.ts';
import { checkRisk } from './check-risk.ts';
import { errored, pass, type TaskHandler, type TaskOutcome, waiting } from './task.ts';

type ChecksStep = Extract<PlannedTask, { name: 'checks' }>;

/** A check that says no is asked again this often, unless it says when asking makes sense. */
const ASK_AGAIN_MS = 30_000;

/**
 * Asks every pre-deploy check. A denial does not fail the change: it waits, says for what, and goes on
 * by itself when the answer changes. What cannot be judged waits too.
 */
export const checks: TaskHandler = {
  name: 'checks',
  async run(input, tools) {
    const step = plannedStep(input.sequence, 'checks');
    if (!step) return errored('there is nothing to check');
    const budget = step.errorBudget ? await checkBudget(input, tools, step.errorBudget) : undefined;
    const risk = step.risk ? await checkRisk(input, tools, step, budget) : undefined;
    const answers = [
      ...(budget ? [budget] : []),
      ...(risk ? [risk.answer] : []),
      ...(step.windows.length > 0 ? [checkWindows(step.windows, input.now)] : []),
    ];
    return conclude(answers, step, input.now, risk?.memo);
  },
};

function conclude(
  answers: readonly CheckAnswer[],
  step: ChecksStep,
  now: Date,
  memo: JsonObject | undefined,
): TaskOutcome {
  const blocking =
    answers.find(({ answer }) => answer === 'deny') ?? answers.find(({ answer }) => answer === 'unknown');
  if (blocking) {
    const kept = { ...memo, blocking: numbersOf(blocking, step) };
    return waiting(blockerOf(blocking), untilAskedAgain(blocking, now), kept);
  }
  const data = JSON.parse(JSON.stringify({ answers, ...demandsOf(answers) })) as JsonObject;
  const doubtful = answers.filter(({ answer }) => answer === 'needs-approval');
  if (doubtful.length === 0) return pass('all checks passed', data);
  const message = doubtful.flatMap(({ reasons }) => reasons).join('; ');
  return { kind: 'finished', status: 'succeeded', result: 'warning', message: `needs an approval: ${message}`, data };
}

/** The most that any check asks of the approval and of the soak. */
function demandsOf(answers: readonly CheckAnswer[]): { approval?: { quorum: number }; soakMs?: number } {
  const quorum = Math.max(0, ...answers.map(({ approval }) => approval?.quorum ?? 0));
  const soakMs = Math.max(0, ...answers.map((answer) => answer.soakMs ?? 0));
  return { ...(quorum > 0 ? { approval: { quorum } } : {}), ...(soakMs > 0 ? { soakMs } : {}) };
}

const BLOCKER_KINDS = { 'error-budget': 'budget', risk: 'risk', window: 'window' } as const satisfies Record<
  CheckAnswer['check'],
  Blocker['kind']
>;

/** For people: which check it is, and by how much. Rounded, because each other figure is another event in the log. */
function numbersOf({ check, figures, reasons }: CheckAnswer, { errorBudget }: ChecksStep): JsonObject {
  const { remaining, score, denyAbove } = figures;
  if (check === 'error-budget') {
    const { minimumRemaining: limit = 0 } = errorBudget ?? {};
    // Burns too fast, or costs too much: its own words say it.
    const isLow = typeof remaining === 'number' && remaining < limit && /is left/.test(reasons[0] ?? '');
    return isLow ? { check, value: round(remaining), limit } : { check };
  }
  if (check !== 'risk' || typeof score !== 'number' || typeof denyAbove !== 'number' || score <= denyAbove)
    return { check };
  const why = reasons[1];
  return { check, value: Math.round(score), limit: denyAbove, ...(why === undefined ? {} : { why }) };
}

function round(share: number): number {
  return Math.round(share * 100) / 100;
}

function blockerOf({ check, answer, reasons, askAgainAt }: CheckAnswer): Blocker {
  return {
    kind: answer === 'unknown' ? 'data' : BLOCKER_KINDS[check],
    sentence: reasons[0] ?? `${check} says no`,
    ...(answer === 'deny' && askAgainAt !== undefined ? { until: askAgainAt } : {}),
  };
}

function untilAskedAgain({ askAgainAt }: CheckAnswer, now: Date): number {
  if (askAgainAt === undefined) return ASK_AGAIN_MS;
  return Math.max(500, Math.min(Date.parse(askAgainAt) - now.getTime(), 3_600_000));
}
