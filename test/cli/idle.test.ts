import { describe, expect, it } from 'vitest';
import { createIdleWatch } from '../../src/cli/idle.ts';

/** What was told after each look. */
function toldAfter(utilizations: readonly number[]): (boolean | undefined)[] {
  let told: boolean | undefined;
  const look = createIdleWatch((isIdle) => {
    told = isIdle;
  });
  return utilizations.map((utilization) => {
    told = undefined;
    look(utilization);
    return told;
  });
}

describe('watching for idleness', () => {
  it('tells of it once, at the second look that found nothing to do', () => {
    expect(toldAfter([0.9, 0.01, 0.01, 0.01, 0.01])).toEqual([undefined, undefined, true, undefined, undefined]);
  });

  it('takes a pause between two requests for what it is', () => {
    expect(toldAfter([0.01, 0.9, 0.01, 0.9, 0.01])).toEqual(Array(5).fill(undefined));
  });

  it('is told of work only when it goes on, not when memory is handed back', () => {
    expect(toldAfter([0, 0, 0.4, 0, 0.4, 0.4, 0.4])).toEqual([
      ...[undefined, true, undefined, undefined, undefined],
      ...[false, undefined],
    ]);
  });
});
