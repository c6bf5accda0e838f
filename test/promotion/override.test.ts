import { describe, expect, it } from 'vitest';
import type { DecisionMade } from '../../src/events/types.ts';
import type { PromotionGate } from '../../src/promotion/gate.ts';
import { withOverride } from '../../src/promotion/override.ts';
import { COMMIT, decision } from '../support/sequence.ts';

const closed = (name: string): PromotionGate => ({ name, state: 'pending', sentence: 'closed', blocker: 'window' });
const override = (change: Partial<DecisionMade> = {}) => {
  const made = decision('override', { reason: 'the fix cannot wait', task: 'seq.1-promotion', ...change });
  return made.data as DecisionMade;
};
const host = (to: string) => ({ host: 'github', person: '1', login: 'ada', pullRequest: 7, to, at: '' });
const statesOf = (names: string[], ...made: DecisionMade[]) =>
  withOverride(names.map(closed), made, { to: 'production', revision: COMMIT }).map(({ state }) => state);

describe('an override of a promotion', () => {
  it('opens windows, a stopped line and a withdrawn verdict, and says who did', () => {
    const names = ['windows', 'stop-the-line', 'verification'];
    expect(statesOf(names, override())).toEqual(['success', 'success', 'success']);
    const [gate] = withOverride([{ ...closed('windows'), until: 'Monday' }], [override()], {
      to: 'production',
      revision: COMMIT,
    });
    expect(gate).toMatchObject({ sentence: 'let past by ada: the fix cannot wait' });
    expect(gate).not.toHaveProperty('until');
  });

  it.each(['hold', 'conflict', 'approval', 'queue', 'stages'])('opens no %s', (name) => {
    expect(statesOf([name], override())).toEqual(['pending']);
  });

  it('is about this commit, and the stage whose pull request it was written on', () => {
    expect(statesOf(['windows'], override({ revision: 'f'.repeat(40) }))).toEqual(['pending']);
    expect(statesOf(['windows'], override({ host: host('europe') }))).toEqual(['pending']);
    expect(statesOf(['windows'], override({ host: host('production') }))).toEqual(['success']);
    expect(statesOf(['windows'], override({ verdict: 'promote' }))).toEqual(['pending']);
    expect(statesOf(['windows'])).toEqual(['pending']);
  });
});
