import { parseArgs } from 'node:util';
import { localStackPort, startLocalStack } from './start.ts';

// What `npm run localstack` runs: LocalStack in the foreground, until Ctrl-C. `npm run localstack -- --port 4600` chooses a port.
const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (!stopping.signal.aborted) say('stopping LocalStack');
    stopping.abort(new Error(`stopped by ${name}`));
  });
}

try {
  const localStack = await startLocalStack({ port: chosenPort(), signal: stopping.signal, onProgress: say });
  const { url, version, how } = localStack;
  const place = how === 'docker' ? 'in Docker, functions in containers' : 'as a process, functions as child processes';
  if (localStack.reused) {
    say(`LocalStack ${version} is already running on ${url}; stop it where it was started`);
  } else {
    say(`LocalStack ${version} is ready on ${url} (${place})`);
    const endpoint = url.endsWith(`:${localStackPort}`) ? '' : ` --endpoint ${url}`;
    say(`deploy to it from another terminal: npx fanloop deploy --target localstack${endpoint}`);
    say('stop it with Ctrl-C; what was deployed goes with it');
    await localStack.ended;
    await localStack.stop();
    if (!stopping.signal.aborted) {
      say(`LocalStack ended by itself; its log is ${localStack.logFile}`);
      process.exitCode = 1;
    }
  }
} catch (error) {
  if (!stopping.signal.aborted) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

function chosenPort(): number {
  const { port } = parseArgs({ options: { port: { type: 'string', default: String(localStackPort) } } }).values;
  const value = Number(port);
  if (Number.isInteger(value) && value >= 1 && value <= 65_535) return value;
  throw new Error(`expected --port to be a whole number from 1 to 65535, got ${port}`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
