import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createForecastModel } from '../../src/forecast/model.ts';
import { movedAt, type Run } from '../../src/forecast/run.ts';
import { FORECAST } from '../../src/runtime/forecast-learner.ts';
import { createForecasts, type Forecasts } from '../../src/runtime/forecasts.ts';
import { keepForecasts, keepForecastsJob } from '../../src/runtime/keep-forecasts.ts';
import { openStore } from '../../src/store/open.ts';
import type { Document, Store } from '../../src/store/store.ts';
import { BEFORE_DELIVERY, reportedRow } from '../../src/views/reported-run.ts';
import { chance, runRow, simulatedRun, type TrueStep } from '../support/simulated-runs.ts';

const HOUR = 3_600_000;
const PLACE = { project: 'shop', service: 'checkout', team: 'payments', stage: 'prod' };
const REMAINING = ['sync', 'test', 'approval'].map((step) => ({ stage: 'prod', step }));

let folder: string;
let store: Store;
let now: number;
const clock = { now: () => new Date(now) };
const random = chance(7);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lynceus-forecast-'));
  store = await openStore({ dataDir: folder });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Minutes for machines, half an hour or so for people. */
function steps(minutes = 2, passes = 1): TrueStep[] {
  const around = (middle: number) => () => middle * 60 * Math.exp(0.3 * random.normal());
  return [
    { step: 'sync', human: false, passes: 1, seconds: around(minutes) },
    { step: 'test', human: false, passes, seconds: around(minutes) },
    { step: 'approval', human: true, passes: 1, seconds: around(30) },
  ];
}

/** The run as it stood when so many of its steps were over. */
function partOf({ endedAt: _, ...run }: Run, done: number): Run {
  return { ...run, outcome: 'open', steps: run.steps.slice(0, done) };
}

async function remember(...runs: Run[]): Promise<void> {
  for (let at = 0; at < runs.length; at += 500)
    await store.commit({ documents: runs.slice(at, at + 500).map((run) => runRow(run)) });
  now = Math.max(...runs.map(movedAt)) + 1000;
}

const history = (count: number, place = PLACE, from = 0) =>
  Array.from({ length: count }, (_, at) => simulatedRun(place, steps(), from + at, random));

describe('forecasts', () => {
  it('say that there is no history, then whose it is, then give the own', async () => {
    const forecasts = createForecasts({ store, clock });
    now = Date.parse('2026-02-01T00:00:00Z');
    const ask = () => forecasts.for({ ...PLACE, remaining: REMAINING });
    expect(ask()).toMatchObject({ eta: { text: 'no history yet' }, odds: null });
    expect(forecasts.for({ ...PLACE, remaining: [] })).toMatchObject({ eta: null, odds: null });

    await remember(...history(10, { ...PLACE, service: 'ledger' }));
    await forecasts.refresh();
    expect(ask().eta?.text).toMatch(/^team median ~(30|35|40) min \(\d+–\d+\)$/);
    expect(ask().odds).toMatchObject({ basis: 'team', n: 10 });

    await remember(...history(20, PLACE, 10));
    await forecasts.refresh();
    const { eta, odds, expected, stepP90 } = ask();
    expect(eta?.text).toMatch(/^~(30|35|40) min \(\d+–\d+\)$/);
    expect(eta?.people?.p50).toBeGreaterThan(4 * (eta?.machine?.p50 ?? 0));
    expect(odds).toMatchObject({ basis: 'service', n: 20 });
    expect(odds?.text).toMatch(/^9\d % \(\d+–99, 20 runs\)$/);
    expect([...expected.values()].map(({ n }) => n)).toEqual([20, 20, 20]);
    expect(stepP90('prod', 'sync')).toBeGreaterThan(120);
    expect(stepP90('prod', 'nobody')).toBeUndefined();
  });

  it('learn from a run as it goes on, each of its steps once, and the same after a restart', async () => {
    const forecasts = createForecasts({ store, clock });
    await remember(...history(6));
    await forecasts.refresh();
    const next = simulatedRun(PLACE, steps(), 6, random);
    for (const [at, done] of [0, 1, 1, 2, 3].entries()) {
      const part = at === 4 ? next : partOf(next, done);
      await store.commit({ documents: [runRow(part, at + 1)] });
      now = movedAt(part) + 10;
      await forecasts.refresh();
      await forecasts.refresh();
    }
    const restarted = createForecasts({ store, clock });
    await restarted.refresh();
    for (const { step } of REMAINING) {
      const [one, other] = [forecasts, restarted].map((each) => each.step(PLACE, 'prod', step));
      expect(one?.runs).toBe(7);
      expect(one?.duration.mean).toBeCloseTo(other?.duration.mean ?? 0, 10);
      expect(one?.duration.scale).toBeCloseTo(other?.duration.scale ?? 0, 10);
    }
    expect(forecasts.for({ ...PLACE, remaining: REMAINING }).odds).toEqual(
      restarted.for({ ...PLACE, remaining: REMAINING }).odds,
    );
  });

  it('leave others their turn while they learn, and say the same as if they had learnt at once', async () => {
    const runs = history(170);
    await remember(...runs);
    const forecasts = createForecasts({ store, clock });
    let turns = 0;
    let over = false;
    const others = (async () => {
      for (; !over; turns++) await nextTurn();
    })();
    await forecasts.refresh();
    over = true;
    await others;
    expect(turns).toBeGreaterThan(3);

    const atOnce = createForecastModel({ halfLifeRuns: 20 });
    for (const run of runs.toSorted((a, b) => movedAt(b) - movedAt(a))) atOnce.addOlder(run);
    const question = { ...PLACE, remaining: REMAINING };
    const [{ eta, odds }, other] = [forecasts.for(question), atOnce.forecast(question, now)];
    expect({ eta, odds }).toEqual({ eta: other.eta, odds: other.odds });
    expect(odds?.n).toBeGreaterThan(20);
  });

  it('go on where the store failed them, and learn nothing twice', async () => {
    await remember(...history(450));
    let failures = 1;
    const shaky: Store = {
      ...store,
      documents: async (query) => {
        if (query.kind === 'steps' && query.after && failures-- > 0) throw new Error('the store is away');
        return store.documents(query);
      },
    };
    const forecasts = createForecasts({ store: shaky, clock });
    await expect(forecasts.refresh()).rejects.toThrow('away');
    expect(forecasts.step(PLACE, 'prod', 'sync')?.runs).toBe(50);
    await forecasts.refresh();
    await forecasts.refresh();
    expect(forecasts.step(PLACE, 'prod', 'sync')?.runs).toBe(450);
  });

  it('learn everything anew once rows were made again from the log', async () => {
    const forecasts = createForecasts({ store, clock });
    const [old, recent] = [history(5), history(5, PLACE, 100)];
    await remember(...recent);
    await forecasts.refresh();
    await store.commit({ documents: old.map((run) => runRow(run)) });
    const rebuild = (version: number, state: string): Document => {
      const data = { state, startedAt: new Date(now).toISOString() };
      return { kind: 'rebuild', id: 'rows', version, sort: now, data };
    };
    await store.commit({ documents: [rebuild(1, 'reading')] });
    await forecasts.refresh();
    expect(forecasts.step(PLACE, 'prod', 'sync')?.runs).toBe(5);
    await store.commit({ documents: [rebuild(2, 'read')] });
    for (const _ of [1, 2]) {
      await forecasts.refresh();
      expect(forecasts.step(PLACE, 'prod', 'sync')?.runs).toBe(10);
    }
  });

  it('learn what CI reported of a change when it is joined, however long ago that was', async () => {
    const forecasts = createForecasts({ store, clock });
    await remember(...history(6));
    await forecasts.refresh();
    const steps = ['build', 'review'].map((key, at) => ({
      ...{ key: key as 'build', state: 'passed' as const, attempt: 1, human: at === 1, links: [] },
      ...{
        startedAt: new Date(now - (9 - at) * HOUR).toISOString(),
        endedAt: new Date(now - (8 - at) * HOUR).toISOString(),
      },
    }));
    const reported = reportedRow({ ...PLACE, change: 'checkout-5', at: new Date(now).toISOString() }, steps);
    await store.commit({ documents: reported ? [reported] : [] });
    for (const _ of [1, 2]) {
      await forecasts.refresh();
      expect(forecasts.step(PLACE, BEFORE_DELIVERY, 'build')?.runs).toBe(1);
      expect(forecasts.step(PLACE, BEFORE_DELIVERY, 'review')?.human).toBe(true);
    }
    expect(forecasts.journeys.stagesOf(PLACE)).toEqual([BEFORE_DELIVERY, 'prod']);
  });

  it('are kept when a change enters a stage, and judged by what came true', async () => {
    await remember(...history(12));
    const forecasts = createForecasts({ store, clock });
    const runs = [steps(), steps(60), steps(2, 0)].map((some, at) => simulatedRun(PLACE, some, 20 + at, random));
    for (const run of runs) {
      now = Date.parse(run.startedAt) + 5_000;
      await store.commit({ documents: [runRow(partOf(run, 0))] });
      await work(forecasts);
      now = movedAt(run) + 1_000;
      await store.commit({ documents: [runRow(run, 9)] });
      await work(forecasts);
    }
    const said = async () => new Map((await store.documents({ kind: FORECAST })).map(({ id, ...rest }) => [id, rest]));
    const [onTime, late, failed] = runs.map(({ id }) => id) as [string, string, string];
    let kept = await said();
    expect(kept.get(onTime)).toMatchObject({ status: 'settling', data: { target: 'prod' } });
    expect(Number(kept.get(late)?.data['seconds'])).toBeGreaterThan(Number(kept.get(late)?.data['p90']));
    expect(kept.get(failed)).toMatchObject({ status: 'settled', data: { arrived: false } });
    const back = { ...simulatedRun(PLACE, steps(), 30, random), back: { of: late } };
    await store.commit({ documents: [runRow(back)] });
    now = movedAt(back) + 48 * HOUR;
    await work(forecasts);
    kept = await said();
    expect(kept.get(onTime)).toMatchObject({ status: 'settled', data: { arrived: true } });
    expect(kept.get(late)).toMatchObject({ status: 'settled' });
  });

  it('are hidden while they are wrong, and plain history stands in their place', async () => {
    await remember(...history(12));
    const wrong = Array.from({ length: 60 }, (_, at): Document => {
      const data = { p10: 1, p50: 2, p90: 3, seconds: at < 20 ? 2 : 9, timedAt: at, target: 'prod', p: 0.9 };
      const columns = { project: 'shop', service: 'checkout', stage: 'prod', context: `c${at}`, status: 'settling' };
      return { kind: FORECAST, id: `f${at}`, version: 2, ...columns, sort: now - at, data };
    });
    await store.commit({ documents: wrong });
    const forecasts = createForecasts({ store, clock });
    await forecasts.refresh();
    const { eta } = forecasts.for({ ...PLACE, remaining: REMAINING });
    expect(eta?.total).toBeUndefined();
    expect(eta?.text).toMatch(/^usually (30|35|40) min; no forecast: 20 of the last 60 landed in their range$/);
    expect(forecasts.publication(PLACE).shown).toBe(false);
  });

  it('hold 100,000 steps in little memory, and answer a page of changes at once', async () => {
    const services = 1_000;
    const each = Math.ceil(100_000 / 3 / services);
    let count = 0;
    for (let at = 0; at < each; at++) {
      const runs = Array.from({ length: services }, (_, service) =>
        simulatedRun({ ...PLACE, service: `s${service}`, team: `t${service % 40}` }, steps(), at, random),
      );
      count += runs.reduce((sum, run) => sum + run.steps.length, 0);
      await remember(...runs);
    }
    expect(count).toBeGreaterThanOrEqual(100_000);
    const before = memory();
    const forecasts = createForecasts({ store, clock });
    const began = performance.now();
    await forecasts.refresh();
    const took = performance.now() - began;
    const heap = memory() - before;
    const page = performance.now();
    for (let service = 0; service < 50; service++)
      forecasts.for({ ...PLACE, service: `s${service}`, team: `t${service % 40}`, remaining: REMAINING });
    const rows = performance.now() - page;
    console.log(
      `${count} steps: read in ${took.toFixed(0)} ms, heap +${heap.toFixed(1)} MB, 50 rows ${rows.toFixed(1)} ms`,
    );
    expect(forecasts.step({ ...PLACE, service: 's3', team: 't3' }, 'prod', 'sync')?.runs).toBe(each);
    expect(heap).toBeLessThan(40);
  }, 60_000);
});

/** What the worker would do now. */
async function work(forecasts: Forecasts): Promise<void> {
  await store.commit({ jobs: [keepForecastsJob] });
  const [job] = await store.claim({ limit: 1, leaseMs: 10_000, queues: ['forecast'] });
  if (!job) throw new Error('no job');
  await keepForecasts({ store, clock, forecasts }, job);
}

/** Megabytes that are in use once nothing is left to throw away. */
function memory(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / 2 ** 20;
}
