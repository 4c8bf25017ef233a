import type { WorkerDeps } from './deps.ts';
import type { WorkerState } from './worker-state.ts';

/** How often the loop is looked at. */
export const lookMs = 50;
/** asyncio's threshold of a slow callback. https://docs.python.org/3/library/asyncio-dev.html#debug-mode */
const slowMs = 100;

/**
 * Notes when something computed on the event loop for 100 ms or longer, by the processor time between two looks,
 * so that a machine that is merely busy is not taken for a slow task. All jobs that had items running are noted.
 */
export class LoopWatch {
  readonly #deps: Pick<WorkerDeps, 'clock' | 'log'> & { readonly cpuMs: () => number };
  readonly #state: WorkerState;
  #at: number;
  #cpu: number;

  constructor({ clock, log, cpuMs = () => 0 }: Pick<WorkerDeps, 'clock' | 'cpuMs' | 'log'>, state: WorkerState) {
    this.#deps = { clock, log, cpuMs };
    this.#state = state;
    this.#at = clock.now();
    this.#cpu = cpuMs();
  }

  /** Looks at the loop: every {@link lookMs}, and before a chunk's digest is made. */
  look(): void {
    const { clock, cpuMs, log } = this.#deps;
    const [at, cpu] = [clock.now(), cpuMs()];
    const blockedMs = Math.min(at - this.#at - lookMs, cpu - this.#cpu);
    this.#at = at;
    this.#cpu = cpu;
    for (const job of this.#state.jobs.values()) {
      const hasRun = job.running > 0 || job.ranSince;
      job.ranSince = false;
      if (!hasRun || blockedMs < slowMs) continue;
      const { task, jobId } = job.manifest;
      job.addSlow(blockedMs);
      log('warn', `the event loop was blocked for ${Math.round(blockedMs)} ms by the task "${task}"`, {
        jobId,
        task,
        blockedMs,
      });
    }
  }
}
