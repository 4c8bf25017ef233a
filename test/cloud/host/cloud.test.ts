import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalRequests } from '../../../src/aws/local/local-requests.ts';
import { type CloudConnection, openEmbeddedCloud } from '../../../src/cloud/host/cloud.ts';
import { type StackSource, startOwner } from '../../../src/cloud/host/cloud-owner.ts';
import type { StackSettings } from '../../../src/runtime/stack-settings.ts';
import { systemClock } from '../../../src/runtime/system.ts';
import { UsageError } from '../../../src/task/errors.ts';
import { temporaryFolder, writeStack } from '../../support/embedded-stack.ts';
import { manualClock } from '../../support/manual-clock.ts';

const code = `
  import { connect } from 'node:net';
  export const handler = async ({ spinFor }) => {
    if (spinFor === undefined) return process.pid;
    await new Promise((resolve) => connect(spinFor, '127.0.0.1').once('connect', resolve));
    for (;;);
  };
`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let source: StackSource;
const opened: CloudConnection[] = [];

beforeEach(async () => {
  folder = await temporaryFolder();
  source = await writeStack(folder.path, {
    functions: { Hello: { code, properties: { MemorySize: 256, Timeout: 60 } } },
  });
});

afterEach(async () => {
  for (const cloud of opened.splice(0).reverse()) await cloud.close();
  await folder[Symbol.asyncDispose]();
});

const stateDir = (): string => path.join(folder.path, 'state');

async function open(
  settings: StackSettings = {},
  onOwner?: (connection: CloudConnection) => Promise<void>,
): Promise<CloudConnection> {
  const cloud = await openEmbeddedCloud(
    { stateDir: stateDir(), settings, ...(onOwner && { onOwner }) },
    { clock: systemClock, synthesize: async () => source },
  );
  opened.push(cloud);
  return cloud;
}

/** A joiner that finds its stack in a way of its own when its turn comes. */
async function joinWith(synthesize: () => Promise<StackSource>): Promise<CloudConnection> {
  const joiner = await openEmbeddedCloud({ stateDir: stateDir(), settings: {} }, { clock: systemClock, synthesize });
  opened.push(joiner);
  return joiner;
}

const clientOptions = ({ endpoint, region, credentials }: CloudConnection) => ({ endpoint, region, credentials });

async function hello(cloud: CloudConnection): Promise<number> {
  const { Payload } = await new LambdaClient(clientOptions(cloud)).send(
    new InvokeCommand({ FunctionName: cloud.outputs['Hello'], Payload: '{}' }),
  );
  return Number(Payload?.transformToString());
}

/** A joiner and the promise of its turn as owner. */
async function join(): Promise<{ readonly joiner: CloudConnection; readonly owns: Promise<CloudConnection> }> {
  const turn = Promise.withResolvers<CloudConnection>();
  const joiner = await open({}, async (connection) => turn.resolve(connection));
  return { joiner, owns: turn.promise };
}

describe('an embedded cloud', () => {
  it('is owned by the first that opens its folder, and joined by the next', async () => {
    const turns: boolean[] = [];
    const owner = await open({}, async (connection) => void turns.push(connection.owner));
    const { joiner } = await join();
    expect(turns).toEqual([true]);
    expect([owner.owner, joiner.owner]).toEqual([true, false]);
    expect(joiner).toMatchObject({ endpoint: owner.endpoint, outputs: owner.outputs, region: 'us-east-1' });
    expect(await hello(joiner)).toBe(await hello(owner));
  });

  it('is refused with other settings than its owner runs', async () => {
    await open({ workers: 5 });
    const refused = await open({ workers: 6 }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UsageError);
    expect(refused).toMatchObject({ code: 'StateFolderBusy', message: expect.stringContaining(stateDir()) });
  });

  it('passes to a joiner on the same port when the owner closes it, with its objects', async () => {
    const owner = await open();
    const { joiner, owns } = await join();
    const object = { Bucket: owner.outputs['Jobs'], Key: 'jobs/1/manifest.json' };
    await new S3Client(clientOptions(owner)).send(new PutObjectCommand({ ...object, Body: 'kept' }));
    const { endpoint, outputs } = owner;
    await owner.close();
    expect(await owns).toBe(joiner);
    expect(joiner).toMatchObject({ owner: true, endpoint, outputs });
    const { Body } = await new S3Client(clientOptions(joiner)).send(new GetObjectCommand(object));
    expect(await Body?.transformToString()).toBe('kept');
    expect(await hello(joiner)).toBeGreaterThan(0);
  });

  it('passes to a joiner when the owner is killed, and no process of its functions is left', async () => {
    const child = fork(fileURLToPath(new URL('../../support/embedded-owner.ts', import.meta.url)), [
      stateDir(),
      source.templatePath,
      source.outDir,
    ]);
    const [started] = await once(child, 'message');
    const server = createServer().listen(0, '127.0.0.1');
    try {
      const { joiner, owns } = await join();
      expect(joiner).toMatchObject({ ...started, owner: false });
      // A server that listens on a port of TCP has such an address.
      const { port } = server.address() as AddressInfo;
      const spinning = once(server, 'connection');
      const broken = new LambdaClient({ ...clientOptions(joiner), maxAttempts: 1 })
        .send(new InvokeCommand({ FunctionName: joiner.outputs['Hello'], Payload: JSON.stringify({ spinFor: port }) }))
        .catch((error: unknown) => error);
      // The function's loop is blocked: it cannot notice by itself that its owner is gone.
      const [socket] = (await spinning) as [Socket];
      // A killed process may reset its connection; that is its end as well.
      const functionEnded = new Promise((resolve) =>
        socket
          .on('error', () => {})
          .once('close', resolve)
          .resume(),
      );
      child.kill('SIGKILL');
      await functionEnded;
      expect(await broken).toBeInstanceOf(Error);
      expect((await owns).endpoint).toBe(started.endpoint);
      expect(await hello(joiner)).toBeGreaterThan(0);
    } finally {
      child.kill('SIGKILL');
      server.close();
    }
  });

  it('is found by all who joined where its port is taken while it passes on', async () => {
    const owner = await open();
    const taker = createServer((socket) => socket.destroy());
    const settle = source;
    const take = async (): Promise<StackSource> => {
      if (!taker.listening) await once(taker.listen(Number(new URL(owner.endpoint).port), '127.0.0.1'), 'listening');
      return settle;
    };
    const joiners = await Promise.all([joinWith(take), joinWith(take)]);
    const requests = joiners.map((joiner) => new LocalRequests(joiner));
    const before = owner.endpoint;
    try {
      await owner.close();
      const buckets = async (n: number): Promise<number> => {
        const list = { service: 's3', method: 'GET', path: '/' } as const;
        while (true) {
          const answer = await requests[n]?.send(list).catch(() => undefined);
          if (answer?.status === 200) return answer.status;
        }
      };
      expect(await Promise.all([buckets(0), buckets(1)])).toEqual([200, 200]);
      expect(joiners.filter((joiner) => joiner.owner)).toHaveLength(1);
      expect(new Set(joiners.map(({ endpoint }) => endpoint)).size).toBe(1);
      expect(joiners[0].endpoint).not.toBe(before);
    } finally {
      for (const each of requests) each.close();
      taker.close();
    }
  });

  it('is found by who could not take it over, where another one could', async () => {
    const owner = await open();
    const refuse = async (): Promise<StackSource> => Promise.reject(new Error('no room'));
    const [poor, able] = [await joinWith(refuse), await joinWith(async () => source)];
    const requests = new LocalRequests(poor);
    try {
      await owner.close();
      let status: number | undefined;
      while (status !== 200) {
        const asked = requests.send({ service: 's3', method: 'GET', path: '/' });
        // Nobody listens while the cloud passes on; that it cannot pass on would be an error without a code.
        const answer = await asked.catch((error: NodeJS.ErrnoException) => {
          if (error.code === undefined) throw error;
        });
        status = answer?.status;
      }
      expect([poor.owner, able.owner]).toEqual([false, true]);
    } finally {
      requests.close();
    }
  });

  it('says soon why nobody could take it over', async () => {
    const owner = await open();
    const refuse = async (): Promise<StackSource> => Promise.reject(new Error('no room'));
    const joiner = await joinWith(refuse);
    const requests = new LocalRequests(joiner);
    const warned = once(process, 'warning');
    await owner.close();
    expect(await warned).toMatchObject([{ message: expect.stringContaining('no room') }]);
    const asked = requests.send({ service: 's3', method: 'GET', path: '/' });
    await expect(asked).rejects.toThrow('taking over failed: Error: no room');
    await joiner.close();
  });

  it('waits for its port where the owner before still holds it', async () => {
    const before = createServer().listen(0, '127.0.0.1');
    await once(before, 'listening');
    // A server that listens on a port of TCP has such an address.
    const { port } = before.address() as AddressInfo;
    const clock = manualClock();
    const starting = startOwner({ stateDir: stateDir(), clock, port, synthesize: async () => source });
    await clock.waitFor(50);
    before.close();
    await once(before, 'close');
    await clock.fire(50);
    const owner = await starting;
    expect(owner.port).toBe(port);
    await owner.close();
  });

  it('leaves its folder free when it cannot start or its owner cannot go on', async () => {
    const broken = source;
    source = { ...source, templatePath: path.join(folder.path, 'nowhere.json') };
    await expect(open()).rejects.toThrow('nowhere.json');
    source = broken;
    await expect(open({}, async () => Promise.reject(new Error('not now')))).rejects.toThrow('not now');
    expect((await open()).owner).toBe(true);
  });

  it('can be left twice and by a joiner alone', async () => {
    const owner = await open();
    const { joiner } = await join();
    await joiner.close();
    await joiner.close();
    expect(await hello(owner)).toBeGreaterThan(0);
  });
});
