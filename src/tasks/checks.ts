import type { MetricQuery, MetricsSource } from '../adapters/metrics/metrics-source.ts';
import { AdapterError } from '../base/adapter-error.ts';
import type { JsonObject } from '../base/json.ts';
import type { ErrorBudgetPolicy } from '../definitions/delivery.ts';
import type { CheckAnswer } from '../engine/check.ts';
import { plannedStep } from '../engine/decide.ts';
import type { PlannedTask } from '../engine/plan.ts';
import { finishedTask, type SequenceState } from '../engine/sequence.ts';
import { checkWindows, localMinuteOfWeek } from '../engine/windows.ts';
import type { Blocker } from '../events/types.ts';
import { assessRisk } from '../risk/assess.ts';
import { type RiskSignals, sensitiveKinds, topLevelDirectories } from '../risk/signals.ts';
import { budgetQueries, inlineTarget } from '../slo/budget-queries.ts';
import { type BudgetReading, checkErrorBudget } from '../slo/error-budget.ts';
import { variablesOf } from './evaluation.ts';
import { errored, pass, type TaskHandler, type TaskInput, type TaskOutcome, type TaskTools, waiting } from './task.ts';

type Step = Extract<PlannedTask, { name: 'checks' }>;

/** A check that says no is asked again this often, unless it says when asking makes sense. */
const ASK_AGAIN_MS = 30_000;
/** Signals of a service's past reach back this far. */
const PAST_MS = 90 * 24 * 3_600_000;

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
    const answers = [
      ...(budget ? [budget] : []),
      ...(step.risk ? [await checkRisk(input, tools, step, budget)] : []),
      ...(step.windows.length > 0 ? [checkWindows(step.windows, input.now)] : []),
    ];
    return conclude(answers, input.now);
  },
};

function conclude(answers: readonly CheckAnswer[], now: Date): TaskOutcome {
  const blocking =
    answers.find(({ answer }) => answer === 'deny') ?? answers.find(({ answer }) => answer === 'unknown');
  if (blocking) return waiting(blockerOf(blocking), untilAskedAgain(blocking, now));
  const data = JSON.parse(JSON.stringify({ answers })) as JsonObject;
  const doubtful = answers.filter(({ answer }) => answer === 'needs-approval');
  if (doubtful.length === 0) return pass('all checks passed', data);
  const message = doubtful.flatMap(({ reasons }) => reasons).join('; ');
  return { kind: 'finished', status: 'succeeded', result: 'warning', message: `needs an approval: ${message}`, data };
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

async function checkBudget(input: TaskInput, tools: TaskTools, policy: ErrorBudgetPolicy): Promise<CheckAnswer> {
  const target = inlineTarget(policy);
  if (!target)
    throw new AdapterError(
      'rejected',
      'the error budget has neither an OpenSLO file nor errorRatio, target and window',
    );
  const source = tools.metricsSource(policy.provider);
  const end = input.now.toISOString();
  const readings: BudgetReading[] = [];
  for (const { name, query, windowMs, window } of budgetQueries(policy, target)) {
    const start = new Date(input.now.getTime() - windowMs).toISOString();
    const variables = { ...variablesOf(input, undefined, { start, end }), WINDOW: window };
    readings.push(await readOrExplain(name, source, { query, variables, start, end }, input));
  }
  return checkErrorBudget({ policy, target, readings, now: input.now });
}

/** An outage is an answer too: the check could not be judged, and the others may still say something. */
async function readOrExplain(
  name: string,
  source: MetricsSource | undefined,
  query: MetricQuery,
  { signal }: TaskInput,
): Promise<BudgetReading> {
  if (!source) return { name, ok: false, message: 'no metrics source is configured' };
  try {
    const reading = await source.read(query, { signal });
    return reading.ok ? { name, ok: true, value: reading.value } : { name, ok: false, message: reading.message };
  } catch (error) {
    if (error instanceof AdapterError && error.reason !== 'cancelled')
      return { name, ok: false, message: error.message };
    throw error;
  }
}

async function checkRisk(
  input: TaskInput,
  tools: TaskTools,
  step: Step,
  budget: CheckAnswer | undefined,
): Promise<CheckAnswer> {
  const timeZone = step.windows[0]?.timeZone ?? 'UTC';
  const signals: RiskSignals = {
    ...(await changeSignals(input, tools)),
    ...(await pastSignals(input, tools)),
    ...budgetSignal(budget),
    localMinuteOfWeek: localMinuteOfWeek(input.now, timeZone),
  };
  return assessRisk(signals, step.risk ?? { approvalAbove: 100 });
}

async function changeSignals({ triggered, signal }: TaskInput, tools: TaskTools): Promise<RiskSignals> {
  const repository = { url: triggered.source.repoUrl };
  const host = tools.gitHost(repository);
  if (!host || triggered.previousRevision === undefined) return {};
  try {
    const { files, totalFiles, totalCommits } = await host.compare(
      repository,
      triggered.previousRevision,
      triggered.revision,
      { signal },
    );
    const paths = files.map(({ path }) => path);
    return {
      lines: files.reduce((sum, { additions, deletions }) => sum + additions + deletions, 0),
      files: totalFiles,
      directories: topLevelDirectories(paths),
      commits: totalCommits,
      sensitive: sensitiveKinds(paths),
    };
  } catch (error) {
    // A commit that was forced away cannot be compared with: the signals are missing, and named as such.
    if (error instanceof AdapterError && error.reason === 'not-found') return {};
    throw error;
  }
}

async function pastSignals({ triggered, sequence, now }: TaskInput, tools: TaskTools): Promise<RiskSignals> {
  const past = await tools.history.sequences(triggered.place, new Date(now.getTime() - PAST_MS));
  const deployments = past.filter(
    (other) => other.triggered?.sequence !== sequence.triggered?.sequence && wasDeployed(other),
  );
  const failures = deployments.filter(
    (other) => other.finished?.result === 'fail' && other.finished.reason === 'failed',
  );
  const last = failures[0]?.finished?.at;
  return {
    history: { deployments: deployments.length, failures: failures.length },
    hoursSinceFailure: last === undefined ? 'none' : (now.getTime() - Date.parse(last)) / 3_600_000,
  };
}

/** Only what reached the cluster tells of risk; an invalid file or a closed window does not. */
function wasDeployed(state: SequenceState): boolean {
  return state.finished !== undefined && finishedTask(state, 'sync')?.status === 'succeeded';
}

function budgetSignal(budget: CheckAnswer | undefined): RiskSignals {
  const remaining = budget?.figures['remaining'];
  return typeof remaining === 'number' ? { budgetRemaining: remaining } : {};
}
