import type { TestProject } from 'vitest/node';
import { startPostgresBroker } from './postgres-cluster.ts';

/** Runs once before all tests: the suite is only meaningful on the Node that the project pins. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 24) {
    throw new Error(
      `Tests need Node 24 or newer, this is ${process.versions.node}: run them with "npm test" after "npm ci"`,
    );
  }
  const postgres = await startPostgresBroker();
  project.provide('postgresBroker', postgres.url);
  return postgres.stop;
}
