import type { Step } from '../answers/step.ts';
import { movedAt, type Run, type RunStep, runData } from '../forecast/run.ts';
import type { Row } from './sequence-document.ts';

/** Where steps belong that CI took before the first stage saw the change. */
export const BEFORE_DELIVERY = 'before delivery';

/** Ids of such rows begin so; they are written once. */
export const REPORTED = 'reported/';

/**
 * What CI did for a change, as a run for forecasts; undefined while a step of it is under way, or none has told its times.
 *
 * @param at when it came to be known, ISO 8601
 */
export function reportedRow(
  of: { change: string; project: string; service: string; team?: string; at: string },
  steps: readonly Step[],
): Row | undefined {
  const before = steps.filter(({ stage }) => stage === undefined);
  if (before.some(({ state }) => state === 'running' || state === 'waiting' || state === 'queued')) return undefined;
  const done = before.map(runStep).filter((step) => step !== undefined);
  const [first] = done;
  if (!first) return undefined;
  done.sort((a, b) => (a.endedAt < b.endedAt ? -1 : 1));
  const { at, ...whose } = of;
  const run: Run = {
    ...whose,
    id: `${REPORTED}${of.change}`,
    stage: BEFORE_DELIVERY,
    startedAt: done.map(({ startedAt }) => startedAt).reduce((a, b) => (b < a ? b : a)),
    endedAt: done.at(-1)?.endedAt ?? first.endedAt,
    outcome: done.some(({ outcome }) => outcome === 'failed') ? 'failed' : 'passed',
    steps: done,
  };
  const { id, project, service, stage, change, outcome } = run;
  const columns = { project, stage, service, context: change, status: outcome };
  return {
    kind: 'steps',
    id,
    version: 1,
    ...columns,
    sort: Math.max(Date.parse(at), movedAt(run)),
    data: runData(run),
  };
}

const OUTCOMES = { passed: 'passed', warning: 'warning', failed: 'failed', superseded: 'superseded' } as const;

function runStep({ key, state, attempt, startedAt, endedAt, detail, human }: Step): RunStep | undefined {
  const outcome = OUTCOMES[state as keyof typeof OUTCOMES];
  if (startedAt === undefined || endedAt === undefined || outcome === undefined) return undefined;
  const cause = outcome === 'failed' && detail !== undefined ? { cause: detail } : {};
  return { step: key, attempt, startedAt, endedAt, outcome, ...cause, human };
}
