import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noSequence } from '../../src/engine/sequence.ts';
import { sequenceCommit } from '../../src/runtime/sequences.ts';
import { openStore } from '../../src/store/open.ts';
import { lynceus } from '../support/cli.ts';
import { type HttpWorld, startHttpWorld, story, TOKENS } from '../support/http-world.ts';
import { planned, step } from '../support/sequence.ts';

const CART = story('cart', planned(step('sync')));

describe('lynceus rebuild', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'lynceus-rebuild-'));
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startHttpWorld({ sequences: [CART] });
  });
  afterAll(async () => {
    await world.stop();
    rmSync(dataDir, { recursive: true });
  });

  it('writes the rows of a store that nobody has open', async () => {
    const store = await openStore({ dataDir });
    const { appends } = sequenceCommit({ state: noSequence, version: 0 }, CART).commit;
    await store.commit({ appends });
    await store.close();
    const { code, out } = await lynceus(['rebuild'], { LYNCEUS_DATA_DIR: dataDir });
    expect([code, out]).toEqual([0, expect.stringContaining('Done: 1 sequences read')]);
    const after = await openStore({ dataDir });
    expect((await after.changes({})).records).toMatchObject([{ id: 'ctx-cart', service: 'cart' }]);
    expect(await after.document('sequence', 'cart')).toBeDefined();
    await after.close();
  });

  it('has the service do it that has the store open', async () => {
    const refused = await lynceus(['rebuild'], { LYNCEUS_DATA_DIR: world.dataDir });
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('in use by process')]);
    const there = await lynceus(['rebuild', '--server', world.url], { LYNCEUS_TOKEN: TOKENS.APPROVER });
    expect([there.code, there.out]).toEqual([0, expect.stringContaining('Done: 1 sequences read')]);
    const stranger = await lynceus(['rebuild', '--server', world.url], { LYNCEUS_TOKEN: TOKENS.READER });
    expect([stranger.code, stranger.err]).toEqual([1, expect.stringContaining('403')]);
  });
});
