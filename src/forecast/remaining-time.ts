import { addTo, DRAWS, type Draws, drawStep, noTime } from './draws.ts';
import type { Basis, StepPlace } from './quant.ts';
import type { ForecastQuestion } from './question.ts';
import { getOrAdd, type StepModel, type Whose } from './step-model.ts';

interface Times {
  machine: Draws;
  people: Draws;
}

/** How well something is known. */
export interface Weight {
  /** The weakest of its steps. */
  basis: Basis;
  runs: number;
}

/** Possible futures of what is left to do, people apart from machines. */
export type Remaining = Times & Weight;

export type Known = StepModel['known'];

/** Undefined: one of the steps has no history at all. */
export function drawRemaining(
  known: Known,
  whose: Whose,
  remaining: ForecastQuestion['remaining'],
): Remaining | undefined {
  const sum = nothingLeft();
  for (let at = 0; at < remaining.length; ) {
    const { parallel } = remaining[at] as ForecastQuestion['remaining'][number];
    let end = at + 1;
    while (parallel !== undefined && remaining[end]?.parallel === parallel) end++;
    const stages = new Map<string, Remaining>();
    for (; at < end; at++) {
      const { stage, step } = remaining[at] as StepPlace;
      const one = known(whose, stage, step);
      if (!one) return undefined;
      const chain = parallel === undefined ? sum : getOrAdd(stages, stage, nothingLeft);
      // The running one is at place 0.
      addTo(one.human ? chain.people : chain.machine, drawStep(one.duration, at + 1));
      Object.assign(chain, weaker(chain, one));
    }
    if (stages.size > 0) addAll(sum, [...stages.values()].reduce(slower));
  }
  return sum;
}

export function nothingLeft(): Remaining {
  return { ...drawnApart(), basis: 'service', runs: Number.POSITIVE_INFINITY };
}

export function drawnApart(): Times {
  return { machine: noTime(), people: noTime() };
}

function addAll(sum: Remaining, more: Remaining): void {
  addTo(sum.machine, more.machine);
  addTo(sum.people, more.people);
  Object.assign(sum, weaker(sum, more));
}

const WEAKEST: readonly Basis[] = ['service', 'team', 'all'];

/** One after the other, into the first. */
export function both(first: Remaining, other: Remaining): Remaining {
  addAll(first, other);
  return first;
}

/** At the same time: in each future the one that takes longer. */
function slower(one: Remaining, other: Remaining): Remaining {
  const [machine, people] = [noTime(), noTime()];
  for (let at = 0; at < DRAWS; at++) {
    const lengths = [one, other].map((each) => (each.machine[at] as number) + (each.people[at] as number));
    const longer = (lengths[0] as number) >= (lengths[1] as number) ? one : other;
    machine[at] = longer.machine[at] as number;
    people[at] = longer.people[at] as number;
  }
  return { machine, people, ...weaker(one, other) };
}

export function weaker(one: Weight, other: Weight): { basis: Basis; runs: number } {
  const [first, second] = [WEAKEST.indexOf(one.basis), WEAKEST.indexOf(other.basis)];
  if (first === second) return { basis: one.basis, runs: Math.min(one.runs, other.runs) };
  const { basis, runs } = first > second ? one : other;
  return { basis, runs };
}
