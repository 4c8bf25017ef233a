import { requestedJob } from '../folder/running.ts';
import { manifestKey } from '../format/paths.ts';
import { UsageError } from '../task/errors.ts';
import type { SteerDeps } from './stack.ts';
import { startUnderToken } from './start.ts';

/** Begins a job that was asked for by somebody who went before the fan-out had it: its id was told, so it is kept to. */
export async function beginAsked(
  deps: SteerDeps,
  jobId: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<'began' | 'stands' | 'none'> {
  if ((await deps.store.head(manifestKey(jobId))) !== undefined) return 'stands';
  const request = await requestedJob(deps.store, jobId);
  if (request === undefined) return 'none';
  // Nobody waits for its rows here.
  await startUnderToken(deps, jobId, { ...request, ...noWait(request) }, signal);
  return 'began';
}

const noWait = ({ items }: { readonly items?: unknown }) => (items === undefined ? {} : { wait: false });

/** What is said of an id that nobody knows. */
export function noSuchJob(jobId: string): UsageError {
  return new UsageError('JobNotFound', `expected the id of a job, got "${jobId}"; "fanloop jobs" lists them`);
}
