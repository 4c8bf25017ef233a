/** A server's own trouble, and its wish to be asked later; 425 is TLS's early data. */
const retryable: ReadonlySet<number> = new Set([408, 425, 429]);

/** Errors of a server that asking again does not mend: what is asked for does not exist, or needs something else first. */
const finalServerErrors: ReadonlySet<number> = new Set([501, 505, 506, 510, 511]);

/** Whether another attempt makes sense after this HTTP status: 408, 425, 429, and the 5xx, those that CDNs and model APIs made up (520 to 530, 529, 598, 599) too. */
export function isRetryableStatus(status: number): boolean {
  return retryable.has(status) || (status >= 500 && status <= 599 && !finalServerErrors.has(status));
}
