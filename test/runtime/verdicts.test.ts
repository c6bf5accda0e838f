import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createHistory } from '../../src/runtime/history.ts';
import { openStore } from '../../src/store/open.ts';

const place = { project: 'shop', stage: 'staging', service: 'checkout' };
const at = (minute: number) => `2026-03-02T10:${String(minute).padStart(2, '0')}:00.000Z`;

it('evaluations of a stage are told newest first, with what was declared invalid, and without what was not judged', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lynceus-verdicts-'));
  const store = await openStore({ dataDir: folder });
  const row = (id: string, minute: number, status: string, score: number) => ({
    kind: 'evaluation',
    id,
    version: 1,
    ...place,
    context: `ctx-${id}`,
    status,
    sort: Date.parse(at(minute)),
    data: { evaluation: { result: status, score, indicators: [] }, revision: 'abc', finishedAt: at(minute) },
  });
  try {
    await store.commit({
      documents: [
        row('a', 1, 'pass', 100),
        row('b', 2, 'fail', 40),
        row('c', 3, 'errored', 0),
        {
          kind: 'invalidation',
          id: 'b',
          version: 1,
          ...place,
          sort: 1,
          data: { actor: 'ada', reason: 'no', at: at(4) },
        },
      ],
    });
    expect(await createHistory(store).verdicts?.(place, 10)).toEqual([
      {
        id: 'b',
        context: 'ctx-b',
        revision: 'abc',
        result: 'fail',
        at: at(2),
        score: 40,
        invalidated: { actor: 'ada', reason: 'no', at: at(4) },
      },
      { id: 'a', context: 'ctx-a', revision: 'abc', result: 'pass', at: at(1), score: 100 },
    ]);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

it('sequences of a stage are told newest first, also only those from before one of them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lynceus-sequences-'));
  const store = await openStore({ dataDir: folder });
  const row = (id: string, minute: number) => ({
    kind: 'sequence',
    id,
    version: 1,
    ...place,
    sort: Date.parse(at(minute)),
    data: { phase: 'running', tasks: [], abort: { at: at(minute), actor: id, reason: '' } },
  });
  try {
    await store.commit({ documents: [row('a', 1), row('b', 2), row('c', 3), row('d', 4)] });
    const names = async (limit?: number, before?: string) =>
      (await createHistory(store).sequences(place, new Date(0), limit, before)).map(({ abort }) => abort?.actor);
    expect(await names()).toEqual(['d', 'c', 'b', 'a']);
    expect(await names(2)).toEqual(['d', 'c']);
    expect(await names(2, at(3))).not.toContain('c');
    expect(await names(50, at(3))).toEqual(['b', 'a']);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
