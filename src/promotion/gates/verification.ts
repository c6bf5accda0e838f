import { clip } from '../../base/clip.ts';
import { inGit } from '../../engine/in-git.ts';
import { finishedTask, type SequenceState } from '../../engine/sequence.ts';
import type { StageVerdict } from '../../engine/stage-verdict.ts';
import type { PromotionGate } from '../gate.ts';

/**
 * Whether the change is still held for good where it was verified: the newest evaluation of it there counts, and one
 * that was declared invalid does not. So a later one can withdraw the green mark, and a still later one give it back.
 *
 * @param newestFirst evaluations in the stage that verified it, of any change
 * @param before why it was withdrawn at the last look, if it was: that holds until an evaluation of the change says
 *   otherwise, also when those of others have pushed all of its own out of the list
 */
export function verificationGate(
  state: SequenceState,
  newestFirst: readonly StageVerdict[],
  before?: string,
): PromotionGate {
  const own = finishedTask(state, 'evaluation');
  const ofChange = newestFirst.filter((one) => isOf(state, one) && one.at >= (own?.finishedAt ?? ''));
  if (ofChange.length === 0 && newestFirst.length > 0 && before !== undefined) return withdrawn(before);
  const newest = ofChange.find(({ invalidated }) => !invalidated);
  if (newest) return newest.id === own?.id ? verified('it was verified') : judgedAgain(newest, state);
  const gone = ofChange.find(({ id }) => id === own?.id)?.invalidated;
  if (!gone) return verified('it was verified');
  return withdrawn(`its evaluation was declared invalid by ${gone.actor}: ${gone.reason}`);
}

function judgedAgain({ result, score, at }: StageVerdict, { triggered }: SequenceState): PromotionGate {
  const points = score === undefined ? '' : ` with ${Math.round(score * 10) / 10} of 100`;
  const said = `${triggered?.place.stage ?? ''} evaluated it again${points} at ${at.slice(0, 16)}Z: ${result}`;
  return result === 'fail' ? withdrawn(said) : verified(said);
}

function isOf({ triggered }: SequenceState, { context, revision }: StageVerdict): boolean {
  if (!triggered) return false;
  return context === triggered.context || revision === triggered.revision || revision === inGit(triggered).revision;
}

function verified(sentence: string): PromotionGate {
  return { name: 'verification', state: 'success', sentence: clip(sentence), blocker: 'evaluation' };
}

function withdrawn(sentence: string): PromotionGate {
  return { name: 'verification', state: 'failure', sentence: clip(sentence), blocker: 'evaluation' };
}
