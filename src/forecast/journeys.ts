import type { Run } from './run.ts';
import { getOrAdd, serviceOf, teamOf, type Whose } from './step-model.ts';

/** A change's time in one stage. */
interface Visit {
  run: string;
  stage: string;
  outcome: Run['outcome'];
  /** Milliseconds since 1970. */
  startedAt: number;
  endedAt?: number;
  /** Steps that it came to, in their order; the same list for all that took the same way. */
  steps: readonly string[];
  /** From which of them on a verdict before was a warning. */
  warnedFrom: number;
}

/** One change through its stages. */
export interface Journey {
  change: string;
  /** When it began, in milliseconds since 1970. */
  at: number;
  visits: Visit[];
}

/** Where a change is: at a step, after a warning or not. */
export interface Standing {
  stage: string;
  step: string;
  warned: boolean;
}

/** The newest changes of every service, its team and everyone, and what became of them. */
export interface Journeys {
  /** A run that is known already takes the place of its earlier self. */
  add(run: Run): void;
  /** Newest first: whether changes that stood there reached a stage and stayed; those of which it is not known left out. */
  outcomes(whose: Whose, circle: 'service' | 'team' | 'all', standing: Standing, target: string): boolean[];
  /** How changes of the service (or its team, or anyone's) go through the stages; undefined: none has gone to an end. */
  way(whose: Whose): { stage: string; steps: readonly string[] }[] | undefined;
}

/** What is taken back later than this is another story. */
export const STAYS_MS = 86_400_000;
/** So many half-lives back a run counts an eighth. */
const HALF_LIVES = 3;
const LEAST_KEPT = 30;
const KEPT_OF_TEAM = 500;
const KEPT_OF_ALL = 2_000;

export function createJourneys(halfLifeRuns: number): Journeys {
  const keptOfService = Math.max(LEAST_KEPT, Math.ceil(HALF_LIVES * halfLifeRuns));
  const known = new Map<string, Journey>();
  const services = new Map<string, Recent>();
  const teams = new Map<string, Recent>();
  const all = recent(KEPT_OF_ALL);
  const ways = new Map<string, readonly string[]>();
  /** By run: when it was taken back. */
  const backs = new Map<string, number>();

  function journeyOf(run: Run): Journey {
    const change = `${serviceOf(run)}\u0000${run.change}`;
    return getOrAdd(known, change, () => {
      const journey: Journey = { change, at: Date.parse(run.startedAt), visits: [] };
      const forget = ({ change: old }: Journey) => known.delete(old);
      getOrAdd(services, serviceOf(run), () => recent(keptOfService, forget)).put(journey);
      getOrAdd(teams, teamOf(run), () => recent(KEPT_OF_TEAM)).put(journey);
      all.put(journey);
      return journey;
    });
  }

  function outcomeOf({ visits }: Journey, standing: Standing, target: string): boolean | undefined {
    if (!visits.some((visit) => stood(visit, visits, standing))) return undefined;
    const there = visits.find(({ stage, outcome }) => stage === target && arrived(outcome));
    if (there) return !isTakenBack(there);
    if (visits.some(({ outcome }) => outcome === 'open' || outcome === 'superseded')) return undefined;
    return visits.some(({ outcome }) => outcome === 'failed' || outcome === 'aborted') ? false : undefined;
  }

  function isTakenBack({ run, endedAt = 0 }: Visit): boolean {
    const back = backs.get(run);
    return back !== undefined && back - endedAt <= STAYS_MS;
  }

  return {
    add(run) {
      if (run.back) {
        if (run.back.of !== undefined) backs.set(run.back.of, Date.parse(run.startedAt));
        return;
      }
      const journey = journeyOf(run);
      journey.at = Math.min(journey.at, Date.parse(run.startedAt));
      const visit = visitOf(run, ways);
      const before = journey.visits.findIndex(({ run: id }) => id === run.id);
      if (before >= 0) journey.visits[before] = visit;
      else journey.visits.push(visit);
      journey.visits.sort((a, b) => a.startedAt - b.startedAt);
    },
    outcomes(whose, circle, standing, target) {
      const found =
        circle === 'all' ? all : circle === 'team' ? teams.get(teamOf(whose)) : services.get(serviceOf(whose));
      return (found?.newestFirst() ?? [])
        .map((journey) => outcomeOf(journey, standing, target))
        .filter((outcome) => outcome !== undefined);
    },
    way(whose) {
      for (const circle of [services.get(serviceOf(whose)), teams.get(teamOf(whose)), all]) {
        const journeys = circle?.newestFirst() ?? [];
        const passed = journeys.filter(({ visits }) => visits.every(({ outcome }) => arrived(outcome)));
        // The longest of the newest ones: what is under way has not been everywhere yet.
        const longest = passed.slice(0, LEAST_KEPT).reduce(longer, undefined);
        if (longest) return longest.visits.map(({ stage, steps }) => ({ stage, steps }));
      }
      return undefined;
    },
  };
}

function longer(best: Journey | undefined, journey: Journey): Journey {
  return best === undefined || journey.visits.length > best.visits.length ? journey : best;
}

function arrived(outcome: Run['outcome']): boolean {
  return outcome === 'passed' || outcome === 'warning';
}

function stood(visit: Visit, visits: readonly Visit[], { stage, step, warned }: Standing): boolean {
  if (visit.stage !== stage) return false;
  const at = visit.steps.indexOf(step);
  if (at < 0) return false;
  const earlier = visits.some(({ outcome, startedAt }) => outcome === 'warning' && startedAt < visit.startedAt);
  return warned === (earlier || at >= visit.warnedFrom);
}

function visitOf(run: Run, ways: Map<string, readonly string[]>): Visit {
  const steps = [...new Set(run.steps.map(({ step }) => step))];
  const warning = run.steps.find(({ outcome }) => outcome === 'warning');
  return {
    run: run.id,
    stage: run.stage,
    outcome: run.outcome,
    startedAt: Date.parse(run.startedAt),
    ...(run.endedAt === undefined ? {} : { endedAt: Date.parse(run.endedAt) }),
    steps: getOrAdd(ways, steps.join('\u0000'), () => steps),
    warnedFrom: warning ? steps.indexOf(warning.step) + 1 : steps.length,
  };
}

/** The newest of what is put in; the order is looked after when it is asked for. */
interface Recent {
  put(journey: Journey): void;
  newestFirst(): readonly Journey[];
}

function recent(kept: number, forget: (journey: Journey) => void = () => {}): Recent {
  let journeys: Journey[] = [];
  let sorted = true;
  const tidy = () => {
    if (sorted) return;
    journeys.sort((a, b) => b.at - a.at);
    for (const old of journeys.slice(kept)) forget(old);
    journeys = journeys.slice(0, kept);
    sorted = true;
  };
  return {
    put(journey) {
      journeys.push(journey);
      sorted = false;
      if (journeys.length > 2 * kept) tidy();
    },
    newestFirst() {
      tidy();
      return journeys;
    },
  };
}
