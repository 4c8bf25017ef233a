import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makePrivateFolder, privateFile } from '../../runtime/private-files.ts';
import { defaultStateFolder } from '../../targets/state-folder.ts';
import type { TargetOptions } from '../../targets/target-options.ts';
import type { RowOutputOptions } from '../view/row-output.ts';

/** Where a job's rows are to be written when it has ended: kept on this machine, so that `watch` does what `run` was asked to. */
export class AskedOutput {
  readonly #folder: string;

  constructor({ state = defaultStateFolder() }: Pick<TargetOptions, 'state'>) {
    this.#folder = path.join(state, 'asked');
  }

  /** Remembers the file and which rows it gets, at once: the process may be killed at any moment after. */
  keep(jobId: string, { out, failed, succeeded, code, select, withItem }: RowOutputOptions): void {
    if (out === undefined || out === '-') return;
    makePrivateFolder(this.#folder);
    writeFileSync(
      this.#file(jobId),
      JSON.stringify({ out: path.resolve(out), failed, succeeded, code, select, withItem }),
      privateFile,
    );
  }

  /** What was asked for and has not been written yet. */
  of(jobId: string): RowOutputOptions | undefined {
    try {
      // This class wrote the file.
      return JSON.parse(readFileSync(this.#file(jobId), 'utf8')) as RowOutputOptions;
    } catch {
      // None was asked for.
      return undefined;
    }
  }

  /** The file is written, or nobody wants it any more. */
  forget(jobId: string): void {
    rmSync(this.#file(jobId), { force: true });
  }

  #file(jobId: string): string {
    return path.join(this.#folder, `${jobId}.json`);
  }
}
