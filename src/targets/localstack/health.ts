/** What is on a port of this machine. */
export type PortState =
  | { readonly kind: 'free' }
  | { readonly kind: 'localstack'; readonly version: string }
  | { readonly kind: 'taken' };

/** Something that listens and says nothing for this long is not a LocalStack. */
const answerMs = 3_000;

/** Asks whoever listens on a port of 127.0.0.1 whether it is a LocalStack. */
export async function lookAtPort(port: number): Promise<PortState> {
  let answer: unknown;
  try {
    const response = await fetch(`http://127.0.0.1:${port}/_localstack/info`, {
      signal: AbortSignal.timeout(answerMs),
    });
    answer = await response.json();
  } catch (error) {
    return { kind: isRefused(error) ? 'free' : 'taken' };
  }
  // The edition tells a LocalStack from other things that have a version.
  if (typeof answer !== 'object' || answer === null) return { kind: 'taken' };
  if (!('version' in answer && 'edition' in answer)) return { kind: 'taken' };
  return { kind: 'localstack', version: String(answer.version) };
}

function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}
