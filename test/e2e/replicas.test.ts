import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { freePort } from '../../examples/sandbox/free-port.ts';
import { createTestWorld, type LynceusProcess, STAGES, seeThrough, type TestWorld } from '../support/lynceus.ts';
import { withPostgres } from '../support/postgres.ts';

const full = process.env['LYNCEUS_CHAOS'] === 'full';
/** Each release makes one sequence per stage: 10 x 7 x 3 = 210 in the long round. */
const SERVICES = full ? 10 : 3;
const RELEASES = full ? 7 : 1;
const LEASE_MS = 2_000;
const LIMIT_MS = full ? 1_800_000 : 240_000;

withPostgres('two replicas on one PostgreSQL', (database) => {
  it(`lose and double nothing in ${SERVICES * RELEASES * STAGES.length} sequences, while one or the other is frozen past its leases`, {
    timeout: LIMIT_MS,
  }, async () => {
    const services = Array.from({ length: SERVICES }, (_, at) => `service-${at}`);
    const world = await createTestWorld({
      services,
      databaseUrl: database.url,
      timing: { pollMs: 500 },
      env: { LYNCEUS_LEASE: `${LEASE_MS}ms` },
    });
    try {
      const replicas = [await world.start(), await world.start({}, await freePort())];
      await sleep(4_000); // Both have seen every application once.
      const freezing = freezeInTurn(replicas);
      for (let version = 1; version <= RELEASES; version++) {
        const since = Date.now();
        await release(world, services, version);
        console.info(`release ${version} of ${RELEASES}: ${Math.round((Date.now() - since) / 1_000)} s`);
      }
      const freezes = await freezing.stop();
      console.info(`${SERVICES * RELEASES * STAGES.length} sequences, ${freezes} freezes of ${LEASE_MS} ms and more`);
      expect(freezes).toBeGreaterThan(0);
      for (const service of services) expectOnce(world, service);
      await expectNoDoubles(world);
    } finally {
      await world.stop();
    }
  });
});

async function release(world: TestWorld, services: readonly string[], version: number): Promise<void> {
  const commits = services.map((service) => world.release(version, service));
  const changes = await Promise.all(commits.map((commit) => seeThrough(world, commit, 180_000)));
  for (const change of changes) {
    const said = change.stages.map(({ stage, message }) => `${stage}: ${message}`).join('; ');
    expect(
      change.stages.map(({ stage, status, result }) => ({ stage, status, result })),
      said,
    ).toEqual(STAGES.map((stage) => ({ stage, status: 'finished', result: 'pass' })));
  }
}

/** Every merge commit on a gated stage's branch was synced once, and every promotion is one merged pull request. */
function expectOnce(world: TestWorld, service: string): void {
  const repository = world.repositories.get(service);
  if (!repository) throw new Error(service);
  for (const stage of STAGES.slice(1)) {
    const merges = repository.git('rev-list', '--merges', '--first-parent', `refs/heads/stage/${stage}`).split('\n');
    expect(merges).toHaveLength(RELEASES);
    expect(merges.map((commit) => world.syncsOf(`${service}-${stage}`, commit).length)).toEqual(merges.map(() => 1));
  }
  const refs = repository.git('for-each-ref', '--format=%(refname)', 'refs/lynceus/pull-requests/').split('\n');
  const states = refs.map(
    (ref) => (JSON.parse(repository.git('show', `${ref}:pull-request.json`)) as { state: string }).state,
  );
  expect(states).toEqual(Array.from({ length: RELEASES * 2 }, () => 'merged'));
}

async function expectNoDoubles(world: TestWorld): Promise<void> {
  const changes = await world.changes();
  const sequences = changes.flatMap(({ stages }) => stages.map(({ sequence }) => sequence));
  expect(sequences).toHaveLength(SERVICES * RELEASES * STAGES.length);
  expect(new Set(sequences).size).toBe(sequences.length);
}

/** Stops one replica for longer than its leases last, wakes it, and goes on with the other. */
function freezeInTurn(replicas: readonly LynceusProcess[]): { stop(): Promise<number> } {
  let over = false;
  let freezes = 0;
  const running = (async () => {
    for (let turn = 0; !over; turn++) {
      const replica = replicas[turn % replicas.length];
      await sleep(200 + Math.random() * 1_500);
      replica?.kill('SIGSTOP');
      freezes++;
      await sleep(LEASE_MS + Math.random() * 2_000);
      replica?.kill('SIGCONT');
    }
  })();
  return {
    async stop() {
      over = true;
      await running;
      return freezes;
    },
  };
}
