import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeCommonJsFace } from '../../src/bundle/cdk-face.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fanloop-face-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A compiled package in a folder of its own. */
function compiled(files: Readonly<Record<string, string>>): string {
  for (const [file, text] of Object.entries({ 'package.json': '{"type":"module"}', ...files })) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }
  return path.join(folder, 'lib');
}

it('can be required, knows its own folder, and leaves packages to the app', () => {
  const lib = compiled({
    'lib/index.js': "export { Face } from './face.js';",
    'lib/face.js':
      "import { posix } from 'app-cdk';\nexport class Face { where = import.meta.dirname; joined = posix.join('a', 'b'); }",
    'lib/index.d.ts': "export { Face } from './face.ts';",
    'lib/face.d.ts': "import type { posix } from 'app-cdk';\nexport declare class Face { joined: typeof posix.sep; }",
    'node_modules/app-cdk/package.json': '{"main":"index.cjs"}',
    'node_modules/app-cdk/index.cjs': "module.exports = require('node:path');",
  });
  writeCommonJsFace(lib);
  const { Face } = createRequire(path.join(lib, 'x.cjs'))('./index.cjs');
  expect(new Face()).toEqual({ where: lib, joined: 'a/b' });
  expect(readFileSync(path.join(lib, 'index.d.cts'), 'utf8')).toBe("export { Face } from './face.cjs';");
  expect(readFileSync(path.join(lib, 'face.d.cts'), 'utf8')).toContain("from 'app-cdk'");
});

it('refuses types that would need more of the package than the face', () => {
  const lib = compiled({
    'lib/index.js': 'export {};',
    'lib/index.d.ts': "export type { Limits } from '../src/limits.ts';",
  });
  expect(() => writeCommonJsFace(lib)).toThrow('expected the types of index to import nothing outside of lib/');
});
