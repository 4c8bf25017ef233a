import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';

/**
 * Writes the CommonJS twin of the compiled `fanloop/cdk`: the apps that `cdk init` makes are CommonJS, and their tests can load nothing else.
 *
 * @param lib folder of the compiled `lib/`: `index.js` and its `index.d.ts` get a `.cjs` and a `.d.cts` beside them
 */
export function writeCommonJsFace(lib: string): void {
  buildSync({
    entryPoints: [path.join(lib, 'index.js')],
    outfile: path.join(lib, 'index.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // The app's own CDK, of which there must be one, and esbuild with its native program.
    packages: 'external',
    define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'warning',
  });
  writeTypes(lib, 'index', new Set());
}

/** A `.d.ts` beside an ES module is of one; the same text as `.d.cts` is of CommonJS, when what it imports is as well. */
function writeTypes(folder: string, name: string, written: Set<string>): void {
  if (written.has(name)) return;
  written.add(name);
  const types = readFileSync(path.join(folder, `${name}.d.ts`), 'utf8')
    // The map is of the other file.
    .replace(/^\/\/# sourceMappingURL=.*$/m, '')
    .replaceAll(/(from\s+['"])\.\/([\w-]+)\.(?:ts|js)(['"])/g, (_, before: string, other: string, after: string) => {
      writeTypes(folder, other, written);
      return `${before}./${other}.cjs${after}`;
    });
  const outside = /from\s+['"]\.\.[^'"]*['"]/.exec(types);
  if (outside !== null)
    throw new Error(`expected the types of ${name} to import nothing outside of lib/, got ${outside[0]}`);
  writeFileSync(path.join(folder, `${name}.d.cts`), types);
}
