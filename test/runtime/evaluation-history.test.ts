import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEvaluationHistory } from '../../src/runtime/evaluation-history.ts';
import { openStore } from '../../src/store/open.ts';
import { numbered } from '../../src/store/sqlite-dialect.ts';
import { documentList } from '../../src/store/statements.ts';
import type { Document, Store } from '../../src/store/store.ts';

const PLACE = { project: 'shop', stage: 'staging', service: 'checkout' };
const COUNT = 20_000;
const HOUR_MS = 3_600_000;

/** One in four is of the place; some of those were finished in the same millisecond. */
function row(nth: number): Document {
  const service = nth % 4 === 0 ? PLACE.service : `other-${nth % 50}`;
  return {
    ...{ kind: 'evaluation', id: `e${String(nth).padStart(6, '0')}`, version: 1, ...PLACE, service },
    ...{ context: `c${nth}`, status: 'pass', sort: Math.floor(nth / 16) * HOUR_MS },
    data: { evaluation: { result: 'pass', score: 100, indicators: [], message: '', compared: [] } },
  };
}

describe('the history of a place among many evaluations', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lynceus-history-'));
  let store: Store;
  beforeAll(async () => {
    store = await openStore({ dataDir: folder });
    for (let from = 0; from < COUNT; from += 5_000) {
      await store.commit({ documents: Array.from({ length: 5_000 }, (_, at) => row(from + at)) });
    }
    const marked = row(19_996);
    const { service = '', context = '', id } = marked;
    const invalidation = { kind: 'invalidation', version: 2, ...PLACE, service, status: 'known', sort: 1 };
    await store.commit({
      documents: [
        { ...invalidation, id, context, data: { actor: 'ada', reason: 'wrong host', at: 'then' } },
        { ...invalidation, id: 'e019992', context: 'c19992', status: 'restored', data: {} },
      ],
    });
  });
  afterAll(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('comes newest first, page by page, each once, also where several have one time', async () => {
    const seen: string[] = [];
    let before: { sort: number; id: string } | undefined;
    for (let page = 0; page < 4; page++) {
      const where = before === undefined ? {} : { before };
      const { views, older } = await readEvaluationHistory(store, { ...PLACE, limit: 61, ...where });
      seen.push(...views.map(({ id }) => id));
      before = older;
    }
    expect(seen).toHaveLength(244);
    expect(new Set(seen).size).toBe(244);
    expect(seen[0]).toBe('e019984');
  });

  it('knows what is ignored, and what is compared with again', async () => {
    const { views } = await readEvaluationHistory(store, { ...PLACE, limit: 4 });
    const ignored = views.flatMap(({ id, invalidated }) => (invalidated ? [[id, invalidated.reason]] : []));
    expect(ignored).toEqual([['e019996', 'wrong host']]);
  });

  it('ends where it was asked to begin, and where there is no more', async () => {
    const since = new Date(row(19_984).sort);
    const { views, older } = await readEvaluationHistory(store, { ...PLACE, limit: 60, since });
    expect(views).toHaveLength(4);
    expect(older).toBeUndefined();
    const none = await readEvaluationHistory(store, { ...PLACE, project: 'nobody', limit: 60 });
    expect(none).toEqual({ views: [] });
  });

  it('is read from one index, in its order, and no further than the page', () => {
    const db = new DatabaseSync(join(folder, 'lynceus.db'), { readOnly: true });
    const { text, values } = documentList({ kind: 'evaluation', ...PLACE, limit: 60 }, () => '');
    const plan = db.prepare(`explain query plan ${numbered(text)}`).all(...values.map(String));
    db.close();
    expect(plan.map(({ detail }) => detail)).toEqual([
      expect.stringMatching(
        /^SEARCH documents USING INDEX documents_place \(kind=\? AND project=\? AND stage=\? AND service=\?\)$/,
      ),
    ]);
  });
});
