import type { Json, JsonObject } from '../base/json.ts';
import { plannedStep } from '../engine/decide.ts';
import type { PlannedTask } from '../engine/plan.ts';
import { finishedTask } from '../engine/sequence.ts';
import type { Evaluation, Slo } from '../slo/evaluation.ts';
import { withBurnedBudget } from './attribute-budget.ts';
import { missingPushes } from './evaluation-collect.ts';
import { judge } from './evaluation-judge.ts';
import { type EvaluationQuestion, type Period, queryVariables } from './evaluation-question.ts';
import { nextMove, type WatchedStep } from './evaluation-watch.ts';
import { labelsOf } from './labels.ts';
import { fittingIndicators } from './pushed-indicators.ts';
import { errored, fail, type TaskHandler, type TaskInput, type TaskOutcome, type TaskTools, waiting } from './task.ts';

type Step = Extract<PlannedTask, { name: 'evaluation' }>;

/** A period for one that has neither tests nor a window of its own. */
const DEFAULT_WINDOW_MS = 5 * 60_000;
/** A push asks for a look by itself; this is for what gets lost. */
const ASK_FOR_PUSHES_MS = 10_000;
/** How many pushed events are looked through. */
const PUSHES = 200;

/** Collects the indicators and lets the pure core judge them. A source that cannot be asked is waited for. */
export const evaluation: TaskHandler = {
  name: 'evaluation',
  async run(input, tools) {
    const step = plannedStep(input.sequence, 'evaluation');
    if (!step) return errored('there is nothing to evaluate');
    const outcome = await (step.watch ? watch(input, tools, step, step.watch) : judgeOnce(input, tools, step));
    return withBurnedBudget(input, tools, outcome);
  },
};

async function judgeOnce(input: TaskInput, tools: TaskTools, step: Step): Promise<TaskOutcome> {
  const period = periodOf(input, step);
  const readyMs = Date.parse(period.end) + (step.delayMs ?? 0);
  if (input.now.getTime() < readyMs) return waitUntil(input, readyMs, 'waiting for the metrics to arrive');
  const question = await questionOf(input, tools, step, period);
  return (await waitForPushes(question)) ?? finished(await judge(question, tools), period);
}

/** What was judged so far is in the memo, so that a crash repeats one step at most. */
async function watch(
  input: TaskInput,
  tools: TaskTools,
  step: Step,
  policy: NonNullable<Step['watch']>,
): Promise<TaskOutcome> {
  const startMs = Date.parse(input.task.triggeredAt);
  const steps = (input.task.memo['steps'] ?? []) as unknown as WatchedStep[];
  const move = nextMove(policy, startMs, steps, input.now.getTime(), step.delayMs ?? 0);
  if (move.kind === 'wait') return waitUntil(input, move.untilMs, move.sentence);
  if (move.kind === 'failed') return fail(move.sentence, { steps: toJson<Json>(steps) });
  const { period } = move;
  const question = await questionOf(input, tools, step, period);
  const missing = await waitForPushes(question, input.task.memo);
  if (missing) return missing;
  const verdict = await judge(question, tools);
  if (move.kind === 'whole') return finished(verdict, period, steps);
  const judged = { ...period, result: verdict.result, score: verdict.score, message: verdict.message };
  const done = [...steps, judged];
  const next = nextMove(policy, startMs, done, input.now.getTime(), step.delayMs ?? 0);
  // Judged and ended in one look: what failed must not be asked again and pass.
  if (next.kind === 'failed') return finished({ ...verdict, message: next.sentence }, period, done);
  const sentence = next.kind === 'wait' ? next.sentence : `watching, ${done.length} steps judged`;
  const askAgainMs = next.kind === 'wait' ? Math.max(0, next.untilMs - input.now.getTime()) : 0;
  return waiting({ kind: 'evaluation', sentence, ...untilOf(next) }, askAgainMs, { steps: toJson<Json>(done) });
}

function untilOf(move: ReturnType<typeof nextMove>): { until?: string } {
  return move.kind === 'wait' ? { until: new Date(move.untilMs).toISOString() } : {};
}

function waitUntil({ now, task }: TaskInput, untilMs: number, sentence: string): TaskOutcome {
  const blocker = { kind: 'evaluation', sentence, until: new Date(untilMs).toISOString() } as const;
  return waiting(blocker, Math.max(0, untilMs - now.getTime()), task.memo);
}

async function waitForPushes(question: EvaluationQuestion, memo?: JsonObject): Promise<TaskOutcome | undefined> {
  const [first, ...others] = missingPushes(question);
  if (first === undefined) return undefined;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  const sentence = `waiting until "${first.slice(0, 40)}"${more} is pushed`;
  return waiting({ kind: 'data', sentence }, ASK_FOR_PUSHES_MS, memo);
}

function finished(verdict: Evaluation, period: Period, steps?: readonly WatchedStep[]): TaskOutcome {
  const { result, message } = verdict;
  const data = toJson<JsonObject>({ evaluation: verdict, period, ...(steps === undefined ? {} : { steps }) });
  return { kind: 'finished', status: 'succeeded', result, message, data };
}

function toJson<T extends Json>(value: unknown): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** The tests' own period, where no fixed window is asked for: before and after them nobody was there. */
function periodOf({ sequence, task, now }: TaskInput, { windowMs }: Step): Period {
  const test = finishedTask(sequence, 'test');
  if (windowMs === undefined && test) return { start: String(test.data['start']), end: String(test.data['end']) };
  // Asked again after an outage, the period stays what it was.
  const end = test ? Date.parse(String(test.data['end'])) : Math.min(now.getTime(), Date.parse(task.triggeredAt));
  return { start: new Date(end - (windowMs ?? DEFAULT_WINDOW_MS)).toISOString(), end: new Date(end).toISOString() };
}

async function questionOf(input: TaskInput, tools: TaskTools, step: Step, period: Period): Promise<EvaluationQuestion> {
  const { triggered, signal } = input;
  const { place, context, revision, previousRevision } = triggered;
  const { slo, sli, provider, compareWith, lastPassed } = step;
  const policy = compareWith ?? (lastPassed === undefined ? undefined : { lastPassed });
  const image = imageOf(finishedTask(input.sequence, 'rollout')?.data['images']);
  return {
    definitions: { slo, sli },
    place,
    context,
    revision,
    ...(previousRevision === undefined ? {} : { previousRevision }),
    ...(image === undefined ? {} : { image }),
    period,
    ...(provider === undefined ? {} : { provider }),
    ...(policy === undefined ? {} : { compareWith: policy }),
    figures: await figuresOf(input, tools),
    labels: await labelsOf(tools, place, { slo, sli }, signal),
    signal,
  };
}

/** Of several images nobody can say which one a report has to be about. */
function imageOf(images: Json | undefined): string | undefined {
  const [only, another] = Array.isArray(images) ? images : [];
  return typeof only === 'string' && another === undefined ? only : undefined;
}

/** What was pushed for this change, before what its tests measured: somebody said it on purpose. */
async function figuresOf({ sequence, triggered, now }: TaskInput, tools: TaskTools): Promise<Map<string, number>> {
  const since = sequence.triggered?.at ?? now.toISOString();
  const pushed = fittingIndicators(await tools.history.pushedIndicators(triggered.place, PUSHES), {
    revision: triggered.revision,
    since,
    until: now.toISOString(),
  });
  const reports = (finishedTask(sequence, 'test')?.data['reports'] ?? []) as { indicators: Record<string, number> }[];
  // Of several tests in a stage the last one that has it.
  return new Map([...reports.flatMap(({ indicators }) => Object.entries(indicators)), ...pushed]);
}

/** Keptn's placeholders, by name. */
export function variablesOf(
  { triggered }: Pick<TaskInput, 'triggered'>,
  slo: Slo | undefined,
  period: Period,
): Record<string, string> {
  return queryVariables({ ...triggered, period }, slo);
}
