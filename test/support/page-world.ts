import type { ChangeFacts } from '../../src/answers/change-facts.ts';
import { BLOCKER_KINDS } from '../../src/answers/change-row.ts';
import { changeRecord } from '../../src/runtime/change-record.ts';
import { askForRebuild } from '../../src/runtime/rebuild.ts';
import type { Store } from '../../src/store/store.ts';
import { sequenceRows } from '../../src/views/sequence-document.ts';
import { GOLDEN_NOW, goldenAhead, goldenFacts } from './change-rows.ts';
import { type HttpWorld, type HttpWorldOptions, startHttpWorld } from './http-world.ts';
import { pastRuns } from './past-runs.ts';

/** The token by which a browser signs in as Lin, who may do everything. */
export const LIN = 'token-of-lin-9f8e7d6c5b4a';

/** A change for each kind of waiting, found by the kind as its id. */
export const goldenChanges: readonly ChangeFacts[] = BLOCKER_KINDS.map((kind) => ({ ...goldenFacts[kind], id: kind }));

/**
 * The real service with one change for each kind of waiting, and with runs that forecasts are made of; its clock begins at
 * the moment of the golden changes. There is no log behind them: they can be looked at, not moved.
 */
export function startPageWorld(
  changes: readonly ChangeFacts[] = [...goldenChanges, goldenAhead],
  options: HttpWorldOptions = {},
): Promise<HttpWorld> {
  const ahead = Date.parse(GOLDEN_NOW) - Date.now();
  return startHttpWorld({
    ...options,
    connections: `${options.connections ?? ''}  - {name: lin, token: {env: LIN}, roles: [admin], groups: [payments-approvers, sre]}\n`,
    env: { LIN, ...options.env },
    clock: { now: () => new Date(Date.now() + ahead) },
    async fill(store) {
      await haveRows(store);
      await store.commit({ changes: changes.map((facts) => changeRecord(facts, [])) });
      await store.commit({ documents: pastRuns().flatMap((state) => sequenceRows(state, 9)) });
      await options.fill?.(store);
    },
  });
}

/** A service that finds no rows makes them anew from the log. */
async function haveRows(store: Store): Promise<void> {
  await askForRebuild(store, new Date(GOLDEN_NOW));
  for (const claim of await store.claim({ limit: 10, leaseMs: 60_000, queues: ['rebuild'] }))
    await store.commit({ claim, settle: { kind: 'done' } });
}
