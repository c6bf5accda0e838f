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

/** A sequence of another change by its id, where it is known. */
export function named(neighbours: readonly SequenceState[], sequence: string | undefined): Neighbour | undefined {
  const found = neighbours.find(({ triggered }) => triggered !== undefined && triggered.sequence === sequence);
  return found && asNeighbour(found);
}

/** `checkout 1.8.1`, or `checkout a1b2c3d4` while no version is known. */
function asNeighbour(state: SequenceState): Neighbour {
  const { context = '', place } = state.triggered ?? {};
  return { change: context, text: `${place?.service ?? ''} ${versionOf(state)}` };
}
