import type { JsonObject } from '../base/json.ts';
import type { CheckAnswer } from '../engine/check.ts';
import { plannedStep } from '../engine/decide.ts';
import { checkWindows } from '../engine/windows.ts';
import type { Blocker } from '../events/types.ts';
import { checkBudget } from './check-budget.ts';
import { checkRisk } from './check-risk.ts';
import { errored, pass, type TaskHandler, type TaskOutcome, waiting } from './task.ts';

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
    return conclude(answers, input.now, risk?.memo);
  },
};

function conclude(answers: readonly CheckAnswer[], now: Date, memo: JsonObject | undefined): TaskOutcome {
  const blocking =
    answers.find(({ answer }) => answer === 'deny') ?? answers.find(({ answer }) => answer === 'unknown');
  if (blocking) return waiting(blockerOf(blocking), untilAskedAgain(blocking, now), memo);
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
