/** One configuration for every TypeScript test: unit tests beside their source, whole-system tests here. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    include: [
      '{models,agent,collector,dashboard}/src/**/*.test.ts',
      'native/test/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    // Answers of the collector are checked against its description, whoever asks.
    setupFiles: ['test/support/check-answers.ts'],
    pool: 'forks',
    // Many tests wait for a time-out or a process: three keep two cores busy.
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
