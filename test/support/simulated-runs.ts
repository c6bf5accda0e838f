import { seeded } from '../../src/forecast/draws.ts';
import { movedAt, type Run, type RunStep, runData } from '../../src/forecast/run.ts';
import type { Document } from '../../src/store/store.ts';

/** Chance with a seed: the same test sees the same world. */
export interface Chance {
  uniform(): number;
  normal(): number;
}

export function chance(seed: number): Chance {
  const uniform = seeded(seed);
  return {
    uniform,
    // Box and Muller.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/** How a step really behaves; nobody who forecasts may look at it. */
export interface TrueStep {
  step: string;
  human: boolean;
  seconds(): number;
  passes: number;
}

export interface Place {
  project: string;
  service: string;
  team: string;
  stage: string;
}

const START = Date.parse('2026-01-05T08:00:00.000Z');
/** Heavy tails know no end, but calendars do. */
const LONGEST_SECONDS = 1e8;
/** Runs of a service come so far apart, so that they never overlap. */
const APART_MS = 6 * 3_600_000;

/** One run in one stage; it ends at the first step that fails. */
export function simulatedRun(place: Place, steps: readonly TrueStep[], at: number, random: Chance): Run {
  const startedAt = START + at * APART_MS;
  let clock = startedAt;
  const done: RunStep[] = [];
  for (const { step, human, seconds, passes } of steps) {
    const [from, to] = [clock, clock + Math.min(LONGEST_SECONDS, seconds()) * 1000];
    clock = to;
    const outcome = random.uniform() < passes ? 'passed' : 'failed';
    done.push({ step, attempt: 1, startedAt: iso(from), endedAt: iso(to), outcome, human });
    if (outcome === 'failed') break;
  }
  const outcome = done.at(-1)?.outcome ?? 'passed';
  const id = `${place.service}-${place.stage}-${at}`;
  return {
    id,
    change: `${place.service}-${at}`,
    ...place,
    startedAt: iso(startedAt),
    endedAt: iso(clock),
    outcome,
    steps: done,
  };
}

/** Seconds from the beginning to the end. */
export function lengthOf({ startedAt, endedAt }: Run): number {
  return (Date.parse(endedAt ?? startedAt) - Date.parse(startedAt)) / 1000;
}

function iso(ms: number): string {
  return new Date(Math.round(ms)).toISOString();
}

/** The row of a run, as the store has it. */
export function runRow(run: Run, version = 1): Document {
  const { id, project, stage, service, change, outcome } = run;
  const columns = { project, stage, service, context: change, status: outcome };
  return { kind: 'steps', id, version, ...columns, sort: movedAt(run), data: runData(run) };
}
