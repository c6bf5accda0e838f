import {
  addNewer,
  addOlder,
  type Belief,
  beliefFrom,
  type DurationStats,
  decayOf,
  emptyPool,
  IGNORANCE,
  type LogStudent,
  noDurations,
  type Pool,
  poolIn,
  predict,
  without,
  withoutPool,
} from './durations.ts';
import { noTally, shrunkShare, type Tally } from './odds.ts';
import { type Basis, stepKey } from './quant.ts';
import type { Run, RunStep } from './run.ts';

/** Whose change it is. */
export interface Whose {
  project: string;
  service: string;
  /** Absent: the project stands for it. */
  team?: string;
}

/** What is known of a step of a service. */
export interface KnownStep {
  duration: LogStudent;
  human: boolean;
  /** Whose history it mainly is, and how many runs that is. */
  basis: Basis;
  runs: number;
  /** 0..1, drawn towards that of others. */
  passes: number;
}

/** Durations and verdicts of every step of every service, learnt run by run. Grows with steps, not with runs. */
export interface StepModel {
  /** Adds the steps of a run that ended after `since` (milliseconds since 1970), in their order. */
  add(run: Run, since?: number): void;
  /** The same of a run that ended before all others that are known. */
  addOlder(run: Run): void;
  /** Undefined: nobody has ever done such a step. */
  known(whose: Whose, stage: string, step: string): KnownStep | undefined;
}

/** Fewer effective runs are not a history of its own. */
export const ENOUGH_RUNS = 3;
/** Most steps pass. */
export const USUALLY_PASSES = 0.95;

interface Member {
  durations: DurationStats;
  tally: Tally;
  human: boolean;
}

interface Group {
  pool: Pool;
  tally: Tally;
  human: boolean;
}

interface Team extends Group {
  members: Map<string, Member>;
}

interface Everyone extends Group {
  teams: Map<string, Team>;
}

export function createStepModel(halfLifeRuns: number): StepModel {
  const decay = decayOf(halfLifeRuns);
  const steps = new Map<string, Everyone>();
  /** By the step's name alone: a stage that nobody has been in yet is like other stages. */
  const anywhere = new Map<string, Group>();

  function placeOf(run: Run, step: string): { groups: Group[]; member: Member } {
    const everyone = getOrAdd(steps, stepKey(run.stage, step), () => ({ ...emptyGroup(), teams: new Map() }));
    const team = getOrAdd(everyone.teams, teamOf(run), () => ({ ...emptyGroup(), members: new Map() }));
    const member = getOrAdd(team.members, serviceOf(run), emptyMember);
    return { groups: [everyone, team, getOrAdd(anywhere, step, emptyGroup)], member };
  }

  function learn(run: Run, step: RunStep, older: boolean): void {
    const verdict = verdictOf(step);
    const seconds = (Date.parse(step.endedAt) - Date.parse(step.startedAt)) / 1000;
    // One time that is none would spoil everybody's.
    if (verdict === undefined || !Number.isFinite(seconds)) return;
    const { groups, member } = placeOf(run, step.step);
    for (const { pool, tally } of groups) {
      poolIn(pool, member.durations, -1);
      count(tally, member.tally, -1);
    }
    if (verdict) (older ? addOlder : addNewer)(member.durations, seconds, decay);
    score(member.tally, verdict, older, decay);
    if (!older || member.tally.runs === 1) member.human = step.human;
    for (const group of groups) {
      poolIn(group.pool, member.durations, 1);
      count(group.tally, member.tally, 1);
      group.human = member.human;
    }
  }

  return {
    add(run, since = Number.NEGATIVE_INFINITY) {
      if (run.back) return;
      for (const step of run.steps) if (Date.parse(step.endedAt) > since) learn(run, step, false);
    },
    addOlder(run) {
      if (!run.back) for (const step of run.steps.toReversed()) learn(run, step, true);
    },
    known(whose, stage, step) {
      const all = anywhere.get(step);
      if (!all || all.pool.runs === 0) return undefined;
      const everyone = steps.get(stepKey(stage, step));
      const team = everyone?.teams.get(teamOf(whose));
      const member = team?.members.get(serviceOf(whose)) ?? NOBODY;
      const belief = beliefOf({ all, everyone, team, member });
      const { basis, runs } = basisOf(all, team, member);
      return {
        duration: predict(member.durations, belief),
        human: member.tally.runs > 0 ? member.human : (team ?? everyone ?? all).human,
        basis,
        runs,
        passes: passShare({ all, everyone, team, member }),
      };
    },
  };
}

interface Relatives {
  all: Group;
  everyone: Everyone | undefined;
  team: Team | undefined;
  member: Member;
}

/** From the farthest relatives to the nearest; each without those that come after it. */
function beliefOf({ all, everyone, team, member }: Relatives): Belief {
  if (!everyone) return beliefFrom(all.pool, IGNORANCE);
  const others = team ? withoutPool(everyone.pool, team.pool) : everyone.pool;
  const strangers = others.members === 0 ? IGNORANCE : beliefFrom(others, IGNORANCE);
  return team ? beliefFrom(without(team.pool, member.durations), strangers) : strangers;
}

/** As with durations, each circle without the one inside it. */
function passShare({ all, everyone, team, member }: Relatives): number {
  const circles = [all.tally, everyone?.tally ?? noTally(), team?.tally ?? noTally(), member.tally, noTally()];
  return circles
    .slice(0, -1)
    .map((tally, at) => tallyWithout(tally, circles[at + 1] as Tally))
    .reduce((prior, tally) => shrunkShare(tally, prior), USUALLY_PASSES);
}

function tallyWithout({ arrived, failed, runs }: Tally, part: Tally): Tally {
  // What is left of adding and taking away is never quite nothing.
  return {
    arrived: Math.max(0, arrived - part.arrived),
    failed: Math.max(0, failed - part.failed),
    runs: runs - part.runs,
  };
}

function basisOf(all: Group, team: Team | undefined, { durations }: Member): { basis: Basis; runs: number } {
  if (durations.weight >= ENOUGH_RUNS || durations.runs === all.pool.runs)
    return { basis: 'service', runs: durations.runs };
  if (team && team.pool.runs > durations.runs) return { basis: 'team', runs: team.pool.runs };
  return { basis: 'all', runs: all.pool.runs };
}

/** Undefined: it was broken off, and would have ended some day. */
function verdictOf({ outcome }: RunStep): boolean | undefined {
  if (outcome === 'failed') return false;
  return outcome === 'passed' || outcome === 'warning' ? true : undefined;
}

function score(tally: Tally, passed: boolean, older: boolean, decay: number): void {
  const weight = older ? decay ** tally.runs : 1;
  if (!older) {
    tally.arrived *= decay;
    tally.failed *= decay;
  }
  if (passed) tally.arrived += weight;
  else tally.failed += weight;
  tally.runs += 1;
}

function count(tally: Tally, { arrived, failed, runs }: Tally, sign: 1 | -1): void {
  tally.arrived += sign * arrived;
  tally.failed += sign * failed;
  tally.runs += sign * runs;
}

export function teamOf({ team, project }: Whose): string {
  return team ?? project;
}

export function serviceOf({ project, service }: Whose): string {
  return stepKey(project, service);
}

function emptyGroup(): Group {
  return { pool: emptyPool(), tally: noTally(), human: false };
}

function emptyMember(): Member {
  return { durations: noDurations(), tally: noTally(), human: false };
}

const NOBODY: Member = emptyMember();

export function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
