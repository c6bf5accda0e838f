import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changesCount, changesList, changesTotal } from '../../src/store/change-statements.ts';
import { openStore } from '../../src/store/open.ts';
import { FOUND } from '../../src/store/sqlite-changes.ts';
import { bindable, numbered, oneOf } from '../../src/store/sqlite-dialect.ts';
import { documentList, type Statement } from '../../src/store/statements.ts';
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
    expect(planOf(documentList(query, oneOf))).toContain(index);
  });

  const often = { names: ['word'], values: ['retry'], prefix: true, often: true };
  it.each<[string, Statement, string]>([
    ['lists of a state are read in their order', changesList({ state: ['s'] }, oneOf), 'COVERING INDEX changes_list'],
    ['so are those of a word', changesList({ keys: [often] }, oneOf), 'SCAN changes USING COVERING INDEX changes_list'],
    ['counts of facets read no change', changesCount({ state: ['s'] }, oneOf, FOUND), 'SCAN change_counts'],
    ['totals of facets neither', changesTotal({ team: ['t'] }, oneOf, FOUND), 'SCAN change_counts'],
    [
      'counts of a word read an index only',
      changesCount({ keys: [often] }, oneOf, FOUND),
      'COVERING INDEX changes_found (id=?)',
    ],
  ])('of changes: %s', (_, statement, index) => {
    expect(planOf(statement)).toContain(index);
  });

  function planOf({ text, values }: Statement): string {
    const database = new DatabaseSync(join(folder, 'lynceus.db'), { readOnly: true });
    const plan = database.prepare(`explain query plan ${numbered(text)}`).all(...values.map(bindable));
    database.close();
    return plan.map(({ detail }) => detail).join('; ');
  }
});
