/** A server's own trouble, and its wish to be asked later; 425 is TLS's early data. */
const retryable: ReadonlySet<number> = new Set([408, 425, 429]);

/** Whether another attempt makes sense after this HTTP status: 408, 425, 429, and all 5xx, those that CDNs and model APIs made up (520 to 530, 529, 598, 599) too. */
export function isRetryableStatus(status: number): boolean {
  return retryable.has(status) || (status >= 500 && status <= 599);
}
