import { kindOf } from '../kind-of.ts';
import type { Spot } from '../spot.ts';
import type { BlockerRule, Moment } from '../told.ts';
import { CONNECTIONS, ownersOf, way } from '../ways.ts';
import { between, prose, sayFor, sentence } from '../words.ts';

/** So many times as long as nine of ten take is no slowness any more. */
const TOO_LONG = 3;
const MINUTE = 60;
/** Nine of ten such steps are over by then, in seconds, where nothing was measured yet. Absent: it may last. */
const USUAL_P90: Readonly<Partial<Record<Spot['step'], number>>> = {
  build: 20 * MINUTE,
  image: 10 * MINUTE,
  manifest: 5 * MINUTE,
  checks: 30 * MINUTE,
  plan: MINUTE,
  sync: 5 * MINUTE,
  rollout: 10 * MINUTE,
  release: 10 * MINUTE,
  test: 15 * MINUTE,
  evaluation: 10 * MINUTE,
  rollback: 15 * MINUTE,
};
/** Between CI's last word, or a merge, and the delivery system's first one. */
const USUAL_HANDOVER = 5 * MINUTE;

/** Nothing is heard of what should long be over, or what is asked does not answer. */
export const noSignal: BlockerRule = {
  kind: 'no-signal',
  turnsAt: (spot) => (shouldBeHeard(spot) ? Date.parse(spot.heardAt) + TOO_LONG * MINUTE * 1000 : undefined),
  tell(spot, facts, moment) {
    const ways = [way(ownersOf(facts), 'checks the connection', { label: 'Connections', href: CONNECTIONS })];
    const common = { ...(spot.stage === undefined ? {} : { stage: spot.stage }), stale: true, ways };
    const { wait, heardAt } = spot;
    if (kindOf(spot) === 'no-signal' && wait) {
      const lasts = sayFor(between(wait.since, moment.now));
      return { ...common, sentence: sentence`no answer for ${lasts}: ${prose(wait.sentence)}`, since: wait.since };
    }
    const p90 = silentFor(spot, moment);
    if (p90 === undefined) return undefined;
    const lasts = sayFor(between(heardAt, moment.now));
    const said = sentence`no signal for ${lasts}; usually under ${sayFor(p90 * 1000)}. Last: ${prose(lastOf(spot))}`;
    return { ...common, sentence: said, since: heardAt };
  },
};

/** What the step usually takes, if it has been silent for far longer. */
function silentFor(spot: Spot, { now, stepP90 }: Moment): number | undefined {
  if (!shouldBeHeard(spot)) return undefined;
  const usual = spot.step === 'turn' ? USUAL_HANDOVER : (stepP90 ?? USUAL_P90[spot.step]);
  // An unmeasured second is no reason to cry out after three.
  const p90 = usual === undefined ? undefined : Math.max(usual, MINUTE);
  return p90 !== undefined && between(spot.heardAt, now) > TOO_LONG * p90 * 1000 ? p90 : undefined;
}

/** Machines only, and only where nobody says what keeps them: what is told to wait is heard. */
function shouldBeHeard({ failed, stopped, wait, step, stage, reported, merged }: Spot): boolean {
  if (failed || stopped) return false;
  if (merged) return true;
  if (stage === undefined) return reported !== undefined && step !== 'review' && reported.state !== 'failed';
  if (wait === undefined) return step in USUAL_P90;
  return wait.kind === 'sync' && !wait.byHand && wait.until === undefined;
}

function lastOf({ step, stage, wait, reported, merged }: Spot): string {
  if (merged) return `PR ${merged.number} was merged to ${stage ?? ''}`;
  if (wait) return wait.sentence;
  if (step === 'turn') return 'CI ended';
  if (reported?.state === 'passed') return `${step} passed`;
  return stage === undefined ? `${step} began` : `${step} began in ${stage}`;
}
