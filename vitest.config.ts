import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real PostgreSQL, Git and child processes on two cores: generous limits, few workers.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // Tests that say so run side by side: they mostly wait.
    maxConcurrency: 3,
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/argocd-witness.ts', 'test/support/github-witness.ts'],
  },
});
