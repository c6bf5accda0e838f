import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  const folder = mkdtempSync(join(tmpdir(), 'lynceus-run-'));
  const witness = join(folder, 'argocd.jsonl');
  writeFileSync(witness, '');
  // Workers and what they start inherit it.
  process.env['NODE_COMPILE_CACHE'] = join(folder, 'compiled');
  project.provide('argocdWitness', witness);
  const github = join(folder, 'github.jsonl');
  writeFileSync(github, '');
  project.provide('githubWitness', github);
  return async () => {
    sumUp('Argo CD', 'swagger.json', readFileSync(witness, 'utf8'));
    sumUp('GitHub', 'OpenAPI', readFileSync(github, 'utf8'));
    rmSync(folder, { recursive: true, force: true });
    await postgres.stop();
  };
}

/** Before the reason why an answer is not held to anything. */
const BROKEN = 'broken: ';

/** Says how much of what went to a system was held to its own description: see argocd-witness.ts, github-witness.ts. */
function sumUp(system: string, description: string, lines: string): void {
  const counts = new Map<string, number>();
  for (const line of lines.split('\n').filter((one) => one !== '')) {
    for (const [operation, count] of JSON.parse(line) as [string, number][]) {
      counts.set(operation, (counts.get(operation) ?? 0) + count);
    }
  }
  const broken = [...counts].filter(([what]) => what.startsWith(BROKEN));
  const held = [...counts].filter(([what]) => !what.startsWith(BROKEN));
  if (held.length === 0) return;
  console.log(`${system}: ${sum(held)} exchanges of ${held.length} operations held to its ${description}`);
  if (broken.length === 0) return;
  const reasons = broken.sort(([, a], [, b]) => b - a).map(([why, count]) => `${why.slice(BROKEN.length)} ${count}`);
  console.log(`  of ${sum(broken)} only the request, the answer was broken on purpose: ${reasons.join(', ')}`);
}

function sum(counts: readonly [string, number][]): number {
  return counts.reduce((all, [, count]) => all + count, 0);
}
