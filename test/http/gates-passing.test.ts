import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noSequence } from '../../src/engine/sequence.ts';
import type { SequenceEvent } from '../../src/events/types.ts';
import { createGates, type Gates } from '../../src/http/gates/gates.ts';
import { createEvaluations } from '../../src/runtime/evaluations.ts';
import { createProgressBoard } from '../../src/runtime/progress.ts';
import { sequenceCommit } from '../../src/runtime/sequences.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { placeOf } from '../support/gate-world.ts';
import { story } from '../support/http-world.ts';
import { planned, step, taskFinished, taskTriggered } from '../support/sequence.ts';

const clock = { now: () => new Date('2026-03-02T12:00:10.000Z') };
const ASKER = { name: 'reporter', method: 'token', base: 'http://lynceus', patienceMs: 0 } as const;
const WHERE = placeOf('checkout');
const QUESTION = { where: WHERE, kind: 'evaluation', until: 'verdict', timeframeMs: 300_000, delayMs: 0 } as const;

describe('a gate that is asked without a key', () => {
  let folder: string;
  let store: Store;
  let gates: Gates;
  let unseen: string | undefined;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lynceus-gates-'));
    store = await openStore({ dataDir: folder });
    const evaluations = createEvaluations({ store, clock });
    unseen = undefined;
    const findUnseenCommit = async () => unseen;
    const findSyncingCommit = async () => ({ why: 'nothing is being synced' });
    const progress = createProgressBoard();
    gates = createGates({ store, clock, progress, evaluations, findUnseenCommit, findSyncingCommit });
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const deploy = async (id: string, hour: number, ...more: SequenceEvent[]) => {
    const at = `2026-03-02T${hour}:00:00.000Z`;
    const history = story(id, [...planned(step('sync')), ...more], { at, place: WHERE });
    const { commit } = sequenceCommit({ state: noSequence, version: 0 }, history);
    await store.commit({ appends: commit.appends, documents: commit.documents });
  };
  const asked = async () => {
    const started = await gates.start(QUESTION, ASKER);
    return 'id' in started ? started.id : started.answer.reason;
  };
  const synced = [taskTriggered(1, 'sync'), taskFinished('sync', 'pass')];

  it('gives all who ask in the same minutes the same evaluation', async () => {
    await deploy('one', 10, ...synced);
    expect(await asked()).toBe(await asked());
  });

  it('knows every application before it says that a name means only one', async () => {
    const application = (project: string, name: string, sort: number) => ({
      kind: 'application',
      id: `main/${project}/${name}`,
      version: 1,
      project,
      stage: 'staging',
      service: name,
      status: 'seen',
      sort,
      data: { ref: { system: 'main', namespace: project, name, uid: name, systemProject: '' }, fingerprint: '' },
    });
    const others = Array.from({ length: 1100 }, (_, at) => application('others', `app-${at}`, 10 + at));
    const documents = [application('bank', 'web', 1), ...others, application('shop', 'web', 9999)];
    await store.commit({ documents });
    expect(await gates.places({ called: 'web' }, ASKER)).toHaveLength(2);
    const answer = await gates.ask({ ...QUESTION, kind: 'change', where: { app: 'web' } }, ASKER);
    expect(answer).toMatchObject({ result: 'error', reason: expect.stringMatching(/^2 places fit app web /) });
  });

  it('judges anew what was deployed meanwhile', async () => {
    await deploy('one', 10, ...synced);
    const before = await asked();
    await deploy('two', 11, ...synced);
    expect(await asked()).not.toBe(before);
  });
});
