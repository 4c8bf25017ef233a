import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Finds a Python whose asyncio behaves as 3.13's: in PATH, then among pyenv's versions. */
export function findPython(): string | undefined {
  const versions = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions');
  const inPyenv = list(versions).map((version) => join(versions, version, 'bin', 'python3'));
  return ['python3.14', 'python3.13', 'python3', ...inPyenv].find(isNewEnough);
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    // No pyenv here.
    return [];
  }
}

function isNewEnough(python: string): boolean {
  const check = 'import sys; sys.exit(0 if sys.version_info >= (3, 13) else 1)';
  return spawnSync(python, ['-c', check]).status === 0;
}

/** One Python process that answers programs with their traces, one after the other. */
export class PythonTraces {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  constructor(python: string) {
    this.#process = spawn(python, [fileURLToPath(new URL('differential.py', import.meta.url))]);
    this.#process.stderr.on('data', (data: Buffer) => {
      this.#errors += data.toString();
    });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  async traceOf(program: unknown): Promise<string[]> {
    this.#process.stdin.write(`${JSON.stringify(program)}\n`);
    const line = await this.#lines.next();
    if (line.done) throw new Error(`Python ended: ${this.#errors}`);
    return JSON.parse(line.value) as string[];
  }

  close(): void {
    this.#process.stdin.end();
    this.#process.kill();
  }
}
