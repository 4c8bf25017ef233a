import { setImmediate as turn } from 'node:timers/promises';
import { BrokenRecord } from '../../format/record.ts';
import type { StoredObject } from '../../ports.ts';
import { DamagedObject } from './object-record.ts';
import type { ObjectStore } from './object-store.ts';

/** An object whole, as the client of a request for it has it. @throws Error where there is no bucket; BrokenRecord of a damaged file */
export async function readObject(
  store: ObjectStore,
  bucketName: string,
  key: string,
): Promise<StoredObject | undefined> {
  // As between two requests: who reads a million rows lets signals, timers, and other processes' requests have their turn.
  await turn();
  const bucket = store.bucket(bucketName);
  if (bucket === undefined) throw new Error(`expected a bucket ${bucketName}, got none`);
  const object = open(() => bucket.open(key));
  if (object === undefined) return undefined;
  try {
    const { bytes, etag, metadata, modifiedMs } = object.record;
    const body = bytes === 0 ? Buffer.alloc(0) : object.read(0, bytes - 1);
    return {
      body: body instanceof Uint8Array ? body : Buffer.concat(await body.toArray()),
      etag: `"${etag}"`,
      metadata,
      modifiedAt: toSecond(modifiedMs),
      answeredAt: toSecond(Date.now()),
    };
  } finally {
    object.close();
  }
}

function open<Opened>(act: () => Opened): Opened {
  try {
    return act();
  } catch (error) {
    if (error instanceof DamagedObject) throw new BrokenRecord(error.message, { cause: error });
    throw error;
  }
}

/** S3 tells times to the second. */
const toSecond = (ms: number): number => Math.floor(ms / 1_000) * 1_000;
