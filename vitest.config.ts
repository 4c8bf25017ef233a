import { configDefaults, defineConfig } from 'vitest/config';

// biome-ignore lint/style/noDefaultExport: Vitest reads its settings from the default export.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'test/localstack/**', 'test/package/**', 'test/chaos/**'],
    pool: 'forks',
    // Most tests wait for processes of their own, so that two files at once need no more than two cores.
    maxWorkers: 2,
    // What takes longer hangs: a slow machine, or one that does much besides, takes several times as long as an idle one.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
