import type { Foreseen } from '../answers/answer.ts';
import type { ChangeFacts } from '../answers/change-facts.ts';
import type { Cell } from '../answers/change-row.ts';
import type { Clock } from '../base/clock.ts';
import { afterFailure } from '../forecast/failures.ts';
import type { Journey } from '../forecast/journeys.ts';
import type { StepPlace } from '../forecast/quant.ts';
import type { ForecastQuestion } from '../forecast/question.ts';
import type { Whose } from '../forecast/step-model.ts';
import { warnedBefore } from '../forecast/warnings.ts';
import type { Forecasts } from './forecasts.ts';

type Remaining = ForecastQuestion['remaining'][number];

/** Nothing that is said in minutes moves faster. */
const REMEMBERED_MS = 5_000;
const MOST_REMEMBERED = 2_000;

/** As `foresee`, remembered for some seconds: many look at the same changes again and again. */
export function createForesight(forecasts: Forecasts, clock: Clock): (facts: ChangeFacts) => Foreseen {
  const remembered = new Map<string, { rev: number; at: number; foreseen: Foreseen }>();
  return (facts) => {
    const now = clock.now().getTime();
    const before = remembered.get(facts.id);
    if (before && before.rev === facts.rev && now - before.at < REMEMBERED_MS) return before.foreseen;
    const foreseen = foresee(forecasts, facts);
    if (remembered.size >= MOST_REMEMBERED) remembered.clear();
    remembered.set(facts.id, { rev: facts.rev, at: now, foreseen });
    return foreseen;
  };
}

/** What is said of a change in its row: how long it still takes to its last stage, and how likely it gets there. */
export function foresee(forecasts: Forecasts, facts: ChangeFacts): Foreseen {
  const question = questionOf(forecasts, facts);
  if (!question) return { eta: null, odds: null, ...failedBefore(forecasts, facts) };
  const { eta, odds, stepP90 } = forecasts.for(question);
  const { running } = question;
  const p90 = running && stepP90(running.stage, running.step);
  return { eta, odds, ...(p90 === undefined ? {} : { stepP90: p90 }), ...earlierWarnings(forecasts, facts) };
}

/** Where people are asked because a gate warned: how that ended before. */
function earlierWarnings({ journeys }: Forecasts, facts: ChangeFacts): Pick<Foreseen, 'warnedBefore'> {
  const { id, project, service, team, spots, cells } = facts;
  const { warned } = spots.find((spot) => spot.warned !== undefined) ?? {};
  const target = cells.at(-1)?.stage;
  if (!warned || target === undefined) return {};
  const whose: Whose = { project, service, ...(team === undefined ? {} : { team }) };
  const found = warnedBefore(journeys, whose, id, warned, target);
  return found === undefined ? {} : { warnedBefore: found };
}

/** Of what failed: what became of others that failed like it. */
function failedBefore({ journeys }: Forecasts, facts: ChangeFacts): Pick<Foreseen, 'afterwards'> {
  const { id, project, service, team, over, spots } = facts;
  const spot = spots.find(({ failed }) => failed !== undefined);
  if (over || !spot?.stage || !isStep(spot.step)) return {};
  const whose: Whose = { project, service, ...(team === undefined ? {} : { team }) };
  return { afterwards: afterFailure(journeys, whose, id, { stage: spot.stage, step: spot.step }) };
}

/** Undefined: nothing is under way, or it has failed and nobody knows what people will do about it. */
export function questionOf(forecasts: Forecasts, facts: ChangeFacts): ForecastQuestion | undefined {
  const { project, service, team, cells } = facts;
  const { spots } = facts;
  if (facts.over || spots.some(({ failed, reported }) => failed ?? reported?.state === 'failed')) return undefined;
  const whose: Whose = { project, service, ...(team === undefined ? {} : { team }) };
  const spot = spots.find(({ stage }) => stage !== undefined);
  const running =
    spot?.stage !== undefined && isStep(spot.step)
      ? { stage: spot.stage, step: spot.step, startedAt: spot.since }
      : undefined;
  const remaining = cells.flatMap((cell): Remaining[] => {
    const at = spots.find(({ stage }) => stage === cell.stage);
    if (!at) return isAhead(cell) ? stepsIn(forecasts, whose, cell.stage) : [];
    const from = isStep(at.step) ? at.step : undefined;
    const rest = stepsAfter(stepsIn(forecasts, whose, cell.stage), from);
    return at === spot || from === undefined ? rest : [{ stage: cell.stage, step: from }, ...rest];
  });
  if (!running && remaining.length === 0) return undefined;
  const ahead = spot?.ahead && spot.stage ? aheadOf(forecasts, whose, spot.ahead.change, spot.stage) : undefined;
  return {
    ...whose,
    ...(running ? { running } : {}),
    remaining: forecasts.parallel(whose, remaining, running?.stage),
    ...(cells.some(({ state }) => state === 'warning') ? { warned: true } : {}),
    ...(ahead ? { ahead } : {}),
  };
}

function isStep(step: string): boolean {
  return step !== 'plan' && step !== 'turn';
}

function isAhead({ state }: Cell): boolean {
  return state === 'idle' || state === 'queued' || state === 'waiting' || state === 'running';
}

/** As the last stage that is known does, where nobody has been in this one. */
function stepsIn(forecasts: Forecasts, whose: Whose, stage: string): StepPlace[] {
  const { journeys } = forecasts;
  const known = journeys.stepsOf(whose, stage) ?? stepsOfLast(forecasts, whose) ?? [];
  return known.map((step) => ({ stage, step }));
}

function stepsOfLast({ journeys }: Forecasts, whose: Whose): readonly string[] | undefined {
  for (const stage of journeys.stagesOf(whose).toReversed()) {
    const steps = journeys.stepsOf(whose, stage);
    if (steps !== undefined) return steps;
  }
  return undefined;
}

function stepsAfter(steps: readonly StepPlace[], from: string | undefined): StepPlace[] {
  const at = from === undefined ? -1 : steps.findIndex(({ step }) => step === from);
  return steps.slice(at + 1);
}

/** What the change in front still has to do in this stage. */
function aheadOf(forecasts: Forecasts, whose: Whose, change: string, stage: string): ForecastQuestion['ahead'] {
  const visit = forecasts.journeys.find(whose, change)?.visits.findLast((one) => one.stage === stage);
  const steps = stepsIn(forecasts, whose, stage);
  const left = steps.filter(({ step }) => !visit?.steps.includes(step));
  const [first, ...rest] = left;
  if (!first) return undefined;
  if (visit?.outcome !== 'open') return { ...whose, remaining: left };
  return { ...whose, running: { ...first, startedAt: sinceOf(visit) }, remaining: rest };
}

function sinceOf({ movedAt }: Journey['visits'][number]): string {
  return new Date(movedAt).toISOString();
}
