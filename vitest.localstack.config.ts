import { defineConfig } from 'vitest/config';

// biome-ignore lint/style/noDefaultExport: Vitest reads its settings from the default export.
export default defineConfig({
  test: {
    include: ['test/localstack/**/*.test.ts'],
    globalSetup: ['test/support/localstack-setup.ts'],
    pool: 'forks',
    // LocalStack has one poller for each queue, and all files use the same machine.
    fileParallelism: false,
    // What takes longer hangs: a slow machine, or one that does much besides, takes several times as long as an idle one.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
