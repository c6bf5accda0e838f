import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { storeContract } from '../contracts/store.ts';

describe('the embedded store', () => {
  storeContract(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lynceus-store-'));
    let others = 0;
    const store = await openSqliteStore({ dir: join(folder, 'first') });
    return {
      store,
      openAnother: () => {
        others += 1;
        return openSqliteStore({ dir: join(folder, `other-${others}`) });
      },
      dispose: async () => {
        await store.close();
        rmSync(folder, { recursive: true });
      },
    };
  });
});
