import { describe, expect, it } from 'vitest';
import type { Cell } from '../../src/answers/change-row.ts';
import { createForecasts } from '../../src/runtime/forecasts.ts';
import { createForesight, foresee, questionOf } from '../../src/runtime/foresee.ts';
import type { Document, Store } from '../../src/store/store.ts';
import { ago, GOLDEN_NOW, goldenChange, goldenFacts } from '../support/change-rows.ts';
import { chance, runRow, simulatedRun, type TrueStep } from '../support/simulated-runs.ts';

const STAGES = ['dev', 'staging', 'production'];
const NAMES = ['checks', 'approval', 'sync', 'rollout', 'test', 'evaluation', 'promotion'];
/** Some weeks before the golden moment. */
const SINCE = 1_180;
const random = chance(4);
const clock = { now: () => new Date(GOLDEN_NOW) };

/** Twelve changes through all stages; eu and us at the same time. */
function history(): Document[] {
  const steps = (human: boolean): TrueStep[] =>
    NAMES.map((step) => ({
      step,
      human: human && step === 'approval',
      passes: 1,
      seconds: () => 60 * Math.exp(0.2 * random.normal()),
    }));
  const of = { project: 'shop', service: 'checkout', team: 'payments' };
  return Array.from({ length: 12 }, (_, at) =>
    [
      ...STAGES.map((stage, nth) => simulatedRun({ ...of, stage }, steps(true), SINCE + 4 * at + nth, random)),
      simulatedRun({ ...of, stage: 'production-us' }, steps(true), SINCE + 4 * at + 2, random),
    ].map((run) => runRow({ ...run, change: `c${at}` })),
  ).flat();
}

/** Only what is read. */
const store = {
  document: async () => undefined,
  documents: async ({ kind }: { kind: string }) => (kind === 'steps' ? history().sort((a, b) => b.sort - a.sort) : []),
} as unknown as Store;

async function learnt() {
  const forecasts = createForecasts({ store, clock });
  await forecasts.refresh();
  return forecasts;
}

describe('what is foreseen of a change', () => {
  it('is the rest of its stage and the stages that it has not reached', async () => {
    const forecasts = await learnt();
    const question = questionOf(forecasts, goldenChange({ state: 'running' }, { step: 'sync', since: ago(1) }));
    expect(question?.running).toEqual({ stage: 'staging', step: 'sync', startedAt: ago(1) });
    const names = question?.remaining.map(({ stage, step }) => `${stage} ${step}`);
    expect(names).toEqual([
      ...NAMES.slice(3).map((step) => `staging ${step}`),
      ...NAMES.map((step) => `production ${step}`),
    ]);
    const { eta, odds, stepP90 } = foresee(
      forecasts,
      goldenChange({ state: 'running' }, { step: 'sync', since: ago(1) }),
    );
    expect(eta?.text).toMatch(/^~1[05] min \(\d+–\d+\)$/);
    expect(odds?.text).toMatch(/12 runs\)$/);
    expect(stepP90).toBeGreaterThan(60);
    expect(stepP90).toBeLessThan(180);
  });

  it('lets stages run at the same time that have always done so', async () => {
    const cells: Cell[] = [...STAGES, 'production-us'].map((stage) => ({
      stage,
      state: stage === 'dev' ? 'passed' : 'idle',
    }));
    const facts = { ...goldenChange({}, { stage: 'staging', step: 'evaluation' }), cells };
    const groups = questionOf(await learnt(), facts)?.remaining.map(({ stage, parallel }) => [stage, parallel]);
    expect(new Map(groups as [string, string | undefined][])).toEqual(
      new Map([
        ['staging', undefined],
        ['production', 'production'],
        ['production-us', 'production'],
      ]),
    );
  });

  it('waits for the change ahead first', async () => {
    const forecasts = await learnt();
    const alone = foresee(forecasts, goldenChange({ state: 'queued' }, { step: 'turn', since: ago(2) }));
    const behind = foresee(forecasts, goldenFacts.queue);
    expect(behind.eta?.total?.p50).toBeGreaterThan(alone.eta?.total?.p50 ?? Number.NaN);
  });

  it('is nothing of a change that is over or has failed, and never throws', async () => {
    const forecasts = await learnt();
    expect(foresee(forecasts, goldenFacts.none)).toEqual({ eta: null, odds: null });
    expect(foresee(forecasts, goldenFacts.gate)).toMatchObject({
      ...{ eta: null, odds: null },
      afterwards: { changes: 0, text: '0 % by itself; none has failed like this here before' },
    });
    for (const facts of Object.values(goldenFacts)) {
      const { eta, odds } = foresee(forecasts, facts);
      if (eta) expect(eta.text).not.toMatch(/NaN|undefined|Infinity/);
      if (odds) expect(odds.text).not.toMatch(/NaN|undefined|Infinity/);
    }
  });

  it('is remembered for some seconds, unless the change moves on', async () => {
    let now = new Date(GOLDEN_NOW).getTime();
    const forecasts = await learnt();
    const foreseen = createForesight(forecasts, { now: () => new Date(now) });
    const change = goldenChange({ state: 'running' }, { step: 'sync', since: ago(1) });
    const first = foreseen(change);
    expect(first).toEqual(foresee(forecasts, change));
    now += 4_000;
    expect(foreseen(change)).toBe(first);
    expect(foreseen({ ...change, rev: change.rev + 1 })).not.toBe(first);
    now += 6_000;
    expect(foreseen(change)).not.toBe(first);
  });
});
