import { describe, expect, it } from 'vitest';
import { createCalibrations, type KeptForecast } from '../../src/forecast/calibration.ts';
import { doraOf, median, sayFrequency } from '../../src/forecast/dora.ts';
import type { Run, RunStep } from '../../src/forecast/run.ts';
import { failingSteps, slowSpots } from '../../src/forecast/weak-spots.ts';

const HOUR = 3_600_000;
const BEGIN = Date.parse('2026-03-01T00:00:00.000Z');
const at = (hours: number) => new Date(BEGIN + hours * HOUR).toISOString();
const MONTH = { from: BEGIN, to: BEGIN + 720 * HOUR };

/** In production, an hour long unless told; deployed half an hour after it began. */
function run(id: string, hour: number, changes: Partial<Run> = {}): Run {
  return {
    ...{ id, change: id, project: 'shop', service: 'checkout', stage: 'prod', outcome: 'passed' as const },
    ...{ startedAt: at(hour), endedAt: at(hour + 1), deployedAt: at(hour + 0.5), steps: [] },
    ...changes,
  };
}

function step(name: string, changes: Partial<RunStep> = {}): RunStep {
  return {
    ...{ step: name, attempt: 1, startedAt: at(0), endedAt: at(1) },
    outcome: 'passed',
    human: false,
    ...changes,
  };
}

const failing = { outcome: 'failed' as const, steps: [step('evaluation', { outcome: 'failed', cause: 'p95' })] };
const dora = (...runs: Run[]) => doraOf(runs, () => 'prod', MONTH);

describe("DORA's four", () => {
  it('count what came to run in the last stage, from the first thing that is known of it', () => {
    const staging = run('a', 0, { stage: 'staging' });
    const neverRan = run('c', 40);
    delete neverRan.deployedAt;
    expect(dora(staging, run('a', 5), run('b', 30), neverRan)).toMatchObject({
      ...{ deployments: 2, failures: 0, failureRate: 0, restored: 0, frequency: 2 / 30 },
      leadTime: ((5.5 + 0.5) / 2) * 3600,
    });
  });

  it('take for failed what failed a gate or was taken back within a day, and not a promotion that somebody refused', () => {
    const refused = run('a', 0, { outcome: 'failed', steps: [step('promotion', { outcome: 'failed' })] });
    const takenBack = run('b', 20);
    const back = run('back', 30, { back: { of: 'b' } });
    const late = run('late', 300, { back: { of: 'c' } });
    const figures = dora(refused, takenBack, back, run('c', 60), late, run('d', 90, failing), run('e', 200));
    expect(figures).toMatchObject({ deployments: 5, failures: 2, failureRate: 2 / 5 });
  });

  it('measure how long it was broken: until the way back, or the next that passed', () => {
    const itself = run('a', 0, { ...failing, wentBack: true, endedAt: at(2) });
    expect(dora(itself)).toMatchObject({ restored: 1, restoreTime: 1.5 * 3600 });
    expect(dora(run('a', 0, failing), run('b', 10))).toMatchObject({ restored: 1, restoreTime: 10 * 3600 });
    const asked = run('back', 3, { outcome: 'failed', back: { of: 'a' }, wentBack: true });
    delete asked.deployedAt;
    expect(dora(run('a', 0, failing), asked, run('b', 10))).toMatchObject({ restored: 1, restoreTime: 3.5 * 3600 });
    expect(dora(run('a', 0, failing), run('x', 5, { service: 'other' }))).toMatchObject({ failures: 1, restored: 0 });
    expect(dora(run('a', 0, failing))).not.toHaveProperty('restoreTime');
  });

  it('say nothing where nothing happened', () => {
    expect(dora()).toEqual({ days: 30, deployments: 0, failures: 0, restored: 0 });
    expect(dora(run('a', -100))).toMatchObject({ deployments: 0 });
    expect([median([]), median([3, 1, 2]), median([4, 1])]).toEqual([undefined, 2, 2.5]);
    expect([4.21, 0.5, 0.05, 23.4].map(sayFrequency)).toEqual(['4.2 a day', '3.5 a week', '1.5 a month', '23 a day']);
  });
});

describe('weak spots', () => {
  it('are where most changes end, with what they fail at', () => {
    const bad = (cause: string) =>
      run('x', 0, { steps: [step('sync'), step('evaluation', { outcome: 'failed', cause })] });
    const overtaken = run('y', 0, { steps: [step('sync', { outcome: 'superseded' })] });
    const stopped = run('z', 0, { steps: [step('sync', { outcome: 'aborted' })] });
    const back = run('b', 0, { back: {}, steps: [step('sync', { outcome: 'failed' })] });
    expect(failingSteps([bad('p95, throughput'), bad('p95'), overtaken, stopped, back])).toEqual([
      {
        ...{ stage: 'prod', step: 'evaluation', failed: 2, of: 2 },
        causes: [
          { cause: 'p95', count: 2 },
          { cause: 'throughput', count: 1 },
        ],
      },
    ]);
  });

  const timed = (day: number, minutes: number, more: Partial<RunStep> = {}) =>
    run(`r${day}`, 24 * day, {
      steps: [step('sync', { startedAt: at(24 * day), endedAt: at(24 * day + minutes / 60), ...more })],
    });

  it('are where the time goes', () => {
    expect(slowSpots([timed(0, 10, { human: true })])).toEqual([
      'sync in prod is 100 % of the time, waiting for people',
    ]);
    expect(slowSpots([])).toEqual([]);
  });

  it('are what has become slower, with the day, and not what only varies', () => {
    const varying = [4, 5, 6, 5, 4, 6, 5, 4, 5, 6];
    const slower = varying.map((minutes) => 2 * minutes);
    const told = (minutes: readonly number[]) => slowSpots(minutes.map((each, day) => timed(day, each))).slice(1);
    expect(told([...varying, ...slower])).toEqual([
      'sync in prod takes twice as long since 2026-03-11 (5 min before, 10 min now)',
    ]);
    expect(told([...varying, ...varying])).toEqual([]);
    expect(told([...slower, ...varying])).toEqual([]);
  });
});

describe('forecasts are shown', () => {
  const WHOSE = { project: 'shop', service: 'checkout', team: 'payments' };
  /** Of so many forecasts so many landed in their range. */
  const publication = (landed: number, of: number, from = WHOSE, asked = WHOSE) => {
    const calibrations = createCalibrations();
    for (let each = 0; each < of; each++) {
      const kept: KeptForecast = { ...from, p10: 10, p50: 20, p90: 30, seconds: each < landed ? 20 : 50 };
      calibrations.add(kept);
    }
    return calibrations.publication(asked);
  };

  it('while 65 to 95 of the last 100 land in their range', () => {
    expect(publication(80, 100)).toEqual({ shown: true, why: '80 of the last 100 landed in their range' });
    expect(publication(60, 100).shown).toBe(false);
    expect(publication(100, 100).shown).toBe(false);
    // The oldest are forgotten.
    expect(publication(80, 200)).toMatchObject({ shown: false, why: '0 of the last 100 landed in their range' });
  });

  it("by the team's where the service has too few, then by everyone's, and before there are any", () => {
    const [sibling, stranger] = [
      { ...WHOSE, service: 'ledger' },
      { ...WHOSE, project: 'other', team: 'search' },
    ];
    expect(publication(30, 60, sibling)).toMatchObject({ shown: false, why: expect.stringContaining("of the team's") });
    expect(publication(30, 60, stranger)).toMatchObject({
      shown: false,
      why: expect.stringContaining("of everyone's"),
    });
    expect(publication(0, 20)).toMatchObject({ shown: true, why: expect.stringContaining('fewer than 40') });
  });
});
