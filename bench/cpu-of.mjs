// Runs a command and says what it and all that it waited for used: /proc counts the processor time of children that have ended.
// https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html (cutime, cstime)
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

const ticksPerSecond = 100;
const childTicks = () => {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return Number(fields[13]) + Number(fields[14]);
};
const [cwd, command, ...args] = process.argv.slice(2);
const before = childTicks();
const startedAt = Date.now();
const child = spawn(command, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
const said = [];
child.stderr.on('data', (chunk) => said.push(chunk));
const [code] = await once(child, 'exit');
const endedAt = Date.now();
const cpuMs = ((childTicks() - before) * 1_000) / ticksPerSecond;
console.log(JSON.stringify({ code, startedAt, endedAt, cpuMs, stderr: Buffer.concat(said).toString().slice(-2_000) }));
