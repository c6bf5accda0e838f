import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestWorld, DELIVERY, seeThrough, type TestWorld, untilSeen } from '../support/lynceus.ts';

/**
 * Records what this version writes into its log, for later versions to read:
 * `node test/replay/record.ts 0.1.0` before a release. A recording is never changed afterwards.
 */
const [version] = process.argv.slice(2);
if (version === undefined) throw new Error('usage: node test/replay/record.ts VERSION');

interface Event {
  type: string;
  time: string;
  stream: string;
  data: object;
}

const world = await createTestWorld({ delivery: DELIVERY });
await world.start();
await untilSeen(world);
await seeThrough(world, world.release(1), 60_000);
const broken =
  world.repositories.get('checkout')?.commit({ branch: 'stage/dev', files: { 'slo.yaml': 'objectives: 5\n' } }) ?? '';
await seeThrough(world, broken, 60_000);
const streams = await readStreams(world);
const text = JSON.stringify(streams, null, 1).replaceAll(
  world.repositories.get('checkout')?.path ?? '',
  'https://git.example.com/shop.git',
);
writeFileSync(join(import.meta.dirname, 'streams', `${version}.json`), `${text}\n`);
await world.stop();

async function readStreams(from: TestWorld): Promise<Record<string, { outcome: object; events: object[] }>> {
  const { events } = (await (await from.ask('/api/v1/events?limit=1000')).json()) as { events: Event[] };
  const stages = (await from.changes()).flatMap((change) => change.stages);
  return Object.fromEntries(
    stages.map(({ sequence, status, result, reason, tasks }) => [
      sequence,
      {
        outcome: { status, result, reason, tasks: tasks.map(({ name, result: verdict }) => `${name} ${verdict}`) },
        events: events
          .filter(({ stream }) => stream === `sequence/${sequence}`)
          .map(({ type, time, data }) => ({ type, time, data })),
      },
    ]),
  );
}
