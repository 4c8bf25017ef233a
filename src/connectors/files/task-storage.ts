import { Readable } from 'node:stream';
import { s3Client } from '../../aws/s3.ts';
import { TaskError } from '../../task/errors.ts';
import { shared } from '../settings.ts';
import { releasing } from './blocks.ts';
import { readLocalFile, writeLocalFile } from './local-file.ts';
import { type ObjectAddress, parseObjectUrl, readObject } from './object-stream.ts';
import { type WrittenObject, writeObject } from './object-upload.ts';

/** Bytes that wait for the disk. */
const bufferBytes = 1_048_576;

/** Where a task reads from: an object by its address, or a file by its path. */
export function readPlace(place: string, options: { readonly signal: AbortSignal }): AsyncGenerator<Buffer> {
  const address = parseObjectUrl(place);
  if (address !== undefined) return readObject(taskS3Client(), address, options);
  return readLocalFile(place, { ...options, root: settings().localFiles });
}

/** What a task says of its output. */
export interface PlaceOptions {
  readonly signal: AbortSignal;
  /** Of the item whose output it is: `jobId/index`. */
  readonly idempotencyKey: string;
  /** The folder within the job's own that `job` means. */
  readonly folder: string;
  readonly contentType?: string | undefined;
}

/**
 * Writes to an object by its address, to a file by its path, or, for `job`, into the folder of the item's own job; the same item
 * writes to the same object again.
 *
 * @throws TaskError `InvalidTarget` for an address among the jobs of the stack, and as the place says
 */
export async function writePlace(
  place: string,
  blocks: AsyncIterable<Buffer>,
  options: PlaceOptions,
): Promise<WrittenObject | { readonly path: string; readonly bytes: number }> {
  const { signal, contentType } = options;
  const address = place === 'job' ? jobObject(options) : parseObjectUrl(place);
  if (address === undefined) {
    const body = Readable.from(blocks, { objectMode: false, highWaterMark: bufferBytes });
    return writeLocalFile(place, { body, signal, root: settings().localFiles });
  }
  if (place !== 'job' && address.bucket === settings().bucket && address.key.startsWith('jobs/')) {
    throw new TaskError(
      `expected an address outside of the jobs of the stack, got ${place}; say "job" for the folder of this job`,
      {
        code: 'InvalidTarget',
      },
    );
  }
  return writeObject(taskS3Client(), address, { blocks: releasing(blocks), signal, contentType });
}

const settings = shared((connectors) => connectors);

/** The one S3 client of the tasks of a process, with sockets of its own. */
const taskS3Client = shared(() => s3Client({}));

function jobObject({ idempotencyKey, folder }: PlaceOptions): ObjectAddress {
  const { bucket } = settings();
  if (bucket === undefined) {
    throw new TaskError('expected to run within a stack, which has the folder of the job; give an s3:// address', {
      code: 'InvalidTarget',
    });
  }
  const [jobId = '', ...index] = idempotencyKey.split('/');
  return { bucket, key: `jobs/${jobId}/${folder}/${index.join('-')}` };
}
