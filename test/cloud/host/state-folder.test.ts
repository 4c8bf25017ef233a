import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimStateFolder, type JoinedFolder, type OwnedFolder } from '../../../src/cloud/host/state-folder.ts';
import type { ClaimantReport } from './claimant.ts';

let dir: string;
let claimants: Claimant[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fanloop-state-'));
  claimants = [];
});
afterEach(async () => {
  await Promise.all(claimants.map((claimant) => claimant.kill()));
  await rm(dir, { recursive: true, force: true });
});

interface Claimant {
  readonly child: ChildProcess;
  /** Reports that were not yet taken. */
  readonly next: () => Promise<ClaimantReport>;
  readonly kill: () => Promise<void>;
}

/** Starts a real process that claims the folder. */
function start(mode: 'publish' | 'keep silent' = 'publish'): Claimant {
  const child = fork(join(import.meta.dirname, 'claimant.ts'), [dir, mode], { execArgv: [] });
  const reports: ClaimantReport[] = [];
  const waiting: Array<(report: ClaimantReport) => void> = [];
  child.on('message', (message) => {
    // Only claimant.ts sends messages here.
    const report = message as ClaimantReport;
    const resolve = waiting.shift();
    if (resolve === undefined) reports.push(report);
    else resolve(report);
  });
  const exited = once(child, 'exit');
  const claimant: Claimant = {
    child,
    next: async () => reports.shift() ?? new Promise((resolve) => waiting.push(resolve)),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
  claimants.push(claimant);
  return claimant;
}

const info = { pid: process.pid, port: 1, url: 'http://127.0.0.1:1', settings: 'hash' };
const own = async (): Promise<OwnedFolder> => {
  const claim = await claimStateFolder(dir);
  if (!claim.owner) throw new Error('expected to own the folder, but joined');
  return claim;
};
const joinOwner = async (): Promise<JoinedFolder> => {
  const claim = await claimStateFolder(dir);
  if (claim.owner) throw new Error('expected to join the folder, but own it');
  return claim;
};
const never = new AbortController().signal;

describe('processes that claim one folder', () => {
  it('have exactly one owner at any time, each time one is killed with -9', async () => {
    let living = Array.from({ length: 5 }, () => start());
    while (living.length > 0) {
      const reports = await Promise.all(living.map(async (claimant) => ({ claimant, report: await claimant.next() })));
      const owners = reports.filter(({ report }) => report.state === 'owns');
      expect(owners).toHaveLength(1);
      const [owner] = owners;
      for (const { report } of reports) {
        if (report.state === 'joined')
          expect(report).toEqual({ state: 'joined', ownerPid: owner?.claimant.child.pid, settings: 'hash' });
      }
      await owner?.claimant.kill();
      living = living.filter((claimant) => claimant !== owner?.claimant);
    }
  });

  it('wait for an owner to publish, and take over from one that was killed before', async () => {
    const silent = start('keep silent');
    expect(await silent.next()).toEqual({ state: 'owns' });
    const waiting = claimStateFolder(dir);
    await silent.kill();
    const claim = await waiting;
    expect(claim.owner).toBe(true);
    if (claim.owner) await claim.release();
  });

  it('take a folder whose owner was killed at once, whatever it left', async () => {
    const owner = start();
    await owner.next();
    const left = await readFile(join(dir, 'owner.json'), 'utf8');
    await owner.kill();
    expect(await readFile(join(dir, 'owner.json'), 'utf8')).toBe(left);
    const claim = await own();
    await claim.release();
  });
});

describe('a claim', () => {
  it('joins the owner with what it published, and is free when that releases', async () => {
    const owner = await own();
    const joining = [joinOwner(), joinOwner()];
    await owner.publish(info);
    const joined = await Promise.all(joining);
    expect(joined.map((claim) => claim.info)).toEqual([info, info]);
    const free = Promise.all(joined.map((claim) => claim.whenFree(never)));
    await owner.release();
    await owner.release();
    await free;
    const next = await own();
    await next.release();
  });

  it('does not believe a file that a former owner left, though another server has its port now', async () => {
    const stranger = createServer((socket) => socket.end('{"token":"another"}\n{"info":{"pid":1}}\n'));
    stranger.listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const owner = await own();
    const current = await readFile(join(dir, 'owner.json'), 'utf8');
    // A server that listens on a port of TCP has such an address.
    const { port } = stranger.address() as AddressInfo;
    await writeFile(join(dir, 'owner.json'), JSON.stringify({ port, token: 'former' }));
    const asked = once(stranger, 'connection');
    const joining = joinOwner();
    await asked;
    await writeFile(join(dir, 'owner.json'), current);
    await owner.publish(info);
    expect((await joining).info).toEqual(info);
    await owner.release();
    stranger.close();
  });

  it.each(['', 'not JSON', '{}', '{"port":1,"token":"x"}'])(
    'takes a free folder that holds the file %j',
    async (content) => {
      await writeFile(join(dir, 'owner.json'), content);
      const owner = await own();
      await owner.release();
    },
  );

  it('stops to wait when its signal aborts', async () => {
    const owner = await own();
    const leaving = new AbortController();
    const waiting = claimStateFolder(dir, { signal: leaving.signal });
    const reason = new Error('enough');
    leaving.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await owner.publish(info);
    const joined = await joinOwner();
    const stopped = new AbortController();
    const free = joined.whenFree(stopped.signal);
    stopped.abort();
    await free;
    expect((await claimStateFolder(dir)).owner).toBe(false);
    await owner.release();
  });

  it('makes the folder where it is absent', async () => {
    const claim = await claimStateFolder(join(dir, 'a', 'b'));
    expect(claim.owner).toBe(true);
    if (claim.owner) await claim.release();
  });
});
