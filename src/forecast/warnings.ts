import { isJourneyOf, type Journey, type Journeys } from './journeys.ts';
import type { Whose } from './step-model.ts';

/** How earlier changes of the service ended that the gate of the same stage warned of, because of the same objective. */
export interface WarnedBefore {
  /** At most 10, the newest of those that are over. */
  changes: number;
  /** Arrived in the last stage, and stayed. */
  fine: number;
  /** Failed later, were rejected, or were taken back. */
  failed: number;
  /** Gave way to newer ones. */
  overtaken: number;
  /** `last 10 warned like this (throughput): 8 fine, 1 failed later, 1 gave way to a newer change`. */
  text: string;
}

/** So many say enough. */
const LAST = 10;
const MAX_NAMED = 2;

export interface Warned {
  stage: string;
  /** Objectives that the evaluation warned of. */
  objectives: readonly string[];
}

/**
 * How earlier warnings of the service in this stage ended that were about one of the same objectives. Those of which it is
 * not known yet are left out, and the change itself.
 *
 * @param target the last stage
 * @returns undefined: there was none
 */
export function warnedBefore(
  journeys: Pick<Journeys, 'newest' | 'fate'>,
  whose: Whose,
  change: string,
  { stage, objectives }: Warned,
  target: string,
): WarnedBefore | undefined {
  const isAlike = (journey: Journey) =>
    !isJourneyOf(journey, change) &&
    journey.visits.some((visit) => visit.stage === stage && visit.warnings?.some((name) => isNamed(name, objectives)));
  const counts = { fine: 0, failed: 0, overtaken: 0 };
  let changes = 0;
  for (const journey of journeys.newest(whose, 'service')) {
    if (changes === LAST) break;
    const ending = isAlike(journey) ? endingOf(journeys.fate(journey, target)) : undefined;
    if (ending === undefined) continue;
    counts[ending] += 1;
    changes += 1;
  }
  return changes === 0 ? undefined : { changes, ...counts, text: say(changes, counts, objectives) };
}

function endingOf({ arrived, overtaken }: ReturnType<Journeys['fate']>): 'fine' | 'failed' | 'overtaken' | undefined {
  if (overtaken) return 'overtaken';
  return arrived === undefined ? undefined : arrived ? 'fine' : 'failed';
}

/** The last one of a record may have been cut. */
function isNamed(name: string, objectives: readonly string[]): boolean {
  return objectives.some((one) => one === name || (name.endsWith('…') && one.startsWith(name.slice(0, -1))));
}

type Counts = Pick<WarnedBefore, 'fine' | 'failed' | 'overtaken'>;

function say(changes: number, { fine, failed, overtaken }: Counts, objectives: readonly string[]): string {
  const more = objectives.length - MAX_NAMED;
  const named = `${objectives.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  const parts = [
    `${fine} fine`,
    ...(failed > 0 ? [`${failed} failed later`] : []),
    ...(overtaken > 0 ? [`${overtaken} gave way to a newer change`] : []),
  ];
  return `last ${changes} warned like this (${named}): ${parts.join(', ')}`;
}
