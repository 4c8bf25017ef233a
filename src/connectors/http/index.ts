/**
 * One HTTP call with a timeout, redirects, size limits, and failures that say whether to try again.
 *
 * @module fanloop/http
 */
// biome-ignore-all lint/performance/noBarrelFile: This is a face of the package's exports.
export {
  type HttpAnswer,
  type HttpCallOptions,
  type HttpReceived,
  type HttpStreamOptions,
  httpCall,
  httpStream,
} from './call.ts';
export type { HttpMethod } from './methods.ts';
export type { HttpRequest } from './request.ts';
