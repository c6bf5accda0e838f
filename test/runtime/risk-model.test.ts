import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/base/clock.ts';
import { fold } from '../../src/engine/sequence.ts';
import type { SequenceEvent } from '../../src/events/types.ts';
import { assessRisk } from '../../src/risk/assess.ts';
import { defaultModel } from '../../src/risk/model.ts';
import { createRiskModels, refreshRiskModel } from '../../src/runtime/risk-model.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { sequenceRows } from '../../src/views/sequence-document.ts';
import { planned, step, taskFinished, taskTriggered, triggered } from '../support/sequence.ts';

const DAY = 86_400_000;
const BEGIN = Date.parse('2026-03-01T00:00:00Z');

/** A deployment some hours after the beginning; alerts were firing or not, and it failed or not. */
function deployment(project: string, at: number, alerts: boolean, failed: boolean): SequenceEvent[] {
  const moment = new Date(BEGIN + at * 3_600_000).toISOString();
  const place = { project, stage: 'production', service: 'checkout' };
  const signals = { history: { deployments: 0, failures: 0 }, alertsFiring: alerts ? 1 : 0 };
  const { score: _, level: __, ...answer } = assessRisk(signals, { approvalAbove: 99 });
  return [
    {
      ...triggered({ sequence: `${project}-${at}`, revision: String(at).padStart(40, '0'), place }),
      at: moment,
    } as SequenceEvent,
    ...planned(step('checks'), step('sync'), step('rollout')).slice(1),
    taskTriggered(1, 'checks'),
    taskFinished('checks', 'pass', { data: { answers: [answer] } }),
    taskTriggered(2, 'sync'),
    taskFinished('sync', 'pass'),
    taskTriggered(3, 'rollout'),
    taskFinished('rollout', failed ? 'fail' : 'pass'),
    {
      name: 'sequence.finished',
      at: moment,
      data: {
        status: 'succeeded',
        result: failed ? 'fail' : 'pass',
        reason: failed ? 'failed' : 'completed',
        message: '',
      },
    },
  ];
}

describe('the risk model of a project', () => {
  let folder: string;
  let store: Store;
  let now = BEGIN;
  const clock: Clock = { now: () => new Date(now) };
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lynceus-risk-'));
    store = await openStore({ dataDir: folder });
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Alerts mean trouble here: with them half of the deployments fail, without them one in twenty. */
  async function remember(project: string, count: number): Promise<void> {
    for (let at = 0; at < count; at++) {
      const alerts = at % 4 === 0;
      const failed = alerts ? at % 8 === 0 : at % 20 === 1;
      await store.commit({ documents: sequenceRows(fold(deployment(project, at, alerts, failed)), 1) });
    }
    now = BEGIN + count * 3_600_000;
  }
  /** What the workers would do now; answers how many jobs there were. */
  async function work(): Promise<number> {
    const jobs = await store.claim({ limit: 10, leaseMs: 10_000, queues: ['risk-model'] });
    for (const job of jobs) await refreshRiskModel({ store, clock }, job);
    return jobs.length;
  }

  it('is the default until somebody asked and outcomes were looked at', async () => {
    await remember('shop', 240);
    const models = createRiskModels(store, clock);
    expect(await models.report('shop')).toMatchObject({ model: defaultModel, calibration: null, fittedAt: null });
    expect(await work()).toBe(0);
    expect(await models.current('shop')).toEqual(defaultModel);
    expect(await models.current('shop')).toEqual(defaultModel);
    expect(await work()).toBe(1);
    const fitted = await models.current('shop');
    expect(fitted).toMatchObject({ origin: 'fitted', outcomes: 240 });
    expect(fitted.coefficients.alerts).toBeGreaterThan(defaultModel.coefficients.alerts + 0.5);
    const report = await models.report('shop');
    // Of 60 with alerts 30 failed; of the others those at 1, 21, 41, ...: 12.
    expect(report.calibration).toMatchObject({ count: 240, failures: 42 });
    expect(report.calibration?.skill).toBeGreaterThan(0);
    expect(report.why).toMatch(/^fitted to 240 outcomes/);
  });

  it('is still there after a restart, looked at daily and refit monthly', async () => {
    await remember('shop', 240);
    await createRiskModels(store, clock).current('shop');
    await work();
    await store.close();
    store = await openStore({ dataDir: folder });
    const models = createRiskModels(store, clock);
    const { model, fittedAt } = await models.report('shop');
    expect(model.origin).toBe('fitted');
    await models.current('shop');
    expect(await work()).toBe(0);
    now += 2 * DAY;
    await models.current('shop');
    expect(await work()).toBe(1);
    const later = await models.report('shop');
    expect(later).toMatchObject({ fittedAt, calibratedAt: new Date(now).toISOString() });
    now += 29 * DAY;
    await models.current('shop');
    await work();
    expect((await models.report('shop')).fittedAt).toBe(new Date(now).toISOString());
  });

  it('is its own: outcomes of other projects say nothing of it', async () => {
    await remember('shop', 240);
    await createRiskModels(store, clock).current('bank');
    await work();
    expect(await createRiskModels(store, clock).report('bank')).toMatchObject({
      model: defaultModel,
      why: 'the defaults are used: 0 outcomes in 180 days, 100 are needed',
      calibration: null,
    });
  });
});
