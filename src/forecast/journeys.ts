import type { Run } from './run.ts';
import { getOrAdd, serviceOf, teamOf, type Whose } from './step-model.ts';
import { causesIn } from './step-records.ts';

/** A change's time in one stage. */
interface Visit {
  run: string;
  stage: string;
  outcome: Run['outcome'];
  /** Milliseconds since 1970. */
  startedAt: number;
  endedAt?: number;
  /** When its last step ended, or it began. */
  movedAt: number;
  /** Steps that it came to, in their order; the same list for all that took the same way. */
  steps: readonly string[];
  /** From which of them on a verdict before was a warning. */
  warnedFrom: number;
  /** At which step it failed, or somebody ended it. */
  failure?: VisitFailure;
  /** Objectives that the evaluation warned of. */
  warnings?: readonly string[];
}

interface VisitFailure {
  step: string;
  /** Milliseconds since 1970. */
  at: number;
  /** When the very same visit went past it, as somebody had it taken up again. */
  pastAt?: number;
}

/** One change through its stages. */
export interface Journey {
  change: string;
  service: string;
  team: string;
  /** When it began, in milliseconds since 1970. */
  at: number;
  visits: Visit[];
}

function keyOf(whose: Whose, change: string): string {
  return `${serviceOf(whose)}\u0000${change}`;
}

/** Whether it is the journey of this change, whatever the service. */
export function isJourneyOf({ change: key }: Journey, change: string): boolean {
  return key.endsWith(`\u0000${change}`);
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
  /**
   * Newest first: whether changes that stood there reached a stage and stayed; those of which it is not known left out.
   * Those of the service, of the other services of its team, or of other teams: nobody is their own example.
   */
  outcomes(whose: Whose, circle: 'service' | 'team' | 'all', standing: Standing, target: string): Iterable<boolean>;
  /** What a change does in a stage, as the newest one did that passed it: of the service, else of its team, else of anyone. */
  stepsOf(whose: Whose, stage: string): readonly string[] | undefined;
  /** The stages of the service in their order, as its changes went through them; else those of its team or of anyone. */
  stagesOf(whose: Whose): string[];
  /** Whether changes are in both stages at the same time. */
  areParallel(whose: Whose, stages: readonly [string, string]): boolean;
  /** The newest changes of the service, or of its team. */
  newest(whose: Whose, circle: 'service' | 'team'): readonly Journey[];
  /** A change that is known. */
  find(whose: Whose, change: string): Journey | undefined;
  /** Whether it arrived in a stage and stayed (`true`), will not (`false`), or nobody knows yet; and when it was there. */
  fate(journey: Journey, target: string): { arrivedAt?: number; arrived?: boolean; overtaken?: true };
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
    const change = keyOf(run, run.change);
    return getOrAdd(known, change, () => {
      const journey: Journey = {
        change,
        service: serviceOf(run),
        team: teamOf(run),
        at: Date.parse(run.startedAt),
        visits: [],
      };
      const forget = ({ change: old }: Journey) => known.delete(old);
      getOrAdd(services, serviceOf(run), () => recent(keptOfService, forget)).put(journey);
      getOrAdd(teams, teamOf(run), () => recent(KEPT_OF_TEAM)).put(journey);
      all.put(journey);
      return journey;
    });
  }

  function outcomeOf(journey: Journey, standing: Standing, target: string): boolean | undefined {
    const { visits } = journey;
    if (!visits.some((visit) => stood(visit, visits, standing))) return undefined;
    return fate(journey, target).arrived;
  }

  function fate({ visits }: Journey, target: string): ReturnType<Journeys['fate']> {
    const there = visits.find(({ stage, outcome }) => stage === target && arrived(outcome));
    if (there) return { arrivedAt: there.endedAt as number, arrived: !isTakenBack(there) };
    if (visits.some(({ outcome }) => outcome === 'open')) return {};
    if (visits.some(({ outcome }) => outcome === 'superseded')) return { overtaken: true };
    return visits.some(({ outcome }) => outcome === 'failed' || outcome === 'aborted') ? { arrived: false } : {};
  }

  function* circles(whose: Whose): Generator<readonly Journey[]> {
    for (const circle of [services.get(serviceOf(whose)), teams.get(teamOf(whose)), all])
      if (circle) yield circle.newestFirst();
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
    *outcomes(whose, circle, standing, target) {
      const found =
        circle === 'all' ? all : circle === 'team' ? teams.get(teamOf(whose)) : services.get(serviceOf(whose));
      const [service, team] = [serviceOf(whose), teamOf(whose)];
      for (const journey of found?.newestFirst() ?? []) {
        if (circle === 'team' ? journey.service === service : circle === 'all' && journey.team === team) continue;
        const outcome = outcomeOf(journey, standing, target);
        if (outcome !== undefined) yield outcome;
      }
    },
    stepsOf(whose, stage) {
      for (const journeys of circles(whose)) {
        const isSuch = (visit: Visit) => visit.stage === stage && arrived(visit.outcome);
        const found = journeys.find(({ visits }) => visits.some(isSuch))?.visits.find(isSuch);
        if (found) return found.steps;
      }
      return undefined;
    },
    stagesOf(whose) {
      for (const journeys of circles(whose)) {
        // The longest of the newest ones: what is under way has not been everywhere yet.
        const ways = journeys.slice(0, LEAST_KEPT).map(({ visits }) => [...new Set(visits.map(({ stage }) => stage))]);
        if (ways.length > 0) return ways.reduce((a, b) => (b.length > a.length ? b : a));
      }
      return [];
    },
    areParallel(whose, [one, other]) {
      const both = services
        .get(serviceOf(whose))
        ?.newestFirst()
        .map(({ visits }) => [one, other].map((name) => visits.find(({ stage }) => stage === name)))
        .find((pair): pair is [Visit, Visit] => pair.every((visit) => visit?.endedAt !== undefined));
      if (!both) return false;
      const [first, second] = both.toSorted((a, b) => a.startedAt - b.startedAt) as [Visit, Visit];
      // The next stage may see a change a moment before the one that promoted it knows.
      return second.startedAt < (first.startedAt + (first.endedAt as number)) / 2;
    },
    newest: (whose, circle) =>
      (circle === 'team' ? teams.get(teamOf(whose)) : services.get(serviceOf(whose)))?.newestFirst() ?? [],
    find: (whose, change) => known.get(keyOf(whose, change)),
    fate,
  };
}

/** Whether a visit was good enough. */
export function arrived(outcome: Run['outcome']): boolean {
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
  const failure = failureIn(run, steps);
  return {
    run: run.id,
    stage: run.stage,
    outcome: run.outcome,
    startedAt: Date.parse(run.startedAt),
    ...(run.endedAt === undefined ? {} : { endedAt: Date.parse(run.endedAt) }),
    movedAt: Date.parse(run.steps.at(-1)?.endedAt ?? run.startedAt),
    steps: getOrAdd(ways, steps.join('\u0000'), () => steps),
    warnedFrom: warning ? steps.indexOf(warning.step) + 1 : steps.length,
    ...(failure === undefined ? {} : { failure }),
    ...warningsIn(run),
  };
}

function warningsIn({ steps }: Run): Pick<Visit, 'warnings'> {
  const warned = steps.findLast(({ step, outcome }) => step === 'evaluation' && outcome === 'warning');
  return warned?.cause === undefined ? {} : { warnings: causesIn(warned.cause) };
}

/** Of a promotion that was taken up again it is known within the visit that it had failed. */
function failureIn({ outcome, endedAt, steps: done }: Run, steps: readonly string[]): VisitFailure | undefined {
  const own = done.filter(({ step }) => step !== 'rollback');
  const failed = own.findLast((one) => one.outcome === 'failed' || one.outcome === 'aborted');
  const isEnd = outcome === 'failed' || outcome === 'aborted';
  const step = (failed ?? (isEnd ? own.at(-1) : undefined))?.step;
  if (step === undefined) return undefined;
  // The same text for all, instead of one for each row that was read.
  const shared = steps.find((one) => one === step) ?? step;
  if (isEnd) return endedAt === undefined ? undefined : { step: shared, at: Date.parse(endedAt) };
  const past = own.slice(own.indexOf(failed as (typeof own)[number]) + 1).find((one) => one.step === step);
  if (!past || !arrived(outcome)) return undefined;
  return { step: shared, at: Date.parse((failed as (typeof own)[number]).endedAt), pastAt: Date.parse(past.endedAt) };
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
