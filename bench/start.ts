import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { newJobId } from '../src/format/job-id.ts';
import type { StartRow } from './results.ts';

/** One item of 10 ms in a project of its own, as each start finds it; wall and processor time of the whole tree. */
export function measureStart(home: string, rounds: number): readonly StartRow[] {
  const place = new Place(path.join(home, 'start'));
  const item = ['run', 'wait', '10'];
  return [
    place.measure('warm', rounds, { args: item }),
    place.measure('after a changed task', rounds, { args: item, before: (round) => place.writeTask(round) }),
    place.measure('after a changed setting', rounds, { args: item, more: (round) => ['--workers', String(6 + round)] }),
    place.measure('first start', rounds, { args: item, before: () => place.forget() }),
    place.measure('two items of 1 and 2 s', rounds, { args: ['run', 'wait', '1000', '2000'] }),
    // The last one, since the jobs stay.
    place.measure('1,000 past jobs in the folder', rounds, { args: item, first: () => place.addPastJobs(1_000) }),
  ];
}

/** A project with one task, its caches, and its folder of state. */
class Place {
  readonly #home: string;

  constructor(home: string) {
    this.#home = home;
    rmSync(home, { recursive: true, force: true });
    mkdirSync(this.#in('project/tasks'), { recursive: true });
    writeFileSync(this.#in('project/package.json'), '{"name":"project","type":"module"}');
    this.writeTask(-1);
  }

  writeTask(version: number): void {
    writeFileSync(
      this.#in('project/tasks/wait.ts'),
      `import { defineTask } from 'fanloop';
const input = { '~standard': { version: 1 as const, vendor: 'bench', validate: (value: unknown) => ({ value }) } };
export const task = defineTask({
  description: 'Waits for some milliseconds.',
  input,
  run: (ms) => new Promise((resolve) => setTimeout(() => resolve(${version}), Number(ms))),
});
`,
    );
  }

  /** As after an installation. */
  forget(): void {
    for (const name of ['cache', 'state']) rmSync(this.#in(name), { recursive: true, force: true });
  }

  /** Copies of a job that has ended, under older ids. */
  addPastJobs(count: number): void {
    const s3 = this.#in('state/s3');
    const [bucket = ''] = readdirSync(s3);
    const jobs = path.join(s3, bucket, 'objects', 'jobs');
    const [ended = ''] = readdirSync(jobs);
    for (let n = 0; n < count; n++) {
      const id = newJobId(Date.now() - 60_000 * (n + 1), Math.random);
      cpSync(path.join(jobs, ended), path.join(jobs, id), { recursive: true });
    }
  }

  measure(name: string, rounds: number, how: How): StartRow {
    // Fills caches, and makes the job that is copied; no round counts it.
    this.#run(how.args);
    how.first?.();
    const runs = Array.from({ length: rounds }, (_, round) => {
      how.before?.(round);
      return this.#run([...how.args, ...(how.more?.(round) ?? [])]);
    });
    return {
      name,
      rounds,
      wallMs: spread(runs.map(({ wallMs }) => wallMs)),
      cpuMs: spread(runs.map((run) => run.cpuMs)),
    };
  }

  #run(args: readonly string[]): { readonly wallMs: number; readonly cpuMs: number } {
    const root = path.join(import.meta.dirname, '..');
    const command = [process.execPath, path.join(root, 'bin', 'fanloop.js'), ...args, '--state', this.#in('state')];
    const text = execFileSync(
      process.execPath,
      [path.join(import.meta.dirname, 'cpu-of.mjs'), this.#in('project'), ...command],
      { encoding: 'utf8', env: { ...process.env, XDG_CACHE_HOME: this.#in('cache') } },
    );
    const run = JSON.parse(text) as { code: number; startedAt: number; endedAt: number; cpuMs: number; stderr: string };
    if (run.code !== 0) throw new Error(`expected the start to succeed, got exit code ${run.code}: ${run.stderr}`);
    return { wallMs: run.endedAt - run.startedAt, cpuMs: run.cpuMs };
  }

  #in(name: string): string {
    return path.join(this.#home, name);
  }
}

interface How {
  readonly args: readonly string[];
  readonly first?: () => void;
  readonly before?: (round: number) => void;
  readonly more?: (round: number) => readonly string[];
}

function spread(values: readonly number[]): { readonly least: number; readonly median: number } {
  const sorted = values.toSorted((a, b) => a - b);
  return { least: sorted[0] ?? Number.NaN, median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN };
}
