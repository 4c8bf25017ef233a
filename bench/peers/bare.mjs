// The bar: N coroutines of undici.request in one process, NDJSON out.
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'undici';

const [input, output, atOnce] = process.argv.slice(2);
const urls = (await readFile(input, 'utf8'))
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));
const out = createWriteStream(output);
const dispatcher = new Agent({ connections: Number(atOnce) });
let next = 0;
async function lane() {
  while (next < urls.length) {
    const index = next++;
    const { statusCode, body } = await request(urls[index], { dispatcher });
    out.write(`${JSON.stringify({ index, status: statusCode, value: await body.json() })}\n`);
  }
}
await Promise.all(Array.from({ length: Number(atOnce) }, lane));
await new Promise((resolve) => out.end(resolve));
await dispatcher.close();
