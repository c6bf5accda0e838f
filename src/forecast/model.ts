import { addTo, drawRest, quantileOf, spreadOf, tailAfter } from './draws.ts';
import { decayOf } from './durations.ts';
import { createJourneys, type Journeys, type Standing } from './journeys.ts';
import { credibleShare, shrunkShare, type Tally, tallyOf } from './odds.ts';
import { type Basis, type Quant, type StepPlace, stepKey } from './quant.ts';
import { type Forecast, type ForecastQuestion, NO_HISTORY } from './question.ts';
import {
  both,
  drawnApart,
  drawRemaining,
  type Known,
  nothingLeft,
  type Remaining,
  type Weight,
  weaker,
} from './remaining-time.ts';
import type { Run } from './run.ts';
import {
  createStepModel,
  ENOUGH_RUNS,
  getOrAdd,
  type KnownStep,
  type StepModel,
  serviceOf,
  teamOf,
  USUALLY_PASSES,
  type Whose,
} from './step-model.ts';
import { sayMedian, sayOdds, sayQuant, sayRounded } from './words.ts';

/** What was learnt from past runs, and what it says of changes under way. */
export interface ForecastModel {
  readonly steps: StepModel;
  readonly journeys: Journeys;
  /** Learns what of a run is newer than `since` (milliseconds since 1970). */
  add(run: Run, since?: number): void;
  addOlder(run: Run): void;
  /** What is remembered of services is worked out anew: until then, what was learnt of others does not move them. */
  forget(): void;
  /**
   * @param now milliseconds since 1970
   * @param hidden why forecasts of this service are not shown; plain history is shown instead
   */
  forecast(question: ForecastQuestion, now: number, hidden?: string): Forecast;
}

const SLOW = 0.1;
/** Of one service: its changes stand at a handful of steps at a time. Draws take 4 kB each, the rest hardly any. */
const MOST_DRAWN = 8;
const MOST_CACHED = 200;
const MOST_REMEMBERED = 300;

interface Memory {
  drawn: Map<string, Remaining | undefined>;
  likely: Map<string, Forecast['odds']>;
  known: Map<string, KnownStep | undefined>;
}

export function createForecastModel(options: { halfLifeRuns: number }): ForecastModel {
  const steps = createStepModel(options.halfLifeRuns);
  const journeys = createJourneys(options.halfLifeRuns);
  const decay = decayOf(options.halfLifeRuns);
  /** What was worked out for a service; goes when something of it is learnt. */
  const memories = new Map<string, Memory>();
  /** By team: what became of the changes of others. */
  const strangers = new Map<string, Tally>();

  function memoryOf(whose: Whose): Memory {
    if (memories.size >= MOST_REMEMBERED) memories.clear();
    return getOrAdd(memories, serviceOf(whose), () => ({ drawn: new Map(), likely: new Map(), known: new Map() }));
  }

  function remember<V>(cache: Map<string, V>, key: string, make: () => V, most: number = MOST_CACHED): V {
    if (cache.has(key)) return cache.get(key) as V;
    if (cache.size >= most) cache.clear();
    const made = make();
    cache.set(key, made);
    return made;
  }

  function known(whose: Whose, stage: string, step: string): KnownStep | undefined {
    const key = `${teamOf(whose)}\u0000${stepKey(stage, step)}`;
    return remember(memoryOf(whose).known, key, () => steps.known(whose, stage, step));
  }

  function forecast(question: ForecastQuestion, now: number, hidden?: string): Forecast {
    const { running, remaining } = question;
    const all = [...(running ? [running] : []), ...remaining];
    const nothing = all.length === 0;
    return {
      eta: nothing ? null : etaOf(question, now, hidden),
      odds: nothing ? null : remember(memoryOf(question).likely, keyOf(question), () => oddsOf(question, all)),
      // Rows do not ask for it.
      get expected() {
        return expectedOf(known, question, all);
      },
      stepP90(stage, step) {
        const one = known(question, stage, step);
        return one && quantileOf(one.duration, 1 - SLOW);
      },
    };
  }

  function etaOf(question: ForecastQuestion, now: number, hidden: string | undefined): NonNullable<Forecast['eta']> {
    const left = timesOf(question, now);
    const ahead = question.ahead ? timesOf(question.ahead, now) : undefined;
    if (!left || (question.ahead && !ahead)) return { text: NO_HISTORY };
    const sum = ahead ? both(both(nothingLeft(), ahead), left) : left;
    const total = Float64Array.from(sum.machine);
    addTo(total, sum.people);
    const [machine, people, whole] = [sum.machine, sum.people, total].map((draws) => ({
      ...spreadOf(draws),
      n: left.runs,
    })) as [Quant, Quant, Quant];
    if (hidden !== undefined) return { text: `usually ${sayRounded(whole.p50)}; no forecast: ${hidden}` };
    const text = `${sayMedian(left.basis)}${sayQuant(whole)}${isSlow(question, now) ? ', slower than 9 of 10' : ''}`;
    return { ...(machine.p90 > 0 ? { machine } : {}), ...(people.p90 > 0 ? { people } : {}), total: whole, text };
  }

  function timesOf(question: ForecastQuestion, now: number): Remaining | undefined {
    const { running, ...later } = question;
    const rest = remember(
      memoryOf(question).drawn,
      keyOf(later),
      () => drawRemaining(known, question, later.remaining),
      MOST_DRAWN,
    );
    if (!rest || !running) return rest;
    const step = known(question, running.stage, running.step);
    if (!step) return undefined;
    const elapsed = Math.max(0, (now - Date.parse(running.startedAt)) / 1000);
    const first = { ...drawnApart(), basis: step.basis, runs: step.runs };
    addTo(step.human ? first.people : first.machine, drawRest(step.duration, elapsed, 0));
    return both(first, rest);
  }

  function isSlow(question: ForecastQuestion, now: number): boolean {
    const { running } = question;
    const step = running && known(question, running.stage, running.step);
    if (!step) return false;
    return tailAfter(step.duration, (now - Date.parse(running.startedAt)) / 1000) < SLOW;
  }

  function oddsOf(question: ForecastQuestion, all: readonly StepPlace[]): Forecast['odds'] {
    const way = all.map(({ stage, step }) => known(question, stage, step));
    const [first, last] = [all[0], all.at(-1)] as [StepPlace, StepPlace];
    const standing: Standing = { stage: first.stage, step: first.step, warned: question.warned ?? false };
    const tally = (circle: Basis) => tallyOf(journeys.outcomes(question, circle, standing, last.stage), decay);
    const [own, team] = [tally('service'), tally('team')];
    const everyone = remember(strangers, JSON.stringify([teamOf(question), standing, last.stage]), () => tally('all'));
    if (own.runs + team.runs + everyone.runs === 0 && way.includes(undefined)) return null;
    const chain = way.reduce((product, step) => product * (step?.passes ?? USUALLY_PASSES), 1);
    const share = credibleShare(own, shrunkShare(team, shrunkShare(everyone, chain)));
    const whose = basisOf(own, team, everyone, way);
    return { ...share, ...whose, text: sayOdds({ ...share, ...whose }) };
  }

  return {
    steps,
    journeys,
    forecast,
    forget() {
      memories.clear();
      strangers.clear();
    },
    add(run, since) {
      memories.delete(serviceOf(run));
      steps.add(run, since);
      journeys.add(run);
    },
    addOlder(run) {
      memories.delete(serviceOf(run));
      steps.addOlder(run);
      journeys.add(run);
    },
  };
}

/** Time does not move in here: the running step is drawn anew for every question. */
function keyOf({ project, service, team, running, remaining, warned }: Partial<ForecastQuestion>): string {
  const steps = remaining?.map(({ stage, step, parallel }) => [stage, step, parallel]);
  return JSON.stringify([project, service, team, running?.stage, running?.step, steps, warned]);
}

function expectedOf(known: Known, whose: Whose, all: readonly StepPlace[]): Map<string, Quant> {
  const found = new Map<string, Quant>();
  for (const { stage, step } of all) {
    const quant = quantOf(known(whose, stage, step));
    if (quant) found.set(stepKey(stage, step), quant);
  }
  return found;
}

/** How long a step takes as a whole. */
export function quantOf(known: KnownStep | undefined): Quant | undefined {
  if (!known) return undefined;
  const [p10, p50, p90] = [0.1, 0.5, 0.9].map((share) => quantileOf(known.duration, share)) as [number, number, number];
  return { p10, p50, p90, n: known.runs };
}

function basisOf(
  own: Tally,
  team: Tally,
  everyone: Tally,
  known: readonly (KnownStep | undefined)[],
): { basis: Basis; n: number } {
  const others = team.runs + everyone.runs;
  if (own.runs >= ENOUGH_RUNS || (own.runs > 0 && others === 0)) return { basis: 'service', n: own.runs };
  if (team.runs > 0) return { basis: 'team', n: team.runs };
  if (everyone.runs > 0) return { basis: 'all', n: everyone.runs };
  // Nobody has stood here: the product of the steps' own shares, as well known as the least known of them.
  const [first, ...rest] = known.filter((step) => step !== undefined);
  const { basis, runs } = rest.reduce<Weight>(weaker, first ?? { basis: 'all', runs: 0 });
  return { basis, n: runs };
}
