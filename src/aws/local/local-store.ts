import type { IncomingHttpHeaders } from 'node:http';
import { BrokenRecord } from '../../format/record.ts';
import type { ObjectHead, ObjectStore, PutOptions, StoredObject } from '../../ports.ts';
import { maxConflicts, pageKeys } from '../connection.ts';
import { elementTexts } from '../xml.ts';
import { failureOf, type LocalAnswer, type LocalRequest, type LocalRequests } from './local-requests.ts';

const metadataPrefix = 'x-amz-meta-';

/** Reads an object of a cloud that runs in this process. */
export type ReadHere = (bucket: string, key: string) => Promise<StoredObject | undefined>;

/** The bucket of the embedded cloud, by the same requests as the SDK makes (`job-store.ts`), without loading it. */
export class LocalStore implements ObjectStore {
  readonly #requests: LocalRequests;
  readonly #bucket: string;
  readonly #readHere: () => ReadHere | undefined;

  /** @param readHere reads without a request, while this process runs the cloud itself. @default all is asked for */
  constructor(requests: LocalRequests, bucket: string, readHere: () => ReadHere | undefined = () => undefined) {
    this.#requests = requests;
    this.#bucket = bucket;
    this.#readHere = readHere;
  }

  async get(key: string): Promise<StoredObject | undefined> {
    const readHere = this.#readHere();
    if (readHere !== undefined) return readHere(this.#bucket, key);
    const answer = await this.#send({ method: 'GET', path: this.#pathOf(key) }, [404]);
    if (answer.status === 404) return undefined;
    const modifiedAt = dateOf(answer.headers['last-modified']);
    const answeredAt = dateOf(answer.headers.date);
    return {
      body: answer.body,
      ...describe(answer.headers),
      ...(modifiedAt === undefined ? {} : { modifiedAt }),
      ...(answeredAt === undefined ? {} : { answeredAt }),
    };
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    const { status, headers } = await this.#send({ method: 'HEAD', path: this.#pathOf(key) }, [404]);
    return status === 404 ? undefined : { bytes: Number(headers['content-length'] ?? 0), ...describe(headers) };
  }

  async put(key: string, body: string | Uint8Array, options: PutOptions = {}): Promise<string | undefined> {
    const { condition, metadata = {} } = options;
    const headers = Object.fromEntries(
      Object.entries(metadata).map(([name, value]) => [`${metadataPrefix}${name}`, value]),
    );
    if (condition !== undefined) {
      if ('ifAbsent' in condition) headers['if-none-match'] = '*';
      else headers['if-match'] = condition.ifMatch;
    }
    const asked = { method: 'PUT', path: this.#pathOf(key), headers, body: Buffer.from(body) } as const;
    const known = condition === undefined ? [] : 'ifMatch' in condition ? [404, 409, 412] : [409, 412];
    for (let conflicts = 0; ; conflicts++) {
      // 409: another conditional write of the same key was under way.
      const refusals = conflicts < maxConflicts ? known : known.filter((status) => status !== 409);
      const { status, headers: answered } = await this.#send(asked, refusals);
      if (status !== 409) return status === 200 ? (answered.etag ?? '') : undefined;
    }
  }

  async delete(key: string): Promise<void> {
    await this.#send({ method: 'DELETE', path: this.#pathOf(key) });
  }

  async list(
    prefix: string,
    options: { readonly startAfter?: string; readonly limit?: number } = {},
  ): Promise<readonly string[]> {
    const limit = options.limit ?? Number.POSITIVE_INFINITY;
    const keys: string[] = [];
    let token: string | undefined;
    do {
      const query = new URLSearchParams({
        'list-type': '2',
        prefix,
        'max-keys': String(Math.min(pageKeys, limit - keys.length)),
        ...(options.startAfter === undefined ? {} : { 'start-after': options.startAfter }),
        ...(token === undefined ? {} : { 'continuation-token': token }),
      });
      const text = (await this.#send({ method: 'GET', path: `/${this.#bucket}?${query}` })).body.toString();
      keys.push(...elementTexts(text, 'Key'));
      [token] = elementTexts(text, 'NextContinuationToken');
    } while (token !== undefined && keys.length < limit);
    return keys;
  }

  /** @throws Error for an answer that is neither a success nor among the known ones */
  async #send(asked: Omit<LocalRequest, 'service'>, known: readonly number[] = []): Promise<LocalAnswer> {
    const request = { service: 's3', ...asked } as const;
    const answer = await this.#requests.send(request);
    const hasNoBucket = answer.status === 404 && elementTexts(answer.body.toString(), 'Code')[0] === 'NoSuchBucket';
    if (answer.status < 300 || (known.includes(answer.status) && !hasNoBucket)) return answer;
    const [code] = elementTexts(answer.body.toString(), 'Code');
    const [message = ''] = elementTexts(answer.body.toString(), 'Message');
    if (code === 'InvalidObjectState') throw new BrokenRecord(message);
    throw failureOf(request, answer);
  }

  #pathOf(key: string): string {
    return objectPath(this.#bucket, key);
  }
}

/** Path of a request for an object. */
export const objectPath = (bucket: string, key: string): string =>
  `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;

/** What the headers of an answer say of an object. */
export function describe(headers: IncomingHttpHeaders): Pick<ObjectHead, 'etag' | 'metadata'> {
  const own = Object.entries(headers).filter(([name]) => name.startsWith(metadataPrefix));
  return {
    etag: headers.etag ?? '',
    metadata: Object.fromEntries(own.map(([name, value]) => [name.slice(metadataPrefix.length), String(value)])),
  };
}

function dateOf(header: string | undefined): number | undefined {
  const time = Date.parse(header ?? '');
  return Number.isFinite(time) ? time : undefined;
}
