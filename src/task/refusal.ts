/** Codes by which AWS's services, gRPC, and clients of model APIs refuse for the rate. */
const rateCodes =
  /throttl|rate.?limit|toomanyrequests|too_many|slowdown|requestlimitexceeded|provisionedthroughput|resource.?exhausted|quotaexceeded|overloaded/i;

/** How a failure says that there was too much: for its rate, that the downstream is overloaded as a whole, or not at all. */
export type Refusal = 'rate' | 'overload' | 'none';

/** Whether a downstream refused an attempt for its rate: 429, a throttling error, and 503 that says when to come again. */
export function refusalOf(
  error: { readonly code: string; readonly status?: number; readonly retryable: boolean },
  retryAfterMs: number | undefined,
): Refusal {
  const { status, code } = error;
  if (status === 429 || rateCodes.test(code) || code === 'RetryAfterTooLong') return 'rate';
  if (!error.retryable) return 'none';
  if (status === 529) return 'rate';
  if (status === 503) return retryAfterMs === undefined ? 'overload' : 'rate';
  return 'none';
}
