import { clip } from '../../base/clip.ts';
import type { Window } from '../../definitions/delivery.ts';
import { checkWindows } from '../../engine/windows.ts';
import type { PromotionGate } from '../gate.ts';

/**
 * Whether a promotion may be merged now, by its own windows and by those of the stage that it goes to. Both must be
 * open: what the one allows does not help where the other is closed.
 *
 * @param lists each judged for itself
 */
export function windowGate(lists: readonly (readonly Window[])[], now: Date): PromotionGate | undefined {
  const asked = lists.filter((windows) => windows.length > 0);
  if (asked.length === 0) return undefined;
  const closed = asked.map((windows) => checkWindows(windows, now)).filter(({ answer }) => answer === 'deny');
  const [last] = closed.toSorted((a, b) => (b.askAgainAt ?? '').localeCompare(a.askAgainAt ?? ''));
  if (!last) return { name: 'windows', state: 'success', sentence: 'the window is open', blocker: 'window' };
  return {
    name: 'windows',
    state: 'pending',
    sentence: clip(last.reasons[0] ?? 'the window is closed'),
    blocker: 'window',
    ...(last.askAgainAt === undefined ? {} : { until: last.askAgainAt }),
  };
}
