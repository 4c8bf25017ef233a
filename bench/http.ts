/**
 * CPU of one HTTP call through `httpCall`, beside the bare loop of `undici.request`, in one run: `node bench/http.ts`.
 * The server is a process of its own, so that only the calls are measured; each number is the minimum of the rounds after the first.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'undici';
import { httpCall } from '../src/connectors/http/call.ts';
import { openHttpSockets } from '../src/connectors/http/sockets.ts';

const calls = 20_000;
const atOnce = 200;
const rounds = 5;

const serverCode = `
  require('node:http').createServer({ keepAliveTimeout: 60000 }, (_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end('{"ok":true}');
  }).listen(0, '127.0.0.1', 1024, function () { console.log(this.address().port); });
`;

const server = spawn(process.execPath, ['-e', serverCode], { stdio: ['ignore', 'pipe', 'inherit'] });
const [port] = await once(server.stdout, 'data');
const url = `http://127.0.0.1:${String(port).trim()}/`;
const dispatcher = new Agent({ connections: 500, headersTimeout: 0, bodyTimeout: 0 });
const sockets = openHttpSockets({ allowPrivateNetwork: true });

const loops = {
  'undici.request': async () => {
    const { body } = await request(url, { dispatcher });
    await body.text();
  },
  // A signal a call, as an attempt has it.
  httpCall: () =>
    httpCall(
      { url, method: 'GET', headers: { 'user-agent': 'fanloop' } },
      { signal: new AbortController().signal, sockets },
    ),
};

/** Microseconds of processor time a call. */
async function measure(call: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  let left = calls;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

const best: Record<string, number> = {};
for (let round = 0; round < rounds; round++) {
  for (const [name, call] of Object.entries(loops)) {
    const us = await measure(call);
    // The first round warms the compiler.
    if (round > 0) best[name] = Math.min(best[name] ?? Number.POSITIVE_INFINITY, us);
  }
}
const bare = best['undici.request'] ?? Number.NaN;
for (const [name, us] of Object.entries(best)) {
  console.log(`${name.padEnd(16)}${us.toFixed(1).padStart(7)} µs a call  ${(us / bare).toFixed(2)} ×`);
}
server.kill();
await Promise.all([dispatcher.destroy(), sockets.close()]);
