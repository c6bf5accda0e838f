import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { bindable, numbered, oneOf } from '../../src/store/sqlite-dialect.ts';
import { documentList } from '../../src/store/statements.ts';
import type { DocumentQuery } from '../../src/store/store.ts';

describe('lists of rows in SQLite', () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lynceus-plans-'));
    await (await openStore({ dataDir: folder })).close();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each<[string, DocumentQuery, string]>([
    [
      'of contexts read their rows only',
      { kind: 'k', context: ['a', 'b'] },
      'documents_context (kind=? AND context=?)',
    ],
    [
      'of contexts and statuses too',
      { kind: 'k', context: ['a'], status: ['s'] },
      'documents_context (kind=? AND context=?)',
    ],
    ['of a kind are read in their order', { kind: 'k' }, 'documents_newest (kind=?)'],
    ['of a status are read in their order', { kind: 'k', status: ['s'] }, 'kind=?'],
  ])('%s', (_, query, index) => {
    const database = new DatabaseSync(join(folder, 'lynceus.db'), { readOnly: true });
    const { text, values } = documentList(query, oneOf);
    const plan = database.prepare(`explain query plan ${numbered(text)}`).all(...values.map(bindable));
    database.close();
    expect(plan.map(({ detail }) => detail).join('; ')).toContain(index);
  });
});
