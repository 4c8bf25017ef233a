/**
 * Objects of the embedded cloud, as files. The model's bucket is memory; here a job outlives its process, inputs may be larger than memory,
 * and a rename makes each write visible at once and whole. What a condition, a list, or a key means is the model's, and the ports contract
 * holds both to it.
 */
import { mkdirSync, readdirSync, rmdirSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { makePrivateFolder, privateFolder } from '../../runtime/private-files.ts';
import { refusalOfWrite, type WriteCondition, type WriteRefusal } from '../model/objects.ts';
import { isAbsent, type OpenObject, openObject, readListed, readRecord, stageBody } from './object-file.ts';
import { fromBinaryKey, objectPath, toBinaryKey } from './object-path.ts';
import type { ObjectRecord } from './object-record.ts';
import { afterPrefix, walkKeys } from './object-walk.ts';

/** What a write answers: the object's record, or why nothing was written. */
export type Written =
  | { readonly written: true; readonly record: ObjectRecord }
  | { readonly written: false; readonly reason: WriteRefusal | 'gone' };

/** What is written beside the body. */
export interface WriteOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly condition?: WriteCondition;
  /** @default the body's MD5 */
  readonly etag?: string;
  /** Asked in the moment of the write; false leaves everything as it was. */
  readonly stillWanted?: () => boolean;
}

/** One line of a list: an object, or what a delimiter groups. */
export type Listed =
  | { readonly kind: 'object'; readonly key: string; readonly record: ObjectRecord }
  | { readonly kind: 'prefix'; readonly prefix: string };

/** Which keys a list answers. */
export interface ListOptions {
  readonly prefix: string;
  readonly delimiter: string;
  /** A binary string (see object-path.ts): only keys at or after it. */
  readonly from: string;
  readonly max: number;
}

/** Objects of one bucket, in a folder. */
export interface Bucket {
  readonly folder: string;
  head(key: string): ObjectRecord | undefined;
  open(key: string): OpenObject | undefined;
  /** Streams the body to disk, then makes it visible by one rename if the condition holds; concurrent writers see each other's writes whole. */
  put(key: string, body: AsyncIterable<Uint8Array>, options: WriteOptions): Promise<Written>;
  remove(key: string): void;
  /** Answers `next`, the `from` of what follows, where there is more. */
  list(options: ListOptions): { readonly items: readonly Listed[]; readonly next: string | undefined };
}

/** Buckets in a folder. */
export interface ObjectStore {
  bucket(name: string): Bucket | undefined;
  /** Does nothing where the bucket exists. */
  createBucket(name: string): void;
  buckets(): readonly { readonly name: string; readonly createdMs: number }[];
}

/** Opens a folder of buckets, and removes what a killed process left half written. The folder has one owner. */
export function openObjectStore(folder: string): ObjectStore {
  const root = resolve(folder);
  makePrivateFolder(root);
  for (const name of readdirSync(root)) rmSync(join(root, name, 'staged'), { recursive: true, force: true });
  const known = new Map<string, Bucket>();
  return {
    bucket(name) {
      const open = known.get(name);
      if (open !== undefined) return open;
      if (!isBucketName(name) || statSync(join(root, name), { throwIfNoEntry: false }) === undefined) return undefined;
      const bucket = openBucket(join(root, name));
      known.set(name, bucket);
      return bucket;
    },
    createBucket(name) {
      mkdirSync(join(root, name, 'objects'), privateFolder);
    },
    buckets: () =>
      readdirSync(root)
        .filter(isBucketName)
        .sort()
        .map((name) => ({ name, createdMs: Math.floor(statSync(join(root, name)).birthtimeMs) })),
  };
}

/** Whether S3 takes this name for a bucket. https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
export function isBucketName(name: string): boolean {
  return /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes('..');
}

function openBucket(folder: string): Bucket {
  const objects = join(folder, 'objects');
  const staged = join(folder, 'staged');
  const pathOf = (key: string): string => join(objects, objectPath(toBinaryKey(key)));
  return {
    folder,
    head: (key) => readRecord(pathOf(key)),
    open: (key) => openObject(pathOf(key)),
    async put(key, body, { headers, metadata, condition = {}, etag, stillWanted }) {
      const path = pathOf(key);
      const staging = await stageBody(staged, body);
      try {
        const record = { etag: etag ?? staging.md5, bytes: staging.bytes, modifiedMs: Date.now(), headers, metadata };
        await staging.seal(record);
        // From here to the rename nothing is awaited, so that no other writer comes between the check and the write.
        const reason =
          refusalOfWrite(condition, readRecord(path)?.etag) ?? (stillWanted?.() === false ? 'gone' : undefined);
        if (reason !== undefined) return { written: false, reason };
        staging.publish(path);
        return { written: true, record };
      } finally {
        await staging.discard();
      }
    },
    remove(key) {
      const path = pathOf(key);
      try {
        unlinkSync(path);
      } catch (error) {
        if (isAbsent(error)) return;
        throw error;
      }
      removeEmptyFolders(dirname(path), objects);
    },
    list: (options) => listKeys(objects, options),
  };
}

function removeEmptyFolders(folder: string, root: string): void {
  try {
    for (let at = folder; at !== root; at = dirname(at)) rmdirSync(at);
  } catch {
    // A folder that holds other keys cannot be removed, and need not be.
  }
}

function listKeys(root: string, options: ListOptions): { items: Listed[]; next: string | undefined } {
  const prefix = toBinaryKey(options.prefix);
  const delimiter = toBinaryKey(options.delimiter);
  const walk = walkKeys(root, prefix);
  const items: Listed[] = [];
  let bound = options.from;
  for (let found = walk.next(bound); found !== undefined && options.max > 0; found = walk.next(bound)) {
    if (items.length === options.max) return { items, next: bound };
    const end = delimiter === '' ? -1 : found.key.indexOf(delimiter, prefix.length);
    if (end >= 0) {
      const group = found.key.slice(0, end + delimiter.length);
      items.push({ kind: 'prefix', prefix: fromBinaryKey(group) });
      bound = afterPrefix(group);
      continue;
    }
    const record = readListed(found.path);
    if (record !== undefined) items.push({ kind: 'object', key: fromBinaryKey(found.key), record });
    bound = `${found.key}\0`;
  }
  return { items, next: undefined };
}
