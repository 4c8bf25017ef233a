// Plain JavaScript, because `npm ci` runs it on whatever Node there is; where nothing can be built, the first command builds what it needs.
import { existsSync } from 'node:fs';

const root = new URL('../', import.meta.url);
// `npx fanloop` in a clone makes npm run this again, for ten seconds: what the clone was installed with is there.
const isInstall = process.env.npm_command !== 'exec';
if (isInstall && process.features.typescript && existsSync(new URL('node_modules/typescript', root)))
  await import('./build.ts');
