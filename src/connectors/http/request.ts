import type { HttpMethod } from './methods.ts';

/** One call, as the caller wants it. */
export interface HttpRequest {
  /** An http:// or https:// URL without user name and password. */
  readonly url: string;
  readonly method: HttpMethod;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further headers that are meant for this origin only: a redirect to another drops them, as it drops `authorization` and `cookie`. */
  readonly secretHeaders?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}
