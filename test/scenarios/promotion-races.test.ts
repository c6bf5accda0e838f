import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { AdapterError } from '../../src/base/adapter-error.ts';
import { systemClock } from '../../src/base/clock.ts';
import { alone } from '../../src/runtime/alone.ts';
import { openStore } from '../../src/store/open.ts';
import { claimedWork } from '../support/claimed-work.ts';
import { createPromotionLine, type PromotionLine, type Verified } from '../support/promotion-line.ts';

/** All of it by `npm run races`. */
const COUNT = process.env['LYNCEUS_RACES'] === 'full' ? 20 : 6;
const STAGES = ['eu', 'us'];
const LIMIT_MS = 300_000;

/** Looks as the runtime does, until it is over. */
async function untilOver(change: Verified): Promise<string> {
  for (;;) {
    const outcome = await change.look().catch((error: unknown) => {
      if (error instanceof AdapterError && error.retryable) return undefined;
      throw error;
    });
    if (outcome?.kind === 'finished') return `${outcome.result}: ${outcome.message}`;
    await sleep(Math.min(outcome?.askAgainMs ?? 200, 50));
  }
}

/** Somebody pushes to both branches all the time, to files of their own. */
async function pushUntil(line: PromotionLine, isOver: () => boolean): Promise<Map<string, string[]>> {
  const pushed = new Map<string, string[]>(STAGES.map((stage) => [stage, []]));
  for (let count = 1; !isOver(); count++) {
    const stage = STAGES[count % 2] ?? '';
    const branch = `stage/${stage}`;
    try {
      pushed.get(stage)?.push(line.commit(branch, { [`by-hand-${count}.txt`]: `${count}\n` }, `By hand ${count}`));
    } catch {
      // Somebody merged in the same moment: whoever pushes tries again, as everybody does.
    }
    await sleep(120);
  }
  return pushed;
}

it(`${COUNT} promotions at once into two branches to which somebody pushes all end, once each, with what was evaluated`, {
  timeout: LIMIT_MS,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lynceus-races-'));
  const store = await openStore({ dataDir: folder });
  const policies = Object.fromEntries(STAGES.map((stage) => [`before-${stage}`, { to: [stage] }]));
  const line = createPromotionLine(policies, {
    replicas: 3,
    alone: async (key, act) => alone({ store, clock: systemClock }, await claimedWork(store, LIMIT_MS), key, act),
  });
  try {
    const changes = Array.from({ length: COUNT }, (_, at) => {
      const stage = STAGES[at % 2] ?? '';
      const commit = line.origin.commit({
        branch: `work-${at}`,
        from: 'main',
        files: { [`service-${at}.json`]: `{"version": ${at}}\n` },
        message: `Release ${at}`,
      });
      return { stage, change: line.verified(`before-${stage}`, `ctx-${at}`, commit, `service-${at}`) };
    });
    let over = false;
    const pushing = pushUntil(line, () => over);
    const ends = await Promise.all(changes.map(({ change }) => untilOver(change)));
    over = true;
    const pushed = await pushing;
    expect(ends.filter((end) => !end.startsWith('pass: promoted to'))).toEqual([]);
    for (const stage of STAGES) {
      const evaluated = changes.filter((one) => one.stage === stage).map(({ change }) => change.commit);
      const log = line.origin.git('log', '--first-parent', '--format=%H %P', `main..stage/${stage}`).split('\n');
      const merged = log.map((row) => row.split(' ')).filter((row) => row.length === 3);
      expect(merged.map(([, , second]) => second).toSorted()).toEqual(evaluated.toSorted());
      const all = line.origin.git('rev-list', `main..stage/${stage}`).split('\n');
      const known = new Set([...evaluated, ...(pushed.get(stage) ?? []), ...merged.map(([sha]) => sha)]);
      expect(all.filter((sha) => !known.has(sha))).toEqual([]);
      // What was pushed meanwhile is still there, and so is every promoted file as it was evaluated.
      expect((pushed.get(stage) ?? []).every((sha) => all.includes(sha))).toBe(true);
      for (const [at, one] of changes.entries()) {
        if (one.stage === stage) expect(line.read(`stage/${stage}`, `service-${at}.json`)).toBe(`{"version": ${at}}`);
      }
    }
    const open = line.origin.git('for-each-ref', '--format=%(refname)', 'refs/heads/lynceus/');
    expect(open).toBe('');
  } finally {
    await store.close();
    line.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
