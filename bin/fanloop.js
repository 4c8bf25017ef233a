#!/usr/bin/env node
// Plain JavaScript, because it has to say something useful on a Node that is too old; nothing else is imported before that is known.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

/** Since then Node tells a thread its processor time. */
const oldest = [22, 19];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const isOld = major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
const inPackage = (file) => new URL(`../${file}`, import.meta.url);
// An installed package has none.
const sources = inPackage('src/cli/main.ts');
const isClone = existsSync(sources);

if (!isOld && (process.features.typescript || !isClone)) {
  module.enableCompileCache();
  if (major < 24) silenceSqlite();
  const folder = bundled();
  if (folder !== undefined) {
    // First of all, since another process can work while this one is still loading; the command goes without it, too.
    await import(`${folder}/standby.js`).then(({ standByFor }) => standByFor(process.argv.slice(2))).catch(() => {});
  }
  const { main } = await import(folder === undefined ? sources.href : `${folder}/main.js`);
  await main();
} else {
  runOnOwnNode();
}

/** The folder of the command in one piece, which starts in half the time; undefined in a clone whose sources have changed since it was built. */
function bundled() {
  try {
    const { folder, sources: stamps } = JSON.parse(readFileSync(inPackage('prebuilt/command.json'), 'utf8'));
    const isFresh = ([file, was]) => {
      const { size, mtimeMs } = statSync(inPackage(file));
      return `${size}@${mtimeMs}` === was;
    };
    if (isClone && !Object.entries(stamps).every(isFresh)) return undefined;
    return inPackage(`prebuilt/${folder}`).href;
  } catch {
    // Nothing was built, or a source is gone.
    return undefined;
  }
}

/** In a clone, an older Node hands over to the one among the dependencies. */
function runOnOwnNode() {
  const node = fileURLToPath(inPackage('node_modules/node/bin/node'));
  if (!isClone || !existsSync(node)) {
    const hint = isClone
      ? '"npm ci" in its folder installs one (after "npm ci --ignore-scripts": "npm rebuild node")'
      : 'install a newer one from https://nodejs.org';
    console.error(`fanloop: expected Node ${oldest.join('.')} or newer, got ${process.versions.node}; ${hint}`);
    process.exit(2);
  }
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both processes, and twice would mean "at once"; what is sent to this process alone is passed on.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('close', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

/** The lock of a state folder is taken by `node:sqlite`, which Node 22 calls experimental at each start. */
function silenceSqlite() {
  const emit = process.emitWarning;
  process.emitWarning = (warning, ...rest) => {
    if (!String(warning).includes('SQLite is an experimental feature')) emit.call(process, warning, ...rest);
  };
}
