import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** A long story that begins last has a core for itself, and everybody waits for it. */
class StoriesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isStory = ({ moduleId }: TestSpecification) => /\/test\/(e2e|scenarios)\//.test(moduleId);
    return (await super.sort(files)).sort((a, b) => Number(isStory(b)) - Number(isStory(a)));
  }
}

/** They only calculate, and keep nothing in a module. They may share what is loaded. */
const CALCULATIONS = [
  'answers',
  'definitions',
  'engine',
  'events',
  'forecast',
  'promotion',
  'risk',
  'slo',
  'ui',
  'views',
].map((room) => `test/${room}/**/*.test.ts`);

export default defineConfig({
  test: {
    // Real PostgreSQL, Git and child processes on two cores: generous limits, few workers. One more than there are cores,
    // for what waits: it saves a quarter of the time that two take.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 3,
    // Tests that say so run side by side: they mostly wait.
    maxConcurrency: 2,
    sequence: { sequencer: StoriesFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: CALCULATIONS,
          globalSetup: ['test/support/global-setup.ts'],
          setupFiles: ['test/support/argocd-witness.ts', 'test/support/github-witness.ts'],
        },
      },
      { extends: true, test: { name: 'calculations', include: CALCULATIONS, isolate: false } },
    ],
  },
});
