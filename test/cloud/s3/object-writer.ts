import { openObjectStore } from '../../../src/cloud/s3/object-store.ts';

/** Writes small and large objects, new ones and over old ones, until it is killed; tells each that was answered. */
const store = openObjectStore(process.argv[2] ?? '');
store.createBucket('bucket');
const bucket = store.bucket('bucket');
async function* bodyOf(index: number): AsyncGenerator<Uint8Array> {
  for (let part = 0; part < (index % 3 === 0 ? 40 : 1); part += 1) yield Buffer.alloc(30_000, `${index}.${part} `);
}
const write = async (lane: number): Promise<void> => {
  for (let index = lane; ; index += 4) {
    const key = `folder ${index % 5}/${index % 50}`;
    await bucket?.put(key, bodyOf(index), { headers: {}, metadata: { key } });
    process.send?.(key);
  }
};
process.on('disconnect', () => process.exit());
await Promise.all([write(0), write(1), write(2), write(3)]);
