import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { betaQuantile } from '../../src/forecast/beta.ts';
import { createForecastModel } from '../../src/forecast/model.ts';
import type { ForecastQuestion } from '../../src/forecast/question.ts';
import type { Run } from '../../src/forecast/run.ts';
import { incompleteBeta, logGamma } from '../../src/forecast/special-functions.ts';
import { quickBeyond, studentBeyond, studentTail } from '../../src/forecast/student.ts';
import { percent, sayOdds, sayQuant, sayRounded } from '../../src/forecast/words.ts';
import { chance, simulatedRun, type TrueStep } from '../support/simulated-runs.ts';

describe('the functions behind it', () => {
  // Reference values: mpmath 1.3 with 25 digits.
  it.each([
    [1, 0.1, 3.07768353717525],
    [3, 0.1, 1.63774435369621],
    [8, 0.1, 1.39681530974386],
    [8, 0.001, 4.50079093372372],
    [28.5, 0.1, 1.31197039867404],
    [28.5, 0.4, 0.255724839431459],
  ])("Student's t with %f degrees of freedom is beyond its %f tail at %f", (freedom, tail, t) => {
    expect(studentBeyond(tail, freedom)).toBeCloseTo(t, 9);
    expect(studentBeyond(1 - tail, freedom)).toBeCloseTo(-t, 9);
    expect(studentTail(t, freedom)).toBeCloseTo(tail, 10);
    expect(Math.abs(quickBeyond(tail, freedom) / t - 1)).toBeLessThan(0.015);
  });

  it.each([
    [0.1, 30, 4, 0.808640256153132],
    [0.9, 30, 4, 0.946071956946056],
    [0.1, 4, 0.5, 0.698207071206225],
    [0.9, 0.5, 4, 0.301792928793775],
    [0.5, 2, 2, 0.5],
  ])('%f of a Beta(%f, %f) is below %f', (probability, a, b, x) => {
    expect(betaQuantile(probability, a, b)).toBeCloseTo(x, 9);
  });

  it('has the gamma and the incomplete beta function to ten digits', () => {
    expect(logGamma(0.5)).toBeCloseTo(0.5723649429247, 11);
    expect(logGamma(33.3)).toBeCloseTo(82.6037235816549, 11);
    expect(incompleteBeta(0.3, 2.5, 0.5)).toBeCloseTo(0.0189271240719457, 12);
    expect(incompleteBeta(0.9, 30, 4)).toBeCloseTo(0.576943664125693, 12);
    expect([incompleteBeta(0, 2, 2), incompleteBeta(1, 2, 2)]).toEqual([0, 1]);
  });

  it('reads the table as steadily as the function falls', () => {
    const tails = Array.from({ length: 400 }, (_, at) => 0.999 * 0.95 ** at);
    const beyond = tails.map((tail) => quickBeyond(tail, 7.3));
    expect(beyond.toSorted((a, b) => a - b)).toEqual(beyond);
    expect(quickBeyond(1e-8, 9) / studentBeyond(1e-8, 9)).toBeCloseTo(1, 1);
  });
});

const PLACE = { project: 'shop', service: 'checkout', team: 'payments', stage: 'prod' };
const NAMES = ['sync', 'test', 'approval'];
const REMAINING = NAMES.map((step) => ({ stage: 'prod', step }));

function modelOf(seconds: readonly number[], outcomes: readonly boolean[] = [], service = 'checkout') {
  const model = createForecastModel({ halfLifeRuns: 20 });
  const random = chance(1);
  for (const [at, each] of seconds.entries()) {
    const steps = NAMES.map(
      (step): TrueStep => ({
        ...{ step, human: step === 'approval', seconds: () => each },
        passes: step === 'test' && outcomes[at] === false ? 0 : 1,
      }),
    );
    model.add(simulatedRun({ ...PLACE, service }, steps, at, random));
  }
  return model;
}

const durations = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 12 });

describe('whatever the history', () => {
  it('ranges are in order, finite and not negative, and the same question has the same answer', () => {
    fc.assert(
      fc.property(durations, fc.double({ min: 0, max: 1e7, noNaN: true }), (seconds, elapsed) => {
        const question: ForecastQuestion = {
          ...PLACE,
          running: { stage: 'prod', step: 'sync', startedAt: new Date(0).toISOString() },
          remaining: REMAINING.slice(1),
        };
        const [one, other] = [modelOf(seconds), modelOf(seconds)].map((model) =>
          model.forecast(question, elapsed * 1000),
        );
        for (const quant of [one?.eta?.total, one?.eta?.people, one?.eta?.machine, ...(one?.expected.values() ?? [])]) {
          const { p10, p50, p90 } = quant ?? { p10: -1, p50: -1, p90: -1 };
          expect([p10, p50, p90].every((each) => Number.isFinite(each) && each >= 0)).toBe(true);
          expect(p10).toBeLessThanOrEqual(p50);
          expect(p50).toBeLessThanOrEqual(p90);
        }
        expect(other?.eta).toEqual(one?.eta);
        expect(other?.odds).toEqual(one?.odds);
      }),
      { numRuns: 60 },
    );
  });

  it('the longer a step runs, the later is the end that is foreseen', () => {
    fc.assert(
      fc.property(
        durations,
        fc.array(fc.double({ min: 1, max: 1e5, noNaN: true }), { minLength: 5, maxLength: 5 }),
        (seconds, waits) => {
          const model = modelOf(seconds);
          const startedAt = new Date(0).toISOString();
          const ends = waits
            .toSorted((a, b) => a - b)
            .map((elapsed) => {
              const question = { ...PLACE, running: { stage: 'prod', step: 'sync', startedAt }, remaining: [] };
              return elapsed + (model.forecast(question, elapsed * 1000).eta?.total?.p50 ?? Number.NaN);
            });
          for (const [at, end] of ends.slice(1).entries())
            expect(end).toBeGreaterThanOrEqual((ends[at] ?? 0) * (1 - 1e-9));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('odds are shares, inside their interval', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }), (outcomes) => {
        const { odds } = modelOf(
          outcomes.map(() => 60),
          outcomes,
        ).forecast({ ...PLACE, remaining: REMAINING }, 0);
        const { p, lo, hi } = odds ?? { p: -1, lo: -1, hi: -1 };
        expect(lo).toBeGreaterThanOrEqual(0);
        expect(lo).toBeLessThan(hi);
        expect(hi).toBeLessThanOrEqual(1);
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThan(1);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a forecast', () => {
  it('adds the change ahead, and lets stages that run at the same time take as long as the longest', () => {
    const model = modelOf([60, 70, 80, 60, 75]);
    const p50 = (question: Partial<ForecastQuestion>) =>
      model.forecast({ ...PLACE, remaining: REMAINING, ...question }, 0).eta?.total?.p50 ?? Number.NaN;
    const alone = p50({});
    expect(p50({ ahead: { ...PLACE, remaining: REMAINING } })).toBeGreaterThan(1.7 * alone);
    const twice = (parallel: string | undefined) =>
      ['prod', 'prod-us'].flatMap((stage) =>
        NAMES.map((step) => ({ stage, step, ...(parallel === undefined ? {} : { parallel }) })),
      );
    expect(p50({ remaining: twice(undefined) })).toBeGreaterThan(1.7 * alone);
    expect(p50({ remaining: twice('both') })).toBeLessThan(1.7 * alone);
    expect(p50({ remaining: twice('both') })).toBeGreaterThan(alone);
  });

  it('says when a step is slower than nine of ten', () => {
    const model = modelOf([60, 62, 58, 61, 59, 60]);
    const text = (elapsed: number) =>
      model.forecast(
        { ...PLACE, running: { stage: 'prod', step: 'sync', startedAt: new Date(0).toISOString() }, remaining: [] },
        elapsed * 1000,
      ).eta?.text;
    expect(text(10)).not.toContain('slower');
    expect(text(900)).toContain('slower than 9 of 10');
  });

  it('counts neither a change that was overtaken nor one under way as a failure', () => {
    const model = modelOf([60, 60, 60, 60]);
    const before = model.forecast({ ...PLACE, remaining: REMAINING }, 0).odds;
    const run = simulatedRun(PLACE, [{ step: 'sync', human: false, passes: 1, seconds: () => 9_000 }], 50, chance(2));
    const { endedAt: _, ...open } = run;
    const overtaken: Run = {
      ...run,
      id: 'b',
      change: 'b',
      outcome: 'superseded',
      steps: run.steps.map((step) => ({ ...step, outcome: 'superseded' })),
    };
    model.add(overtaken);
    model.add({ ...open, id: 'c', change: 'c', outcome: 'open', steps: [] });
    expect(model.forecast({ ...PLACE, remaining: REMAINING }, 0).odds).toEqual(before);
    model.add({
      ...run,
      id: 'd',
      change: 'd',
      outcome: 'failed',
      steps: run.steps.map((step) => ({ ...step, outcome: 'failed' })),
    });
    expect(model.forecast({ ...PLACE, remaining: REMAINING }, 0).odds?.p).toBeLessThan(before?.p ?? 0);
  });

  it('takes a change for failed that was taken back within a day, and only then', () => {
    const day = 86_400_000;
    const backAfter = (ms: number) => {
      const model = modelOf([60, 60, 60, 60]);
      const last = simulatedRun(PLACE, [{ step: 'sync', human: false, passes: 1, seconds: () => 60 }], 60, chance(2));
      const startedAt = new Date(Date.parse(last.endedAt ?? '') + ms).toISOString();
      model.add(last);
      model.add({ ...last, id: 'back', change: 'back', startedAt, back: { of: last.id } });
      return model.forecast({ ...PLACE, remaining: [{ stage: 'prod', step: 'sync' }] }, 0).odds?.p ?? 0;
    };
    expect(backAfter(day / 2)).toBeLessThan(backAfter(2 * day));
  });

  it('uses a warning so far: such changes are another kind', () => {
    const model = createForecastModel({ halfLifeRuns: 20 });
    const random = chance(5);
    for (let at = 0; at < 40; at++) {
      const warned = at % 2 === 0;
      const passes = (step: string) => (step === 'approval' && warned && at % 4 === 0 ? 0 : 1);
      const run = simulatedRun(
        PLACE,
        NAMES.map((step) => ({ step, human: false, seconds: () => 60, passes: passes(step) })),
        at,
        random,
      );
      const steps = run.steps.map((step) =>
        warned && step.step === 'sync' ? { ...step, outcome: 'warning' as const } : step,
      );
      model.add({ ...run, steps });
    }
    const odds = (warned: boolean) => model.forecast({ ...PLACE, remaining: REMAINING.slice(2), warned }, 0).odds;
    expect(odds(true)).toMatchObject({ n: 20 });
    expect(odds(true)?.p).toBeLessThan(0.65);
    expect(odds(false)?.p).toBeGreaterThan(0.9);
  });
});

describe('its words', () => {
  it.each([
    [{ p10: 22 * 60, p50: 48 * 60, p90: 140 * 60 }, '~50 min (20–135)'],
    [{ p10: 430, p50: 14 * 60, p90: 31 * 60 }, '~15 min (7–30)'],
    [{ p10: 5, p50: 20, p90: 29 }, 'under 1 min'],
    [{ p10: 20, p50: 25, p90: 200 }, 'under 1 min (0–3)'],
    [{ p10: 3600, p50: 9000, p90: 90_000 }, '~2 h 30 min (60 min–25 h)'],
    [{ p10: 86_400, p50: 3 * 86_400, p90: 9 * 86_400 }, '~3 days (24 h–9 days)'],
  ])('%j are %s', (quant, words) => {
    expect(sayQuant(quant)).toBe(words);
  });

  it('round, and are never certain', () => {
    expect(sayOdds({ p: 0.88, lo: 0.71, hi: 0.95, n: 34, basis: 'service' })).toBe('90 % (70–95, 34 runs)');
    expect(sayOdds({ p: 0.93, lo: 0.9, hi: 0.999, n: 1, basis: 'team' })).toBe('93 % (90–99, 1 run of the team)');
    expect([percent(0.001, true), percent(0.9999, false)]).toEqual([1, 99]);
    expect([59, 300, 1900, 7300, 400_000].map(sayRounded)).toEqual(['1 min', '5 min', '30 min', '2 h', '5 days']);
  });
});
