import { short } from '../../engine/revisions.ts';
import type { SequenceState } from '../../engine/sequence.ts';
import type { Neighbour } from '../spot.ts';
import { versionOf } from './images.ts';

/** The change that is at work where another one waits for its turn; of several the oldest. */
export function aheadOf(state: SequenceState, neighbours: readonly SequenceState[]): Neighbour | undefined {
  if (!state.triggered || state.phase !== 'triggered') return undefined;
  const { place, context, at } = state.triggered;
  const before = neighbours.filter(
    ({ triggered, phase }) =>
      phase !== 'finished' &&
      triggered !== undefined &&
      triggered.context !== context &&
      triggered.place.project === place.project &&
      triggered.place.service === place.service &&
      triggered.place.stage === place.stage &&
      triggered.at <= at,
  );
  const [first] = before.toSorted((a, b) => (a.triggered?.at ?? '').localeCompare(b.triggered?.at ?? ''));
  return first && asNeighbour(first);
}

/** A sequence of another change by its id, where it is known: by its commit, which it has from the start. */
export function named(neighbours: readonly SequenceState[], sequence: string | undefined): Neighbour | undefined {
  const found = neighbours.find(({ triggered }) => triggered !== undefined && triggered.sequence === sequence);
  const { context = '', place, revision = '' } = found?.triggered ?? {};
  return found && { change: context, text: `${place?.service ?? ''} ${short(revision)}` };
}

/** Sequences of other changes that came to the place of one after it. */
export function laterThan({ triggered }: SequenceState, neighbours: readonly SequenceState[]): SequenceState[] {
  if (!triggered) return [];
  const { place, context, at } = triggered;
  return neighbours.filter(
    ({ triggered: other }) =>
      other !== undefined &&
      other.context !== context &&
      other.at > at &&
      other.place.project === place.project &&
      other.place.service === place.service &&
      other.place.stage === place.stage,
  );
}

/** `checkout 1.8.1`, or `checkout a1b2c3d4` while no version is known. */
function asNeighbour(state: SequenceState): Neighbour {
  const { context = '', place } = state.triggered ?? {};
  return { change: context, text: `${place?.service ?? ''} ${versionOf(state)}` };
}
