import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createEvaluations } from '../../src/runtime/evaluations.ts';
import { openStore } from '../../src/store/open.ts';

const SLO = 'spec_version: "1.0"\nobjectives: [{sli: a, pass: [{criteria: ["<=1"]}]}]\ntotal_score: {pass: "90%"}\n';

it('answers as it is now when too many wait already, so that waiting cannot wear out the store', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lynceus-waiting-'));
  const store = await openStore({ dataDir: folder });
  try {
    const evaluations = createEvaluations({ store, clock: { now: () => new Date() } });
    // Nobody works on it here: it stays as it is.
    const { id } = await evaluations.request({
      place: { project: 'shop', stage: 'staging', service: 'checkout' },
      period: { start: '2026-03-02T10:00:00Z', end: '2026-03-02T10:05:00Z' },
      slo: SLO,
      requestedBy: 'reporter',
    });
    const waiting = Array.from({ length: 200 }, () => evaluations.wait(id, 1_500).then(() => 'waited'));
    const late = evaluations.wait(id, 60_000).then((view) => view?.state);
    expect(await Promise.race([late, ...waiting])).toBe('running');
    await Promise.all(waiting);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}, 20_000);
