import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../../shared/conformance/argocd/', import.meta.url));

/** Whether the conformance data lies beside the project; in CI it has to. */
export function hasArgoCdFixtures(): boolean {
  if (existsSync(FOLDER)) return true;
  if (process.env['CI'] === 'true') throw new Error('the conformance data (../shared/conformance/argocd) is missing');
  console.warn('skipped: no conformance data in ../shared/conformance/argocd');
  return false;
}

export function readFixtureText(file: string): string {
  return readFileSync(FOLDER + file, 'utf8');
}

// biome-ignore lint/suspicious/noExplicitAny: fixtures are documents of many shapes, picked apart by tests
export function readFixture(file: string): any {
  return JSON.parse(readFixtureText(file));
}
