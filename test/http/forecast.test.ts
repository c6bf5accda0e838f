import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import type { Run } from '../../src/forecast/run.ts';
import { bearer, type HttpWorld, startHttpWorld, TOKENS } from '../support/http-world.ts';
import { chance, runRow, simulatedRun, type TrueStep } from '../support/simulated-runs.ts';

const DAY = 86_400_000;
const random = chance(11);
const HOSTILE = '"><script>alert(1)</script>';

const QUIET = {
  ...{ env: {}, sources: { env: {}, readFile: () => '' }, columns: 100 },
  stop: new AbortController().signal,
  die: (): never => {
    throw new Error('died');
  },
};

function steps(slow: number, passes: number): TrueStep[] {
  const around = (seconds: number) => () => seconds * Math.exp(0.25 * random.normal());
  return [
    { step: 'approval', human: true, passes: 1, seconds: around(1800) },
    { step: 'sync', human: false, passes: 1, seconds: around(40 * slow) },
    { step: 'evaluation', human: false, passes, seconds: around(300) },
  ];
}

/** Thirty changes in the last thirty days; since the twentieth the sync is slow, and every tenth one fails its evaluation. */
function history(): Run[] {
  const place = { project: 'shop', service: 'checkout', team: 'payments' };
  const runs = Array.from({ length: 30 }, (_, at) =>
    ['staging', 'prod'].map((stage) => {
      const fails = stage === 'prod' && at % 10 === 5;
      const run = simulatedRun(
        { ...place, stage },
        steps(at < 20 ? 1 : 3, fails ? 0 : 1),
        4 * at + (stage === 'prod' ? 1 : 0),
        random,
      );
      const change = `change-${at}`;
      const failing = run.steps.map((step) =>
        step.outcome === 'failed' ? { ...step, cause: `p95, ${HOSTILE}` } : step,
      );
      return { ...run, change, steps: failing, ...(run.steps[1] ? { deployedAt: run.steps[1].endedAt } : {}) };
    }),
  );
  return shifted(runs.flat());
}

/** To end now, whatever the day. */
function shifted(runs: readonly Run[]): Run[] {
  const last = Math.max(...runs.map(({ endedAt }) => Date.parse(endedAt ?? '')));
  const by = Math.floor((Date.now() - 60_000 - last) / 1000) * 1000;
  const move = (iso: string) => new Date(Date.parse(iso) + by).toISOString();
  return JSON.parse(JSON.stringify(runs), (key, value) =>
    ['startedAt', 'endedAt', 'deployedAt'].includes(key) ? move(String(value)) : value,
  ) as Run[];
}

describe('the forecast of a service, over HTTP', () => {
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startHttpWorld({ documents: history().map((run) => runRow(run)) });
  });
  afterAll(() => world.stop());
  const api = async (query: string) =>
    (await (await world.get(`/api/v1/forecast${query}`, bearer(TOKENS.READER))).json()) as Record<string, unknown>;
  const screen = async (query: string) => (await world.get(`/forecast${query}`, bearer(TOKENS.READER))).text();

  it('says how long, how likely, where it fails, what is slow, and the four measures', async () => {
    const answer = await api('?service=checkout');
    expect(answer).toMatchObject({
      about: { project: 'shop', service: 'checkout', team: 'payments', to: 'prod', days: 30 },
      choices: { stages: ['staging', 'prod'], services: [{ project: 'shop', service: 'checkout' }] },
      runs: { used: 60, all: 60 },
      forecast: { eta: { text: expect.stringMatching(/^~\d+ min \(\d+–\d+\)$/) }, odds: { basis: 'service', n: 30 } },
      publication: { shown: true },
      failsAt: [{ stage: 'prod', step: 'evaluation', failed: 3, of: 30 }],
      dora: { deployments: 30, failures: 3, restored: 3, failureRate: 0.1, stage: 'prod' },
    });
    expect(String(answer['slow'])).toMatch(/approval in (staging|prod) is \d+ % of the time, waiting for people/);
    expect(String(answer['slow'])).toMatch(/sync in prod takes (2\.\d|3(\.\d)?) times as long since \d{4}-\d\d-\d\d/);
  });

  it('answers about a part of the way, a period, and everybody', async () => {
    const whole = await api('?service=checkout');
    const part = await api('?service=checkout&from=prod');
    expect((part['steps'] as unknown[]).length).toBe((whole['steps'] as unknown[]).length / 2);
    expect(await api('?service=checkout&stage=prod')).toMatchObject({ about: { from: 'prod' } });
    expect(await api('?days=1')).toMatchObject({ forecast: null, dora: { days: 1 } });
    expect(await api('?days=nonsense&colour=red')).toMatchObject({ about: { days: 30 } });
    expect(await api('?team=nobody')).toMatchObject({ runs: { all: 0 }, dora: { deployments: 0 } });
  });

  it('is a page that says all of it in words, with a text for every bar', async () => {
    const text = await screen('?service=checkout&to=prod');
    expect(text).toContain('<h1>Forecast: checkout</h1>');
    for (const words of ['Time from the start to the end of prod', 'Fails mostly at', 'Slow spots', 'Were we right?'])
      expect(text).toContain(words);
    for (const words of ['Deployment frequency', 'Lead time for changes', 'Change failure rate', 'Time to restore'])
      expect(text).toContain(words);
    expect(text).toContain('3 of 30 runs; p95 (3)');
    const bars = text.match(/<svg class="bar"[^>]*>/g) ?? [];
    expect(bars.length).toBeGreaterThanOrEqual(9);
    for (const bar of bars) expect(bar).toMatch(/aria-label="[^"]{20,}"/);
    expect(text).not.toContain(' style=');
    expect(text).not.toContain('<script>');
  });

  it('is empty in words where there is nothing, and repeats nobody unescaped', async () => {
    expect(await screen('')).toContain('Choose a service');
    expect(await screen('?service=unknown&project=shop')).toMatch(
      /median of all services ~\d+ min .*no run of its own so far/,
    );
    const text = await screen(
      `?service=${encodeURIComponent(HOSTILE)}&project=shop&team=${encodeURIComponent(HOSTILE)}`,
    );
    expect(text).not.toContain('<script>');
    expect(text).toContain('&lt;script&gt;');
    expect(await api(`?service=${'x'.repeat(300)}`)).toMatchObject({ forecast: null });
  });

  it('is learnt and kept in the background without a complaint', () => {
    expect(world.log.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
  });

  it('spans the days that it says', async () => {
    const answer = await api('?service=checkout&days=7');
    const expected = history().filter(
      ({ stage, deployedAt }) => stage === 'prod' && Date.now() - Date.parse(deployedAt ?? '') < 7 * DAY,
    );
    expect(
      Math.abs(Number((answer['dora'] as { deployments: number }).deployments) - expected.length),
    ).toBeLessThanOrEqual(1);
  });

  it('is told in the terminal, too', async () => {
    const run = async (...args: string[]) => {
      let text = '';
      const say = (more: string) => {
        text += `${more}\n`;
      };
      const code = await runProgram({ ...QUIET, out: say, err: say }, ['forecast', ...args, '--token', TOKENS.READER]);
      return { code, text };
    };
    const { code, text } = await run('checkout', '--stage', 'prod', '--server', world.url);
    expect(code).toBe(0);
    expect(text).toMatch(/^Time {5}~\d+ min \(\d+–\d+\); based on 60 of 60 runs$/m);
    expect(text).toMatch(/^Arrives {2}\d+ % \(\d+–\d+, 30 runs\)$/m);
    expect(text).toMatch(/^Fails {4}at evaluation in prod: 3 of 30; p95 \(3\)/m);
    expect(text).toMatch(/^prod: approval \(people\) +\d+ min +\d+ min to \d+ min +30$/m);
    expect(await run('nobody', '--server', world.url)).toMatchObject({
      code: 0,
      text: expect.stringContaining('Nothing is known of nobody'),
    });
    expect(await run('checkout', '--server', 'http://127.0.0.1:1')).toMatchObject({
      code: 1,
      text: expect.stringContaining('cannot be reached'),
    });
  });
});
