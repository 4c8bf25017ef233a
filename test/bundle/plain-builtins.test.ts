import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createPlainServer, type IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { build } from 'esbuild';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { requireBanner } from '../../src/bundle/engine-parts.ts';
import { plainBuiltinsPlugin } from '../../src/bundle/plain-builtins.ts';
import { slimSdkPlugin } from '../../src/bundle/slim-sdk.ts';
import { certificate } from '../connectors/http/certificate.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fanloop-builtins-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const root = path.join(import.meta.dirname, '..', '..');

/** What a program says on standard output that was bundled as the engine is. */
async function bundledOutput(source: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const outfile = path.join(folder, 'program.mjs');
  await build({
    stdin: { contents: source, resolveDir: root },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    minify: true,
    banner: { js: requireBanner },
    plugins: [plainBuiltinsPlugin, slimSdkPlugin],
  });
  const { stdout } = await promisify(execFile)(process.execPath, [outfile], { env: { ...process.env, ...env } });
  return stdout;
}

const client = `
  import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };
  const settings = { region: 'us-east-1', credentials, forcePathStyle: true };
`;

/** What of Node's own heavy modules a program has loaded. */
const heavy = ['tls', 'https', 'fs/promises', 'worker_threads', 'child_process', 'internal/deps/undici/undici'];
/** What no client needs before its first call. */
const late = ['zlib', 'internal/webstreams/readablestream', 'internal/crypto/webcrypto', 'internal/fs/promises'];
const loaded = (names = heavy) => `${JSON.stringify(names)}
  .filter((name) => process.moduleLoadList.includes('NativeModule ' + name)).join()`;

it('gives what is imported by name, as a namespace, and by default', async () => {
  const output = await bundledOutput(`
    import { join } from 'node:path';
    import * as crypto from 'crypto';
    import zlib, { gzipSync } from 'node:zlib';
    import { readFile } from 'node:fs/promises';
    import { createServer, default as http } from 'node:http';
    import { setTimeout as wait } from 'node:timers/promises';
    await wait(1);
    const given = [join('a', 'b'), crypto.createHash('sha1').update('a').digest('hex').slice(0, 4),
      zlib.gunzipSync(gzipSync('text')).toString(), (await readFile(process.argv[1])).length > 0, createServer === http.createServer];
    console.log(JSON.stringify(given));
    console.log((await import('node:os')).EOL === '\\n', (await import('node:https')).request !== undefined);
  `);
  expect(output).toBe('["a/b","86f7","text",true,true]\ntrue true\n');
});

it('loads neither TLS, files as promises, web streams, nor threads for clients whose endpoint is not encrypted', async () => {
  const output = await bundledOutput(`${client}
    import { SQSClient } from '@aws-sdk/client-sqs';
    new S3Client({ ...settings, endpoint: 'http://127.0.0.1:1' });
    new SQSClient({ ...settings, endpoint: 'http://127.0.0.1:1' });
    console.log(${loaded([...heavy, ...late])});
  `);
  expect(output).toBe('\n');
});

it('loads neither TLS nor threads for its calls', async () => {
  const asked: IncomingHttpHeaders[] = [];
  const server = createPlainServer((request, response) => {
    asked.push(request.headers);
    request.resume().on('end', () => response.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const output = await bundledOutput(`${client}
      const s3 = new S3Client({ ...settings, endpoint: 'http://127.0.0.1:${port}' });
      await s3.send(new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: Buffer.from('what is stored') }));
      console.log(${loaded()});
      s3.destroy();
    `);
    // The SDK looks for a person's settings then.
    expect(output.trim()).toMatch(/^(fs\/promises)?$/);
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32BE(crc32('what is stored'));
    expect(asked).toMatchObject([
      {
        'x-amz-checksum-crc32': checksum.toString('base64'),
        'amz-sdk-invocation-id': expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      },
    ]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

it("calls an encrypted endpoint by one kept connection, which the client's end closes", async () => {
  const server = createServer({ ...certificate, keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume().on('end', () => response.end('what was stored'));
  });
  const sockets = new Set<object>();
  server.on('secureConnection', (socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const trusted = path.join(folder, 'certificate.pem');
    writeFileSync(trusted, certificate.cert);
    const output = await bundledOutput(
      `${client}
      const s3 = new S3Client({ ...settings, endpoint: 'https://localhost:${port}' });
      await s3.send(new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: Buffer.from('what was stored') }));
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'b', Key: 'k' }));
      console.log(await Body.transformToString());
      s3.destroy();
      `,
      { NODE_EXTRA_CA_CERTS: trusted },
    );
    expect(output).toBe('what was stored\n');
    expect(sockets.size).toBe(1);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
