import { expect } from 'vitest';
import type { Store } from '../../src/store/store.ts';

function aChange(id: string, state: string, more: { team?: string } = {}) {
  const place = { project: 'shop', service: 'checkout', kind: 'code', rank: 2 };
  return { id, version: 1, state, createdAt: 1, movedAt: 1, keys: [], data: {}, ...place, ...more };
}

/** Three changes, as a store has them that does not count yet. */
export async function writeCounted(store: Store): Promise<void> {
  await store.commit({
    changes: [aChange('a', 'running', { team: 'payments' }), aChange('b', 'running'), aChange('c', 'failed')],
  });
}

/** It counts those, and goes on counting. */
export async function expectCounted(store: Store): Promise<void> {
  expect(await store.changes({})).toMatchObject({
    total: 3,
    facets: { state: { running: 2, failed: 1 }, team: { payments: 1 }, stage: {} },
  });
  await store.commit({ changesGone: ['b'], changes: [{ ...aChange('c', 'passed'), version: 2 }] });
  expect(await store.countChanges({ state: ['running', 'passed'] })).toBe(2);
  expect(await store.countChanges({})).toBe(2);
}
