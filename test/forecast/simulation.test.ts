import { describe, expect, it } from 'vitest';
import {
  coverage,
  HEAVY,
  HISTORY,
  LOG_NORMAL,
  MIXTURE,
  type Odds,
  oddsAfter,
  steady,
} from '../support/forecast-simulation.ts';

describe('the claimed 80 % range of the time left', () => {
  it.each([LOG_NORMAL, HEAVY, MIXTURE])('holds 72 to 90 % of the truth where that is $name', (truth) => {
    for (const [teams, each, worlds] of [
      [3, 8, 6],
      [1, 3, 50],
      [1, 1, 150],
    ] as const) {
      for (const runs of HISTORY) {
        const { ours, plain, late, all } = coverage(truth, runs, teams, each, runs > 10 ? worlds / 3 : worlds);
        const figures = `${truth.name}, ${teams * each} services with ${runs} runs: ${ours.toFixed(1)} % (late ${late.toFixed(1)}), percentiles ${plain.toFixed(1)} %, of ${all}`;
        expect(ours, figures).toBeGreaterThan(72);
        expect(ours, figures).toBeLessThan(90);
        if (runs <= 10) expect(Math.abs(ours - 80), figures).toBeLessThan(Math.abs(plain - 80));
      }
    }
  });
});

const say = ({ covered, rmse, brier }: Odds) =>
  `${covered.toFixed(0)} %, RMSE ${rmse.toFixed(3)}, Brier ${brier.toFixed(4)}`;

describe('the odds of arriving', () => {
  it.each(HISTORY)('after %i runs are better than k of n, and their interval means what it says', (runs) => {
    const { ours, plain } = oddsAfter(runs, steady);
    const figures = `${runs} runs: ${say(ours)}; k of n: ${say(plain)}`;
    expect(ours.covered, figures).toBeGreaterThan(72);
    // Where nothing ever changes, forgetting costs a little: at 50 runs that is all there is between the two.
    expect(ours.rmse, figures).toBeLessThan(plain.rmse * (runs < 50 ? 1 : 1.03));
    expect(ours.brier, figures).toBeLessThan(plain.brier * (runs < 50 ? 1 : 1.003));
  });

  it('follow a drop from 95 to 70 % that happened fifteen runs ago better than k of n', () => {
    const { ours, plain } = oddsAfter(50, () => ({ before: 0.95, now: 0.7 }), { lastRuns: 15 });
    const figures = `after a drop: ${say(ours)}; k of n: ${say(plain)}`;
    expect(ours.rmse, figures).toBeLessThan(plain.rmse);
    expect(ours.brier, figures).toBeLessThan(plain.brier);
  });
});
