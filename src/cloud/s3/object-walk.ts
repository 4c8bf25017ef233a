import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isAbsent } from './object-file.ts';
import { type FolderEntry, folderPath, parseEntry } from './object-path.ts';

/** A key that the walk came by, and the file of its object. */
export interface WalkedKey {
  /** As a binary string: one character a byte. */
  readonly key: string;
  readonly path: string;
}

/** Goes over the keys of a tree in the order of their bytes. */
export interface KeyWalk {
  /** The first key at or after `bound` that was not yet answered; undefined at the end. Bounds may only grow. */
  next(bound: string): WalkedKey | undefined;
}

interface Frame {
  /** On disk, with a slash at its end. */
  readonly folder: string;
  /** What all keys below begin with. */
  readonly base: string;
  readonly entries: readonly FolderEntry[];
  index: number;
}

/**
 * Walks the keys that begin with a binary prefix. Only folders that can hold such keys at or after the bound are read, so a LIST costs what it answers,
 * not what the bucket holds.
 */
export function walkKeys(root: string, prefix: string): KeyWalk {
  const base = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const first = readFolder(join(root, folderPath(base), '/'), base);
  const stack: Frame[] = first === undefined ? [] : [first];
  return {
    next(bound) {
      for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
        const entry = frame.entries[frame.index];
        const isPassed = frame.base < bound && !bound.startsWith(frame.base);
        if (entry === undefined || isPassed) {
          stack.pop();
          continue;
        }
        frame.index += 1;
        const reached = frame.base + entry.bytes;
        if (entry.kind === 'object') {
          if (reached < bound || !reached.startsWith(prefix)) continue;
          return { key: reached, path: frame.folder + entry.name };
        }
        if (!reached.startsWith(prefix) && !prefix.startsWith(reached)) continue;
        if (reached < bound && !bound.startsWith(reached)) continue;
        const below = readFolder(`${frame.folder}${entry.name}/`, reached);
        if (below !== undefined) stack.push(below);
      }
      return undefined;
    },
  };
}

/** The least binary string that is greater than everything that begins with `prefix`; UTF-8 has no byte 0xff to overflow. */
export function afterPrefix(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

function readFolder(folder: string, base: string): Frame | undefined {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  const entries = names.map(parseEntry).filter((entry) => entry !== undefined);
  entries.sort((a, b) => (a.bytes < b.bytes ? -1 : 1));
  return { folder, base, entries, index: 0 };
}
