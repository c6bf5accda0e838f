import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../../shared/conformance/flux/', import.meta.url));

/** Whether the conformance data lies beside the project; in CI it has to. */
export function hasFluxFixtures(): boolean {
  if (existsSync(FOLDER)) return true;
  if (process.env['CI'] === 'true') throw new Error('the conformance data (../shared/conformance/flux) is missing');
  console.warn('skipped: no conformance data in ../shared/conformance/flux');
  return false;
}

export function fluxFixtures(): string[] {
  return readdirSync(FOLDER).sort();
}

/** The bytes, as a signature is made over them. */
export function readFluxFixtureText(file: string): string {
  return readFileSync(FOLDER + file, 'utf8');
}

// biome-ignore lint/suspicious/noExplicitAny: fixtures are documents of many shapes, picked apart by tests
export function readFluxFixture(file: string): any {
  return JSON.parse(readFluxFixtureText(file));
}
