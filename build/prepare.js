// Plain JavaScript, because `npm ci` runs it on whatever Node there is; where nothing can be built, the first command builds what it needs.
import { existsSync } from 'node:fs';

const root = new URL('../', import.meta.url);
if (process.features.typescript && existsSync(new URL('node_modules/typescript', root))) await import('./build.ts');
