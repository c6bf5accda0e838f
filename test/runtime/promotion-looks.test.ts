import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { planToJson } from '../../src/engine/plan.ts';
import { noSequence } from '../../src/engine/sequence.ts';
import type { SequenceEvent } from '../../src/events/types.ts';
import { followersLooks, promotionLooks, queuedLooks } from '../../src/runtime/promotion-looks.ts';
import { sequenceCommit } from '../../src/runtime/sequences.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { START, started, step, triggered } from '../support/sequence.ts';

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lynceus-looks-'));
  store = await openStore({ dataDir: folder });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const targets = ['eu', 'us'].map((to) => ({ to, branch: `stage/${to}` }));

/** A sequence that waits at its promotion, with what it remembers of its targets. */
function waiting(sequence: string, stage: string, memo: Record<string, object>): SequenceEvent[] {
  const data = planToJson({ steps: [{ ...step('promotion'), targets } as ReturnType<typeof step>], files: [] });
  const place = { project: 'shop', stage, service: 'checkout' };
  const [plan, task] = [`${sequence}.0-plan`, `${sequence}.1-promotion`];
  const at = START;
  return [
    triggered({ sequence, context: sequence, place }),
    started,
    { name: 'task.triggered', at, data: { task: plan, name: 'plan', timeLimitMs: 1 } },
    {
      name: 'task.finished',
      at,
      data: { task: plan, name: 'plan', status: 'succeeded', result: 'pass', message: '', data },
    },
    { name: 'task.triggered', at, data: { task, name: 'promotion', timeLimitMs: 1 } },
    {
      name: 'task.waiting',
      at,
      data: { task, blocker: { kind: 'review', sentence: 'x' }, memo: { targets: memo } as never },
    },
  ];
}

const keep = (events: SequenceEvent[]) =>
  store.commit(sequenceCommit({ state: noSequence, version: 0 }, events).commit);
const place = { project: 'shop', stage: 'dev', service: 'checkout' };
const over: SequenceEvent = {
  name: 'sequence.finished',
  at: START,
  data: { status: 'succeeded', result: 'pass', reason: 'completed', message: '' },
};

describe('promotions look', () => {
  it('when another one of the service came so far, where they wait for their turn', async () => {
    await keep(waiting('a', 'dev', { eu: { pullRequest: 1 }, us: { ready: true } }));
    await keep(waiting('b', 'qa', { eu: { pullRequest: 2 }, us: { pullRequest: 3, ready: true } }));
    const looks = await queuedLooks(store, { ...place, stage: 'staging' }, [over]);
    expect(looks.map(({ key }) => key)).toEqual(['a.1-promotion']);
    expect(await queuedLooks(store, { ...place, service: 'cart' }, [over])).toEqual([]);
    expect(await queuedLooks(store, place, [started])).toEqual([]);
  });

  it('when another one of the service opened a pull request that they may follow', async () => {
    await keep(waiting('a', 'dev', { eu: { pullRequest: 1 }, us: { ready: true } }));
    const ready = { targets: { eu: { ready: true }, us: { ready: true } } };
    const opened = { targets: { eu: { ready: true }, us: { ready: true, pullRequest: 4 } } };
    const staging = { ...place, stage: 'staging' };
    expect((await followersLooks(store, staging, ready, opened)).map(({ key }) => key)).toEqual(['a.1-promotion']);
    expect(await followersLooks(store, staging, opened, opened)).toEqual([]);
    expect(await followersLooks(store, staging, {}, ready)).toEqual([]);
  });

  it('when a stage was evaluated again, in that stage', async () => {
    await keep(waiting('a', 'dev', { eu: { pullRequest: 1 } }));
    await keep(waiting('b', 'qa', { eu: { pullRequest: 2 } }));
    expect((await promotionLooks(store, place)).map(({ key }) => key)).toEqual(['a.1-promotion']);
  });
});

describe('a stage that was reached', () => {
  it('has its applications look at Git at once, also while the promotion to another stage waits, and only once', () => {
    const events = waiting('a', 'dev', { eu: { pullRequest: 1 }, us: { pullRequest: 2 } });
    const { next } = sequenceCommit({ state: noSequence, version: 0 }, events);
    const outcome = { status: 'succeeded', result: 'pass', message: '', data: { mergeSha: 'm', pullRequest: 1 } };
    const memo = { targets: { eu: { pullRequest: 1, outcome }, us: { pullRequest: 2 } } };
    const data = { task: 'a.1-promotion', blocker: { kind: 'review', sentence: 'x' } as const, memo: memo as never };
    const merged: SequenceEvent = { name: 'task.waiting', at: START, data };
    const refreshed = ({ commit }: ReturnType<typeof sequenceCommit>) =>
      commit.jobs.filter(({ queue }) => queue === 'refresh').map(({ key }) => key);
    const first = sequenceCommit(next, [merged]);
    expect(refreshed(first)).toEqual(['place/shop/eu/checkout']);
    expect(
      refreshed(
        sequenceCommit(first.next, [{ ...merged, data: { ...data, blocker: { kind: 'review', sentence: 'y' } } }]),
      ),
    ).toEqual([]);
  });
});
