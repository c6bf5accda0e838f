import { isJsonObject, type JsonObject } from '../base/json.ts';
import type { CheckAnswer } from '../engine/check.ts';
import type { PlannedTask } from '../engine/plan.ts';
import { assessRisk, type RiskAssessment } from '../risk/assess.ts';
import { footprintToJson } from '../risk/change.ts';
import type { RiskSignals } from '../risk/signals.ts';
import { mergeSignals, timeSignals } from '../risk/time.ts';
import { type ReadChange, readChange } from './risk-change.ts';
import { pastSignals } from './risk-past.ts';
import { probeSignals } from './risk-probes.ts';
import type { TaskInput, TaskTools } from './task.ts';

type Step = Extract<PlannedTask, { name: 'checks' }>;

/** How long an outage is waited out before it counts: a few looks of the checks. */
const PATIENCE_MS = 2 * 60_000;

export interface RiskCheck {
  answer: CheckAnswer;
  /** What Git said, for the next look while the checks wait. */
  memo: JsonObject;
}

/** Collects the signals of a change and lets the pure core assess them. */
export async function checkRisk(
  input: TaskInput,
  tools: TaskTools,
  { risk, windows }: Pick<Step, 'risk' | 'windows'>,
  budget: CheckAnswer | undefined,
): Promise<RiskCheck> {
  const policy = risk ?? { approvalAbove: 100 };
  const change = remembered(input.task.memo) ?? (await readChange(input, tools));
  const signals = mergeSignals([
    change.signals,
    await pastSignals(input, tools, change.footprint),
    await probeSignals(input, tools, policy),
    budgetSignal(budget),
    timeSignals(windows, input.now),
  ]);
  const assessed = assessRisk(signals, policy, await tools.riskModel(input.triggered.place.project));
  const { score: _, level: __, ...answer } = patient(assessed, outageIn(signals, change), input);
  const footprint = change.footprint && footprintToJson(change.footprint);
  return {
    answer: { ...answer, figures: { ...answer.figures, ...(footprint ? { footprint } : {}) } },
    memo: change.incomplete ? {} : { change: JSON.parse(JSON.stringify(change)) as JsonObject },
  };
}

/** What is not known now is often known after a restart elsewhere: a person is not asked at once because of it. */
function patient(assessed: RiskAssessment, outage: string | undefined, { task, now }: TaskInput): RiskAssessment {
  const waitedMs = now.getTime() - Date.parse(task.triggeredAt);
  if (assessed.answer !== 'needs-approval' || outage === undefined || waitedMs >= PATIENCE_MS) return assessed;
  return { ...assessed, answer: 'unknown', reasons: [`asked again: ${outage}`, ...assessed.reasons] };
}

/** Why a signal is missing that a later look may find. */
function outageIn(signals: RiskSignals, change: ReadChange): string | undefined {
  const { alerts, dependencies, infrastructure, errorBudget, size } = signals.unknown ?? {};
  return (change.incomplete ? size : undefined) ?? alerts ?? dependencies ?? infrastructure ?? errorBudget;
}

function remembered({ change }: JsonObject): ReadChange | undefined {
  return isJsonObject(change) && isJsonObject(change['signals']) ? (change as unknown as ReadChange) : undefined;
}

function budgetSignal(budget: CheckAnswer | undefined): RiskSignals {
  if (!budget) return {};
  const remaining = budget.figures['remaining'];
  if (typeof remaining === 'number') return { budgetRemaining: remaining };
  return { unknown: { errorBudget: budget.reasons[0] ?? 'it could not be read' } };
}
