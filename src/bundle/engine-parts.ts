/** The Lambda functions by name: `lambdas/<name>.ts` becomes `<name>.mjs`, whose handler is `<name>.handler`. */
export const functionNames = ['fan-out', 'worker', 'tick', 'dead-letter'] as const;

/** The name of one of the stack's functions. */
export type FunctionName = (typeof functionNames)[number];

/**
 * What tasks import of this package, and the source of it. The engine has each as a file, and tasks are bundled to use that file,
 * so that there is one of everything: one class `TaskError`, one pool of sockets, one set of context variables.
 */
export const faces: Readonly<Record<string, string>> = {
  fanloop: 'src/task/index.ts',
  'fanloop/aio': 'src/aio/index.ts',
  'fanloop/http': 'src/connectors/http/index.ts',
  'fanloop/dynamodb': 'src/connectors/dynamodb/index.ts',
  'fanloop/files': 'src/connectors/files/index.ts',
};

/** The engine's file of a face, relative to its folder: `./fanloop-http.mjs`. */
export const faceFile = (name: string): string => `./${name.replaceAll('/', '-')}.mjs`;

/** The engine's file of a task that comes along. */
export const builtInFile = (name: string): string => `./builtin-${name}.mjs`;

/** The file that knows which tasks there are: not a part of the engine, but written for each deployment. */
export const registryFile = './tasks.mjs';

/**
 * What all bundles need that have CommonJS in them: an ES module has no `require`. It is a variable of each file, not of the process,
 * since a global one would belong to whoever comes first. esbuild renames a `require` of the sources' own.
 */
export const requireBanner =
  "import{createRequire as fanloopRequire}from'node:module';const require=/* @__PURE__ */fanloopRequire(import.meta.url);";

/** What CommonJS calls its own place; all bundles of a deployment are in one folder. */
export const placeDefines = { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' } as const;
