import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GitHost } from '../../src/adapters/git-hosts/git-host.ts';
import { planToJson } from '../../src/engine/plan.ts';
import { noSequence } from '../../src/engine/sequence.ts';
import type { SequenceEvent } from '../../src/events/types.ts';
import { createPromotionFinder } from '../../src/runtime/promotions.ts';
import { sequenceCommit } from '../../src/runtime/sequences.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { minute, started, step, triggered } from '../support/sequence.ts';

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lynceus-promotions-'));
  store = await openStore({ dataDir: folder });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const sha = (letter: string) => letter.repeat(40);
const production = { project: 'shop', stage: 'production', service: 'checkout' };
const keep = (events: SequenceEvent[]) =>
  store.commit(sequenceCommit({ state: noSequence, version: 0 }, events).commit);

interface Promotion {
  edits?: boolean;
  memo?: object;
  /** It was merged by this commit. */
  merged?: string;
}

/** A change in staging, on its way to production. */
async function promoted(context: string, at: number, revision: string, { edits, memo, merged }: Promotion) {
  const sequence = `staging-${context}`;
  const [plan, task, when] = [`${sequence}.0-plan`, `${sequence}.1-promotion`, minute(at)];
  const own = step('promotion', edits ? { changes: [{ copy: { from: 'a', to: 'b' } }] } : {});
  const data = planToJson({ steps: [own], files: [] });
  const begun = triggered({ sequence, context, revision, place: { ...production, stage: 'staging' } });
  const ended = { mergeSha: merged ?? '', pullRequest: 7, to: 'production' };
  await keep([
    { ...begun, at: when } as SequenceEvent,
    started,
    { name: 'task.triggered', at: when, data: { task: plan, name: 'plan', timeLimitMs: 1 } },
    {
      name: 'task.finished',
      at: when,
      data: { task: plan, name: 'plan', status: 'succeeded', result: 'pass', message: '', data },
    },
    { name: 'task.triggered', at: when, data: { task, name: 'promotion', timeLimitMs: 1 } },
    {
      name: 'task.waiting',
      at: when,
      data: { task, blocker: { kind: 'review', sentence: '' }, memo: { targets: { production: memo ?? {} } } as never },
    },
    ...(merged === undefined
      ? []
      : [
          {
            name: 'task.finished',
            at: when,
            data: { task, name: 'promotion', status: 'succeeded', result: 'pass', message: '', data: ended },
          } as const,
        ]),
  ]);
}

const arrived = (context: string, at: number, revision: string) =>
  keep([
    {
      ...triggered({ sequence: `production-${context}`, context, revision, place: production }),
      at: minute(at),
    } as SequenceEvent,
  ]);

/** A host where a commit contains those that are listed behind it. */
function find(revision: string, contained: string[], mergeSha?: string) {
  const host = {
    contains: async (_: unknown, __: string, ancestor: string) => contained.includes(ancestor),
    readPullRequest: async () => ({ state: mergeSha ? 'merged' : 'open', ...(mergeSha ? { mergeSha } : {}) }),
  } as unknown as GitHost;
  const commit = { repoUrl: 'https://git.example.com/shop.git', revision };
  return createPromotionFinder(store, () => host)(production, commit, new AbortController().signal);
}

describe('a commit on the branch of a stage', () => {
  it('is the change whose promotion was merged by it', async () => {
    await promoted('a', 1, sha('a'), { merged: sha('1') });
    expect(await find(sha('1'), [])).toMatchObject({ context: 'a', pullRequest: 7 });
  });

  it('is the change that was merged just before, when others pushed on top before anybody looked', async () => {
    await promoted('a', 1, sha('a'), { merged: sha('1') });
    expect(await find(sha('2'), [sha('1')])).toMatchObject({ context: 'a' });
  });

  it('is none that has arrived already, and none from before that', async () => {
    await promoted('a', 1, sha('a'), { merged: sha('1') });
    await promoted('b', 2, sha('b'), { merged: sha('2') });
    await arrived('b', 3, sha('2'));
    expect(await find(sha('3'), [sha('1'), sha('2')])).toBeUndefined();
  });

  it('is the change that somebody merged by hand', async () => {
    await promoted('a', 1, sha('a'), { memo: { pullRequest: 7 } });
    expect(await find(sha('2'), [sha('a')])).toMatchObject({ context: 'a' });
  });

  it('is none that is still open, however long the verified commit has been on the shared branch', async () => {
    await promoted('a', 1, sha('a'), { edits: true, memo: { pullRequest: 7, head: sha('e') } });
    expect(await find(sha('2'), [sha('a')])).toBeUndefined();
    expect(await find(sha('2'), [sha('a'), sha('e')])).toMatchObject({ context: 'a' });
    expect(await find(sha('2'), [sha('a'), sha('9')], sha('9'))).toMatchObject({ context: 'a' });
  });

  it('is none of a promotion that waits for its turn', async () => {
    await promoted('a', 1, sha('a'), { edits: true, memo: { ready: true } });
    expect(await find(sha('2'), [sha('a')])).toBeUndefined();
  });
});
