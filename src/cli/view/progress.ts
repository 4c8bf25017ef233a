import type { Progress } from '../../client/progress.ts';

/** Shows how far a job is, each time that is known anew. */
export interface ProgressView {
  update(progress: Progress): void;
  /** Clears what was drawn, so that other output can follow. */
  end(): void;
}

/** Shows nothing. */
export const noProgress: ProgressView = { update: () => {}, end: () => {} };
