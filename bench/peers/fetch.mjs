// p-map over Node's own fetch: what most scripts do.
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import pMap from 'p-map';

const [input, output, atOnce] = process.argv.slice(2);
const urls = (await readFile(input, 'utf8'))
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));
const out = createWriteStream(output);
await pMap(
  urls,
  async (url, index) => {
    const answer = await fetch(url);
    out.write(`${JSON.stringify({ index, status: answer.status, value: await answer.json() })}\n`);
  },
  { concurrency: Number(atOnce) },
);
await new Promise((resolve) => out.end(resolve));
process.exit();
