/** Options that try a part of an input first. */
export interface PartOptions {
  /** Records at the start that are passed over. @default 0 */
  readonly skip?: number | undefined;
  /** Records behind those that are taken. @default all */
  readonly limit?: number | undefined;
  /** Records that are drawn at random from what is left, in their order. @default all */
  readonly sample?: number | undefined;
}

/** Passes the chosen part of a source's records on, which come some at a time; a sample reads all of them and holds only itself. */
export async function* chooseRecords<Item>(
  source: AsyncIterable<readonly Item[]>,
  { skip = 0, limit = Number.POSITIVE_INFINITY, sample }: PartOptions,
  copy: (item: Item) => Item,
): AsyncGenerator<readonly Item[]> {
  const part = skip === 0 && limit === Number.POSITIVE_INFINITY ? source : partOf(source, skip, limit);
  if (sample === undefined) for await (const batch of part) yield batch;
  else yield (await draw(part, sample, copy)).sort((a, b) => a.at - b.at).map(({ item }) => item);
}

async function* partOf<Item>(
  source: AsyncIterable<readonly Item[]>,
  skip: number,
  limit: number,
): AsyncGenerator<readonly Item[]> {
  if (limit <= 0) return;
  let at = 0;
  for await (const batch of source) {
    yield batch.slice(Math.max(0, skip - at), Math.max(0, skip + limit - at));
    at += batch.length;
    if (at >= skip + limit) return;
  }
}

/** Each record is as likely as any other to be drawn, however many there are (reservoir sampling, Vitter's algorithm R). */
async function draw<Item>(
  source: AsyncIterable<readonly Item[]>,
  size: number,
  copy: (item: Item) => Item,
): Promise<Array<{ readonly at: number; readonly item: Item }>> {
  const drawn: Array<{ readonly at: number; readonly item: Item }> = [];
  let at = 0;
  for await (const batch of source) {
    for (const item of batch) {
      const place = at < size ? at : Math.floor(Math.random() * (at + 1));
      if (place < size) drawn[place] = { at, item: copy(item) };
      at++;
    }
  }
  return drawn;
}
