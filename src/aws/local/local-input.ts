import type { InputReader, ObjectHead } from '../../ports.ts';
import { inputChanged, inputRefused } from '../input-errors.ts';
import { failureOf, type LocalRequests, readWhole } from './local-requests.ts';
import { describe, objectPath } from './local-store.ts';

/** Reads inputs from the buckets of the embedded cloud, each fixed by its ETag, as `input-reader.ts` does by the SDK. */
export class LocalInput implements InputReader {
  readonly #requests: LocalRequests;

  constructor(requests: LocalRequests) {
    this.#requests = requests;
  }

  /** @throws UsageError `InvalidInput` when the bucket may not be read */
  async head(input: { readonly bucket: string; readonly key: string }): Promise<ObjectHead | undefined> {
    const asked = { service: 's3', method: 'HEAD', path: objectPath(input.bucket, input.key) } as const;
    const answer = await this.#requests.send(asked);
    const { status, headers } = answer;
    if (status === 200) return { bytes: Number(headers['content-length'] ?? 0), ...describe(headers) };
    // An answer to HEAD has no body that tells a missing object from a missing bucket.
    if (status === 404) return undefined;
    throw inputRefused(input, { status, cause: failureOf(asked, answer) });
  }

  async *stream(
    input: { readonly bucket: string; readonly key: string; readonly etag: string },
    range: { readonly start: number; readonly end?: number },
  ): AsyncGenerator<Uint8Array> {
    const asked = {
      service: 's3',
      method: 'GET',
      path: objectPath(input.bucket, input.key),
      headers: { 'if-match': input.etag, range: `bytes=${range.start}-${range.end ?? ''}` },
    } as const;
    const response = await this.#requests.stream(asked);
    const status = response.statusCode ?? 0;
    if (status >= 300) throw inputChanged(input, { status, cause: failureOf(asked, await readWhole(response)) });
    // Ending the loop early destroys the stream and frees its socket.
    yield* response;
  }
}
