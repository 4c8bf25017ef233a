import { defineConfig } from 'vitest/config';

/** Jobs on real processes with real faults: takes about two minutes, and all of the machine. */
// biome-ignore lint/style/noDefaultExport: Vitest reads its settings from the default export.
export default defineConfig({
  test: {
    include: ['test/chaos/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 1_500_000,
  },
});
