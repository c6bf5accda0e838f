import { AdapterError } from '../base/adapter-error.ts';
import type { JsonObject } from '../base/json.ts';
import { plannedStep } from '../engine/decide.ts';
import type { PlannedTask } from '../engine/plan.ts';
import { finishedTask } from '../engine/sequence.ts';
import { evaluate } from '../slo/evaluate.ts';
import type { IndicatorValue, Slo } from '../slo/evaluation.ts';
import { errored, type TaskHandler, type TaskInput, type TaskOutcome, type TaskTools } from './task.ts';

type Step = Extract<PlannedTask, { name: 'evaluation' }>;

/** A period for one that has neither tests nor a window of its own. */
const DEFAULT_WINDOW_MS = 5 * 60_000;
/** Queries under way at once: a metrics source is shared by everybody. */
const CONCURRENT_QUERIES = 8;

/** Collects the indicators and lets the pure core judge them. A source that cannot be asked is waited for. */
export const evaluation: TaskHandler = {
  name: 'evaluation',
  async run(input, tools) {
    const step = plannedStep(input.sequence, 'evaluation');
    if (!step) return errored('there is nothing to evaluate');
    const period = periodOf(input, step);
    const values = await collect(input, tools, step, period);
    const slo = withPolicy(step.slo, step.lastPassed);
    const earlier = await tools.history.evaluations(input.triggered.place, HISTORY);
    const verdict = evaluate({ slo, values, earlier });
    const data = JSON.parse(JSON.stringify({ evaluation: verdict, period })) as JsonObject;
    const outcome: TaskOutcome = {
      kind: 'finished',
      status: 'succeeded',
      result: verdict.result,
      message: verdict.message,
      data,
    };
    return outcome;
  },
};

/** Enough to find the last N that passed behind a row of failures. */
const HISTORY = 200;

function withPolicy(slo: Slo, lastPassed: number | undefined): Slo {
  return lastPassed === undefined
    ? slo
    : { ...slo, comparison: { ...slo.comparison, count: lastPassed, include: 'pass' } };
}

interface Period {
  start: string;
  end: string;
}

/** The tests' own period, where no fixed window is asked for: before and after them nobody was there. */
function periodOf({ sequence, task, now }: TaskInput, { windowMs }: Step): Period {
  const test = finishedTask(sequence, 'test');
  if (windowMs === undefined && test) return { start: String(test.data['start']), end: String(test.data['end']) };
  // Asked again after an outage, the period stays what it was.
  const end = test ? Date.parse(String(test.data['end'])) : Math.min(now.getTime(), Date.parse(task.triggeredAt));
  return { start: new Date(end - (windowMs ?? DEFAULT_WINDOW_MS)).toISOString(), end: new Date(end).toISOString() };
}

async function collect(input: TaskInput, tools: TaskTools, step: Step, period: Period): Promise<IndicatorValue[]> {
  const wanted = [...new Set(step.slo.objectives.map(({ sli }) => sli))];
  const measured = testIndicators(input);
  const values: IndicatorValue[] = [];
  for (let at = 0; at < wanted.length; at += CONCURRENT_QUERIES) {
    const batch = wanted.slice(at, at + CONCURRENT_QUERIES);
    values.push(
      ...(await Promise.all(batch.map((metric) => readIndicator(input, tools, step, period, metric, measured)))),
    );
  }
  return values;
}

async function readIndicator(
  input: TaskInput,
  tools: TaskTools,
  step: Step,
  period: Period,
  metric: string,
  measured: ReadonlyMap<string, number>,
): Promise<IndicatorValue> {
  const query = step.sli[metric];
  if (query === undefined) {
    const value = measured.get(metric);
    if (value !== undefined) return { metric, ok: true, value };
    return { metric, ok: false, message: 'neither sli.yaml nor a test provides it' };
  }
  const source = tools.metricsSource(step.provider);
  if (!source)
    throw new AdapterError(
      'not-found',
      `the metrics source ${step.provider ?? ''} is not configured`.replace('  ', ' '),
    );
  const reading = await source.read(
    { query, variables: variablesOf(input, step.slo, period), ...period },
    { signal: input.signal },
  );
  return reading.ok ? { metric, ok: true, value: reading.value } : { metric, ok: false, message: reading.message };
}

/** The tests' own figures by name; of several tests in a stage the last one that has it. */
function testIndicators({ sequence }: TaskInput): ReadonlyMap<string, number> {
  const reports = (finishedTask(sequence, 'test')?.data['reports'] ?? []) as { indicators: Record<string, number> }[];
  return new Map(reports.flatMap(({ indicators }) => Object.entries(indicators)));
}

/** Keptn's placeholders, by name. */
export function variablesOf({ triggered }: TaskInput, slo: Slo | undefined, period: Period): Record<string, string> {
  const seconds = Math.max(1, Math.ceil((Date.parse(period.end) - Date.parse(period.start)) / 1000));
  return {
    PROJECT: triggered.place.project,
    STAGE: triggered.place.stage,
    SERVICE: triggered.place.service,
    CONTEXT: triggered.context,
    DEPLOYMENT: 'primary',
    DURATION_SECONDS: `${seconds}s`,
    ...slo?.filter,
  };
}
