#!/usr/bin/env node
// Plain JavaScript, because it has to say something useful on a Node that runs no TypeScript, and because `--help`
// then needs no compiler: the compile cache keeps what the other files become.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

if (process.features.typescript) {
  module.enableCompileCache();
  const { main } = await import('../src/cli/main.ts');
  await main();
} else {
  runOnOwnNode();
}

/** An older Node hands over to the one among this package's dependencies. */
function runOnOwnNode() {
  const node = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
  if (!existsSync(node)) {
    console.error(`fanloop: expected Node 24, got ${process.version}; "npm ci" in the project's folder installs it`);
    process.exit(2);
  }
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both processes, and twice would mean "at once"; what is sent to this process alone is passed on.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('close', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
