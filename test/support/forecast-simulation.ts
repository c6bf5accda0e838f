import { createForecastModel, type ForecastModel } from '../../src/forecast/model.ts';
import { type Chance, chance, lengthOf, type Place, simulatedRun, type TrueStep } from './simulated-runs.ts';

/** Middle durations in seconds; people are slow, and the slowest of them very much so. */
export const STEPS = { checks: 5, approval: 1200, sync: 40, rollout: 90, test: 60, evaluation: 300 } as const;
export const REMAINING = Object.keys(STEPS).map((step) => ({ stage: 'prod', step }));
/** So many runs each. */
export const HISTORY = [3, 5, 10, 20, 50];
const FUTURES = 4;

export interface Truth {
  name: string;
  /** How far one run of a step is from its middle, in logarithms. */
  noise(random: Chance, human: boolean): number;
}

export const LOG_NORMAL: Truth = {
  name: 'log-normal',
  noise: (random, human) => (human ? 1.2 : 0.35) * random.normal(),
};
export const HEAVY: Truth = {
  name: 'heavier tails',
  noise(random, human) {
    const squares = Array.from({ length: 4 }, () => random.normal() ** 2).reduce((a, b) => a + b);
    return ((human ? 1.2 : 0.35) * random.normal()) / Math.sqrt(squares / 4);
  },
};
/** One in five takes six times as long: two humps, which no bell fits. */
export const MIXTURE: Truth = {
  name: 'a mixture',
  noise: (random) => (random.uniform() < 0.8 ? 0.2 * random.normal() : 1.8 + 0.4 * random.normal()),
};

export interface Service {
  place: Place;
  steps: TrueStep[];
  totals: number[];
}

/** Services with as many runs each as they say; teams differ, and services of a team. */
export function world(seed: number, truth: Truth, runs: number, teams: number, each: number) {
  const random = chance(seed);
  const model = createForecastModel({ halfLifeRuns: 20 });
  const services: Service[] = [];
  for (let team = 0; team < teams; team++) {
    const middles = Object.entries(STEPS).map(([, seconds]) => Math.log(seconds) + 0.4 * random.normal());
    for (let at = 0; at < each; at++) {
      const place = { project: 'shop', service: `s${team}-${at}`, team: `t${team}`, stage: 'prod' };
      const steps = Object.keys(STEPS).map((step, place): TrueStep => {
        const [middle, human] = [(middles[place] as number) + 0.5 * random.normal(), step === 'approval'];
        return { step, human, passes: 1, seconds: () => Math.exp(middle + truth.noise(random, human)) };
      });
      services.push({ place, steps, totals: [] });
    }
  }
  for (let at = 0; at < runs; at++) {
    for (const { place, steps, totals } of services) {
      const run = simulatedRun(place, steps, at, random);
      totals.push(lengthOf(run));
      model.add(run);
    }
  }
  return { random, model, services };
}

/** How often the truth lay in the range that was said to hold 80 % of it: ours, and plain percentiles of past totals. */
export function coverage(truth: Truth, runs: number, teams: number, each: number, worlds: number) {
  let [ours, plain, late, all] = [0, 0, 0, 0];
  for (let seed = 1; seed <= worlds; seed++) {
    const { random, model, services } = world(seed, truth, runs, teams, each);
    for (const { place, steps, totals } of services) {
      const total = model.forecast({ ...place, remaining: REMAINING }, 0).eta?.total;
      if (!total) throw new Error('no forecast');
      const [low, high] = [percentile(totals, 0.1), percentile(totals, 0.9)];
      for (let future = 0; future < FUTURES; future++) {
        const seconds = lengthOf(simulatedRun(place, steps, 1000 + future, random));
        all++;
        if (seconds >= total.p10 && seconds <= total.p90) ours++;
        if (seconds > total.p90) late++;
        if (seconds >= low && seconds <= high) plain++;
      }
    }
  }
  return { ours: (100 * ours) / all, plain: (100 * plain) / all, late: (100 * late) / all, all };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number];
  return low + (high - low) * (place - Math.floor(place));
}

export interface Odds {
  covered: number;
  rmse: number;
  brier: number;
}

/** Two services' worth of neighbours, and what is said after so many runs: ours, and k of n with Wald's interval. */
export function oddsAfter(
  runs: number,
  shares: (random: Chance) => { before: number; now: number },
  { lastRuns = 0, worlds = 25 }: { lastRuns?: number; worlds?: number } = {},
) {
  const score = () => ({ covered: 0, squares: 0, brier: 0 });
  const [ours, plain] = [score(), score()];
  let all = 0;
  for (let seed = 1; seed <= worlds; seed++) {
    const random = chance(seed);
    const model = createForecastModel({ halfLifeRuns: 20 });
    const services = Array.from({ length: 8 }, (_, at) => ({ ...shares(random), name: `s${at}`, arrived: 0 }));
    for (let at = 0; at < runs; at++) {
      for (const service of services) {
        const passes = at < runs - lastRuns ? service.before : service.now;
        const run = simulatedRun(placeOf(service.name), chain(passes), at, random);
        if (run.outcome === 'passed') service.arrived++;
        model.add(run);
      }
    }
    for (const { now, name, arrived } of services) {
      all++;
      judge(ours, oddsOf(model, name), now);
      const p = arrived / runs;
      const wald = 1.2816 * Math.sqrt((p * (1 - p)) / runs);
      judge(plain, { p, lo: p - wald, hi: p + wald }, now);
    }
  }
  const mean = ({ covered, squares, brier }: ReturnType<typeof score>): Odds => ({
    covered: (100 * covered) / all,
    rmse: Math.sqrt(squares / all),
    brier: brier / all,
  });
  return { ours: mean(ours), plain: mean(plain) };
}

function placeOf(service: string): Place {
  return { project: 'shop', service, team: 't', stage: 'prod' };
}

/** Three steps that pass together as often as is said. */
function chain(share: number): TrueStep[] {
  const passes = share ** (1 / 3);
  return ['sync', 'test', 'evaluation'].map((step) => ({ step, human: false, passes, seconds: () => 60 }));
}

function oddsOf(model: ForecastModel, service: string) {
  const remaining = ['sync', 'test', 'evaluation'].map((step) => ({ stage: 'prod', step }));
  const { odds } = model.forecast({ ...placeOf(service), remaining }, 0);
  if (!odds) throw new Error('no odds');
  return odds;
}

/** Brier's score against the expectation of what happens, not against one toss of the coin. */
function judge(
  sum: { covered: number; squares: number; brier: number },
  said: { p: number; lo: number; hi: number },
  truth: number,
): void {
  if (truth >= said.lo && truth <= said.hi) sum.covered++;
  sum.squares += (said.p - truth) ** 2;
  sum.brier += truth * (1 - said.p) ** 2 + (1 - truth) * said.p ** 2;
}

/** Most services are good, some are not, and each stays as it is. */
export function steady(random: Chance): { before: number; now: number } {
  const share = 0.98 - 0.25 * random.uniform() ** 2;
  return { before: share, now: share };
}
