/**
 * Aborted when the process is asked to end (SIGTERM), so that work can be handed over: the embedded cloud asks the functions that
 * run when it closes, and Lambda asks an environment that it shuts down.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown
 */
export function leavingSignal(): AbortSignal {
  const leaving = new AbortController();
  process.once('SIGTERM', () => leaving.abort(new Error('the process was asked to end')));
  return leaving.signal;
}
