import { constants } from 'node:fs';
import { access, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { makeFolders, privateFile, privateFolder } from '../../runtime/private-files.ts';
import { UsageError } from '../../task/errors.ts';
import { tryLock } from './folder-lock.ts';
import { connectPresence, openPresence, type PresenceAddress, type PresenceConnection } from './owner-presence.ts';

/** What the owner of a state folder tells those who join it. */
export interface OwnerInfo {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  /** The settings that the owner runs with, as JSON. */
  readonly settings: string;
}

/** The folder is this process's. */
export interface OwnedFolder {
  readonly owner: true;
  /** Lets joiners in; until then they wait. */
  publish(info: OwnerInfo): Promise<void>;
  /** Gives the folder free; the endpoint should be closed before. */
  release(): Promise<void>;
}

/** The folder is another process's (or another claim's of this process). */
export interface JoinedFolder {
  readonly owner: false;
  readonly info: OwnerInfo;
  /** Resolves when the owner has gone, at once where it went already, or when the signal aborts. Claim the folder again then. */
  whenFree(signal: AbortSignal): Promise<void>;
}

/** A state folder, owned or joined. */
export type Claim = OwnedFolder | JoinedFolder;

/** The owner's address is tried again after this time (and a random part of it more) where the lock is held and no owner answers yet. */
const retryMs = 25;

/**
 * Claims a state folder, which is made when absent: the first process owns it, others join. Who owns it is decided by a lock of the operating
 * system alone; what the file beside it says is only where to find the owner, and believed only when the owner itself answers.
 * Resolves for joiners when the owner has published.
 *
 * @throws UsageError `InvalidOptions` when it cannot be a folder that this process writes; the signal's reason when that aborts first
 */
export async function claimStateFolder(
  dir: string,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<Claim> {
  await makeFolder(dir);
  const addressFile = join(dir, 'owner.json');
  while (true) {
    signal?.throwIfAborted();
    const lock = tryLock(join(dir, 'owner.lock'));
    if (lock !== undefined) return own(addressFile, lock);
    const joined = await joinOwner(addressFile, signal);
    if (joined !== undefined) return joined;
    // An abort ends the wait early, and the loop throws its reason.
    await wait(retryMs * (1 + Math.random()), undefined, { signal }).catch(() => {});
  }
}

async function makeFolder(dir: string): Promise<void> {
  try {
    makeFolders(dir, privateFolder);
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new UsageError(
      'InvalidOptions',
      `expected the state folder ${dir} to be one that can be written, got ${reason}; choose another by --state`,
      { cause },
    );
  }
}

async function own(addressFile: string, lock: { release(): void }): Promise<OwnedFolder> {
  let released: Promise<void> | undefined;
  try {
    const presence = await openPresence();
    await writeFile(`${addressFile}.new`, JSON.stringify(presence.address), privateFile);
    await rename(`${addressFile}.new`, addressFile);
    return {
      owner: true,
      publish: async (info) => presence.publish(info),
      release() {
        released ??= (async () => {
          // The file goes while the lock is held, so that it is not the next owner's; connections close last, so that joiners find the lock free.
          await rm(addressFile, { force: true });
          lock.release();
          await presence.close();
        })();
        return released;
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function joinOwner(addressFile: string, signal: AbortSignal | undefined): Promise<JoinedFolder | undefined> {
  const address = await readAddress(addressFile);
  const connection = address === undefined ? undefined : await connectPresence(address);
  if (connection === undefined) return undefined;
  const stop = (): void => connection.close();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const info = await connection.info;
    if (info === undefined) return undefined;
    // Only an owner that proved itself by its token says this, and `publish` typed it.
    return { owner: false, info: info as OwnerInfo, whenFree: (freeSignal) => whenGone(connection, freeSignal) };
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

async function whenGone(connection: PresenceConnection, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const abort = (): void => aborted.resolve();
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([connection.whenGone(), aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    connection.close();
  }
}

async function readAddress(addressFile: string): Promise<PresenceAddress | undefined> {
  try {
    const address: unknown = JSON.parse(await readFile(addressFile, 'utf8'));
    const isAddress = typeof address === 'object' && address !== null && 'port' in address && 'token' in address;
    return isAddress ? { port: Number(address.port), token: String(address.token) } : undefined;
  } catch {
    // Absent, or removed between two owners.
    return undefined;
  }
}
