import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';

/**
 * Writes the small CommonJS face of `fanloop`: what task files touch, and `connect`, which loads the rest. A test in CommonJS, or a
 * program that is compiled to it, can load a task file by it.
 *
 * @param folder the compiled `src/`: `index.cjs` and `index.d.cts` are put beside its `index.js`
 */
export function writeProgramFace(folder: string): void {
  buildSync({
    stdin: {
      resolveDir: folder,
      contents: `
        export { defineTask } from './task/task.js';
        export { TaskError, UsageError } from './task/errors.js';
        export const connect = async (options) => (await import('./index.js')).connect(options);
      `,
    },
    outfile: path.join(folder, 'index.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    external: ['./index.js'],
    packages: 'external',
    logLevel: 'warning',
  });
  writeFileSync(
    path.join(folder, 'index.d.cts'),
    `import type * as face from './index.js' with { 'resolution-mode': 'import' };
export type * from './index.js' with { 'resolution-mode': 'import' };
export declare const defineTask: typeof face.defineTask;
export declare const TaskError: typeof face.TaskError;
export type TaskError = face.TaskError;
export declare const UsageError: typeof face.UsageError;
export type UsageError = face.UsageError;
export declare const connect: typeof face.connect;
`,
  );
}
