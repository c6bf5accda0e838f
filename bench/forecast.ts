import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createForecastModel, type ForecastModel } from '../src/forecast/model.ts';
import type { ForecastQuestion } from '../src/forecast/question.ts';
import type { Run } from '../src/forecast/run.ts';
import { openStore } from '../src/store/open.ts';
import {
  coverage,
  HEAVY,
  HISTORY,
  LOG_NORMAL,
  MIXTURE,
  oddsAfter,
  percentile,
  steady,
} from '../test/support/forecast-simulation.ts';
import { type Chance, chance, lengthOf, runRow, simulatedRun, type TrueStep } from '../test/support/simulated-runs.ts';
import { type Benchmark, type Target, under } from './support/benchmark.ts';
import { median, spread, table, twoDigits, whole } from './support/figures.ts';

const PAGE = 50;
const SERVICES = 500;
const RUNS = 34;
const STAGES = ['staging', 'production'];
const NAMES = ['checks', 'approval', 'sync', 'rollout', 'test', 'evaluation'];
const ROUNDS = 15;
const STEPS_HELD = 100_000;
const HERE = import.meta.dirname;
const FLAGS = ['--max-semi-space-size=8', '--expose-gc'];

export const forecast: Benchmark = {
  name: 'forecast',
  title: 'Forecasts of time and odds',
  method: `How right: simulated services of three teams of eight, of one team of three, and one alone; six steps, one of them a
person who takes very long at times. Share of true times inside the range that is to hold 80 % of them; *plain* is the 10th
to the 90th of 100 past times of the service. Odds: share of true rates inside the 80 % interval, root mean square error
and Brier score; *plain* is k of n with Wald's interval. The same seeds each time, so the figures are the same everywhere.
How fast: a page of ${PAGE} rows, each ${STAGES.length * NAMES.length} steps before its end and a running one, of ${SERVICES} services with ${RUNS} runs each. *fresh* with
nothing remembered, as once a minute; *remembered* as in between; *plain* sorts the ${RUNS} past times of each row. CPU time of the process,
median (least..most) of ${ROUNDS} rounds. Memory: a process of its own learns ${whole(STEPS_HELD)} steps from SQLite; resident memory once
garbage is collected, less what it was before.`,

  async run({ quick, say }) {
    const right = coverageTable(quick);
    const odds = oddsTable(quick);
    say('simulations are over');
    const fast = speed(quick ? 3 : ROUNDS);
    say(`a fresh page takes ${twoDigits(median(fast.fresh))} ms`);
    const held = await memory(quick ? STEPS_HELD / 10 : STEPS_HELD);
    const targets: Target[] = [
      { ...right.target, name: 'share inside the 80 % range, every row' },
      under(`${PAGE} rows, fresh`, 50, median(fast.fresh), 'ms'),
      under(`resident memory for ${whole(held.steps)} steps`, 40, held.grown / 2 ** 20, 'MB'),
    ];
    return { tables: [right.table, odds, fast.table, held.table], targets };
  },
};

function coverageTable(quick: boolean): { table: string; target: Omit<Target, 'name'> } {
  const sizes = [
    [3, 8, quick ? 2 : 20],
    [1, 3, quick ? 10 : 150],
    [1, 1, quick ? 30 : 450],
  ] as const;
  const all: number[] = [];
  const rows = [LOG_NORMAL, HEAVY, MIXTURE].flatMap((truth) =>
    sizes.map(([teams, each, worlds]) => {
      const cells = HISTORY.map((runs) => coverage(truth, runs, teams, each, worlds));
      all.push(...cells.map(({ ours }) => ours));
      return [truth.name, whole(teams * each), ...cells.map(({ ours, plain }) => `${whole(ours)} (${whole(plain)})`)];
    }),
  );
  const [least, most] = [Math.min(...all), Math.max(...all)];
  return {
    table: table(['truth', 'services', ...HISTORY.map((runs) => `${runs} runs: % (plain)`)], rows),
    target: {
      wanted: '72 to 90 %',
      measured: `${least.toFixed(1)} to ${most.toFixed(1)} %`,
      met: quick || (least >= 72 && most <= 90),
    },
  };
}

function oddsTable(quick: boolean): string {
  const worlds = quick ? 10 : 200;
  const drop = () => ({ before: 0.95, now: 0.7 });
  const cases = [
    ...HISTORY.map((runs) => ({ name: `steady, ${runs} runs`, ...oddsAfter(runs, steady, { worlds }) })),
    { name: '95 to 70 % fifteen runs ago', ...oddsAfter(50, drop, { lastRuns: 15, worlds }) },
  ];
  const rows = cases.map(({ name, ours, plain }) => [
    name,
    ...[ours, plain].flatMap(({ covered, rmse, brier }) => [whole(covered), rmse.toFixed(3), brier.toFixed(4)]),
  ]);
  return table(['odds', 'inside %', 'RMSE', 'Brier', 'plain inside %', 'RMSE', 'Brier'], rows);
}

interface Row {
  question: ForecastQuestion;
  totals: number[];
}

function speed(rounds: number): { fresh: number[]; table: string } {
  const { model, rows, news } = fleet();
  const page = (round: number) => rows.slice((round % (SERVICES / PAGE)) * PAGE).slice(0, PAGE);
  const now = Date.parse('2026-06-01T00:02:00.000Z');
  const times: Record<'fresh' | 'remembered' | 'plain', number[]> = { fresh: [], remembered: [], plain: [] };
  const ask = (round: number) => page(round).map(({ question }) => model.forecast(question, now));
  for (let round = 0; round < rounds + 2; round++) {
    model.add(news(round));
    model.forget();
    times.fresh.push(cpuMs(() => ask(round)));
    times.remembered.push(cpuMs(() => ask(round)));
    times.plain.push(
      cpuMs(() => page(round).map(({ totals }) => [0.1, 0.5, 0.9].map((share) => percentile(totals, share)))),
    );
  }
  const plain = median(times.plain);
  const lines = Object.entries(times).map(([name, all]) => {
    // The first two compile.
    const measured = all.slice(2);
    return [
      name,
      spread(measured, twoDigits),
      whole((1000 * median(measured)) / PAGE),
      whole(median(measured) / plain),
    ];
  });
  return { fresh: times.fresh.slice(2), table: table(['page', 'ms', 'us per row', 'times plain'], lines) };
}

function fleet(): { model: ForecastModel; rows: Row[]; news: (round: number) => Run } {
  const random = chance(1);
  const model = createForecastModel({ halfLifeRuns: 20 });
  const remaining = STAGES.flatMap((stage) => NAMES.map((step) => ({ stage, step })));
  const [, ...later] = remaining;
  const rows = Array.from({ length: SERVICES }, (_, at): Row => {
    const whose = { project: 'shop', service: `service-${at}`, team: `team-${at % 40}` };
    const totals: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const both = STAGES.map((stage, nth) => simulatedRun({ ...whose, stage }, steps(random), 2 * run + nth, random));
      for (const one of both) model.add({ ...one, change: `${whose.service}-${run}` });
      totals.push(both.map(lengthOf).reduce((a, b) => a + b));
    }
    const running = { stage: 'staging', step: 'checks', startedAt: '2026-06-01T00:00:00.000Z' };
    return { question: { ...whose, running, remaining: later }, totals };
  });
  const place = { project: 'shop', service: 'news', team: 'team-1', stage: 'staging' };
  return { model, rows, news: (round) => simulatedRun(place, steps(random), 1000 + round, random) };
}

function steps(random: Chance): TrueStep[] {
  return NAMES.map((step) => ({
    ...{ step, human: step === 'approval', passes: 0.98 },
    seconds: () => (step === 'approval' ? 900 : 60) * Math.exp(0.5 * random.normal()),
  }));
}

async function memory(wanted: number): Promise<{ steps: number; grown: number; table: string }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'lynceus-bench-'));
  try {
    const held = await fill(folder, wanted);
    const answer = execFileSync(process.execPath, [...FLAGS, path.join(HERE, 'support/forecast-memory.ts'), folder]);
    const { ms, grown, peak, services } = JSON.parse(String(answer)) as Record<
      'ms' | 'grown' | 'peak' | 'services',
      number
    >;
    const mb = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
    const cells = [whole(held), whole(services), mb(grown), mb(peak), whole(ms)];
    return {
      steps: held,
      grown,
      table: table(['steps', 'services', 'MB', 'MB while learning', 'ms to learn'], [cells]),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Half a year of it, to the present. */
async function fill(dataDir: string, wanted: number): Promise<number> {
  const random = chance(2);
  const store = await openStore({ dataDir });
  const offset = Math.floor((Date.now() - Date.parse('2026-01-05T08:00:00.000Z')) / (6 * 3_600_000)) - 200;
  let held = 0;
  for (let at = 0; held < wanted; at++) {
    const runs = Array.from({ length: 1_000 }, (_, service) =>
      simulatedRun(
        {
          project: 'shop',
          service: `service-${service}`,
          team: `team-${service % 40}`,
          stage: STAGES[at % 2] as string,
        },
        steps(random),
        offset + at,
        random,
      ),
    );
    held += runs.reduce((sum, run) => sum + run.steps.length, 0);
    for (let from = 0; from < runs.length; from += 250)
      await store.commit({ documents: runs.slice(from, from + 250).map((run) => runRow(run)) });
  }
  await store.close();
  return held;
}

function cpuMs(call: () => unknown): number {
  const before = process.cpuUsage();
  call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
