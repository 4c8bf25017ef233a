// p-map over undici.request, as its readme has it.
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import pMap from 'p-map';
import { Agent, request } from 'undici';

const [input, output, atOnce] = process.argv.slice(2);
const urls = (await readFile(input, 'utf8'))
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));
const out = createWriteStream(output);
const dispatcher = new Agent({ connections: Number(atOnce) });
await pMap(
  urls,
  async (url, index) => {
    const { statusCode, body } = await request(url, { dispatcher });
    out.write(`${JSON.stringify({ index, status: statusCode, value: await body.json() })}\n`);
  },
  { concurrency: Number(atOnce) },
);
await new Promise((resolve) => out.end(resolve));
await dispatcher.close();
