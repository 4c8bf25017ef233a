import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { orAborted } from '../sleep.ts';

/** Parts that are under way at once; each holds its bytes in memory. */
const parallelParts = 3;

interface Place {
  readonly Bucket: string;
  readonly Key: string;
}

/**
 * Stores an object from a stream of blocks, each a part of a multipart upload (over 5 MiB, but the last);
 * when the stream fails or the signal is aborted, the upload is given up and nothing is stored.
 */
export async function uploadBlocks(
  client: S3Client,
  place: Place,
  options: { readonly blocks: AsyncIterable<Uint8Array>; readonly signal: AbortSignal },
): Promise<void> {
  const { signal } = options;
  const blocks = options.blocks[Symbol.asyncIterator]();
  const next = () => orAborted(blocks.next(), signal);
  const first = await next();
  if (first.done === true) throw new Error('expected at least one block to upload, got none');
  const second = await next();
  if (second.done === true) {
    await client.send(new PutObjectCommand({ ...place, Body: first.value }), { abortSignal: signal });
    return;
  }
  await uploadParts(client, place, { pieces: [first.value, second.value], next, signal });
}

async function uploadParts(
  client: S3Client,
  place: Place,
  input: {
    readonly pieces: readonly Uint8Array[];
    readonly next: () => Promise<IteratorResult<Uint8Array>>;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { signal } = input;
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...place, ChecksumAlgorithm: 'CRC32' }), {
    abortSignal: signal,
  });
  const upload = { ...place, UploadId };
  const running = new Set<Promise<void>>();
  const parts: CompletedPart[] = [];
  const send = async (body: Uint8Array, number: number): Promise<void> => {
    const part = { ...upload, PartNumber: number, Body: body };
    const { ETag, ChecksumCRC32 } = await client.send(new UploadPartCommand(part), { abortSignal: signal });
    parts[number - 1] = { PartNumber: number, ETag, ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }) };
  };
  try {
    let number = 0;
    const start = async (body: Uint8Array): Promise<void> => {
      const sending = send(body, ++number);
      running.add(sending);
      // A failure is thrown by the race or by the last wait below.
      sending.then(() => running.delete(sending)).catch(() => undefined);
      if (running.size >= parallelParts) await Promise.race(running);
    };
    for (const piece of input.pieces) await start(piece);
    for (let block = await input.next(); block.done !== true; block = await input.next()) await start(block.value);
    await Promise.all(running);
    await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } }), {
      abortSignal: signal,
    });
  } catch (error) {
    // Parts that arrive after the abort would stay, so they are waited for.
    await Promise.allSettled(running);
    await client.send(new AbortMultipartUploadCommand(upload));
    throw error;
  }
}
