import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';

const program = `
import { onSigint } from '${new URL('../../src/runtime/interrupt.ts', import.meta.url).href}';
import { run } from '${new URL('../../src/aio/run.ts', import.meta.url).href}';
import { sleep } from '${new URL('../../src/aio/sleep.ts', import.meta.url).href}';
try {
  await run(async () => {
    console.log('ready');
    await sleep(60_000).finally(() => console.log('cleaned up'));
  }, { onInterrupt: onSigint });
} catch (error) {
  console.log(error.name, process.listenerCount('SIGINT'));
}
`;

test('Ctrl-C lets a program clean up and end', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
    if (output === 'ready\n') child.kill('SIGINT');
  });
  const [code] = await once(child, 'close');
  expect([output, code]).toEqual(['ready\ncleaned up\nInterruptedError 0\n', 0]);
});
