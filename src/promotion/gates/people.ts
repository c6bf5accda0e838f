import { clip } from '../../base/clip.ts';
import type { SequenceState } from '../../engine/sequence.ts';
import { type LineStop, sayStop } from '../../engine/stop-the-line.ts';
import type { PromotionGate } from '../gate.ts';

/** Whether somebody stopped everything that goes to the stage. */
export function stopGate(stop: LineStop | undefined): PromotionGate {
  if (!stop)
    return { name: 'stop-the-line', state: 'success', sentence: 'nobody stopped the line', blocker: 'stopped' };
  return { name: 'stop-the-line', state: 'failure', sentence: sayStop(stop), blocker: 'stopped' };
}

/** Whether somebody holds this one change. */
export function holdGate({ paused }: Pick<SequenceState, 'paused'>): PromotionGate {
  if (!paused) return { name: 'hold', state: 'success', sentence: 'nobody holds it', blocker: 'review' };
  const sentence = clip(`held by ${paused.actor}: ${paused.reason}`);
  return { name: 'hold', state: 'failure', sentence, blocker: 'review' };
}
