import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Semaphore } from '../../aio/index.ts';
import { type ObjectAddress, objectFailure } from './object-stream.ts';

/** An object that was written. */
export interface WrittenObject extends ObjectAddress {
  readonly bytes: number;
  readonly etag: string;
}

/** What is written, and how. */
export interface ObjectSource {
  /** Each block is copied before the next is asked for. */
  readonly blocks: AsyncIterable<Buffer>;
  readonly signal: AbortSignal;
  readonly contentType?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Asks again as long as the caller can wait; each request may be sent any number of times. @default the SDK's own tries alone */
  readonly patiently?: (<Answer>(ask: () => Promise<Answer>) => Promise<Answer>) | undefined;
}

/** S3 takes parts from 5 MiB and at most 10,000 of them: parts of 8 MiB reach 78 GiB. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const partBytes = 8_388_608;

/** Parts of one object that are sent at once, while a further one is filled. */
const partsAtOnce = 2;

/** Objects that a process writes at once: with three buffers each they keep below 200 MiB. */
const writesAtOnce = 8;

const writes = new Semaphore(writesAtOnce);

/**
 * Writes blocks to an object, in parts where they are many; the object appears whole or not at all. Its buffers are used again and
 * again, so that memory stays flat (`@aws-sdk/lib-storage` makes new ones for each part).
 *
 * @throws TaskError as S3 says
 * @throws the signal's reason when it aborts, and what the blocks fail with
 */
export async function writeObject(
  client: S3Client,
  address: ObjectAddress,
  source: ObjectSource,
): Promise<WrittenObject> {
  using _place = await writes.hold({ signal: source.signal });
  const upload = new ObjectUpload(client, address, source);
  try {
    for await (const block of source.blocks) await upload.add(block);
    return await upload.complete();
  } catch (error) {
    await upload.abort();
    source.signal.throwIfAborted();
    throw error;
  }
}

class ObjectUpload {
  readonly #client: S3Client;
  readonly #address: ObjectAddress;
  readonly #source: ObjectSource;
  readonly #target: { readonly Bucket: string; readonly Key: string };
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #free: Buffer[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #parts: CompletedPart[] = [];
  #filling: Buffer | undefined;
  #filled = 0;
  #bytes = 0;
  #uploadId: string | undefined;
  #nextPart = 1;

  constructor(client: S3Client, address: ObjectAddress, source: ObjectSource) {
    this.#client = client;
    this.#address = address;
    this.#source = source;
    this.#target = { Bucket: address.bucket, Key: address.key };
    this.#signal = AbortSignal.any([source.signal, this.#stop.signal]);
  }

  async add(block: Buffer): Promise<void> {
    for (let from = 0; from < block.byteLength; ) {
      if (this.#filled === partBytes) await this.#sendPart();
      this.#filling ??= this.#free.pop() ?? Buffer.allocUnsafeSlow(partBytes);
      const copied = block.copy(this.#filling, this.#filled, from);
      from += copied;
      this.#filled += copied;
      this.#bytes += copied;
    }
  }

  async complete(): Promise<WrittenObject> {
    const etag = this.#uploadId === undefined ? await this.#putWhole() : await this.#completeParts();
    return { ...this.#address, bytes: this.#bytes, etag: etag ?? '' };
  }

  /** Takes back what was sent. A failure to do so leaves parts, which the bucket's lifecycle removes, and must not hide the first one. */
  async abort(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#running);
    if (this.#uploadId === undefined) return;
    await this.#client
      .send(new AbortMultipartUploadCommand({ ...this.#target, UploadId: this.#uploadId }))
      .catch(() => {});
  }

  async #sendPart(): Promise<void> {
    this.#uploadId ??= await this.#create();
    while (this.#running.size >= partsAtOnce) await Promise.race(this.#running);
    const buffer = this.#filling ?? Buffer.alloc(0);
    const number = this.#nextPart++;
    const sent = this.#uploadPart(number, buffer.subarray(0, this.#filled)).then(() => {
      this.#free.push(buffer);
      this.#running.delete(sent);
    });
    // A failure stays in the set until somebody awaits it: the next part, the completion, or the abort.
    sent.catch(() => {});
    this.#running.add(sent);
    this.#filling = undefined;
    this.#filled = 0;
  }

  async #uploadPart(number: number, body: Buffer): Promise<void> {
    const command = new UploadPartCommand({
      ...this.#target,
      UploadId: this.#uploadId,
      PartNumber: number,
      Body: body,
    });
    const { ETag, ChecksumCRC32 } = await this.#attempt(() =>
      this.#client.send(command, { abortSignal: this.#signal }),
    );
    this.#parts[number - 1] = { PartNumber: number, ETag, ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }) };
  }

  async #putWhole(): Promise<string | undefined> {
    const body = this.#filling?.subarray(0, this.#filled) ?? Buffer.alloc(0);
    const command = new PutObjectCommand({ ...this.#target, ...this.#about(), Body: body });
    return (await this.#attempt(() => this.#client.send(command, { abortSignal: this.#signal }))).ETag;
  }

  async #completeParts(): Promise<string | undefined> {
    await this.#sendPart();
    await Promise.all(this.#running);
    const command = new CompleteMultipartUploadCommand({
      ...this.#target,
      UploadId: this.#uploadId,
      MultipartUpload: { Parts: this.#parts },
    });
    return (await this.#attempt(() => this.#client.send(command, { abortSignal: this.#signal }))).ETag;
  }

  async #create(): Promise<string | undefined> {
    // The SDK sends a CRC32 with each part, which S3 refuses unless the upload was begun with that algorithm.
    const command = new CreateMultipartUploadCommand({ ...this.#target, ...this.#about(), ChecksumAlgorithm: 'CRC32' });
    return (await this.#attempt(() => this.#client.send(command, { abortSignal: this.#signal }))).UploadId;
  }

  #about(): { readonly ContentType?: string; readonly Metadata?: Record<string, string> } {
    const { contentType, metadata } = this.#source;
    return {
      ...(contentType === undefined ? {} : { ContentType: contentType }),
      ...(metadata === undefined ? {} : { Metadata: { ...metadata } }),
    };
  }

  #attempt<Answer>(send: () => Promise<Answer>): Promise<Answer> {
    const { patiently = (ask) => ask() } = this.#source;
    return patiently(async () => {
      try {
        return await send();
      } catch (error) {
        // What was broken off is not asked for again.
        this.#signal.throwIfAborted();
        throw objectFailure(error, this.#address);
      }
    });
  }
}
