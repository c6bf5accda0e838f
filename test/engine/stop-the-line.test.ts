import { describe, expect, it } from 'vitest';
import { type LineStop, sayStop, scopeOf, stopFor } from '../../src/engine/stop-the-line.ts';

const stop = (id: string, scope: Partial<LineStop> = {}): LineStop => ({
  id,
  at: '2026-03-02T10:00:00.000Z',
  actor: 'ada',
  reason: 'INC-42',
  ...scope,
});
const production = { project: 'shop', stage: 'production' };

describe('a stop', () => {
  it.each([
    ['everything', stop('a'), true],
    ['all stages of the project', stop('a', { project: 'shop' }), true],
    ['the stage in all projects', stop('a', { stage: 'production' }), true],
    ['the stage of the project', stop('a', production), true],
    ['another project', stop('a', { project: 'bank' }), false],
    ['another stage', stop('a', { stage: 'staging' }), false],
    ['the stage of another project', stop('a', { project: 'bank', stage: 'production' }), false],
  ])('of %s', (_, one, meant) => {
    expect(stopFor([one], production) !== undefined).toBe(meant);
  });

  it('is told of by the widest that holds', () => {
    const stops = [stop('narrow', production), stop('stage', { stage: 'production' }), stop('all')];
    expect(stopFor(stops, production)?.id).toBe('all');
  });

  it('says what is stopped, by whom and why, in at most 90 characters', () => {
    expect(sayStop(stop('a', production))).toBe('the line of shop to production was stopped by ada: INC-42');
    expect(scopeOf({})).toBe('the line');
    expect(sayStop(stop('a', { reason: 'x'.repeat(300) })).length).toBeLessThanOrEqual(90);
  });
});
