import type { HttpMethod } from './methods.ts';

/** One call, as the caller wants it. */
export interface HttpRequest {
  /** An http:// or https:// URL without user name and password. */
  readonly url: string;
  readonly method: HttpMethod;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}
