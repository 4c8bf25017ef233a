import type * as z from 'zod';
import { UsageError } from '../task/errors.ts';
import { lazily } from '../task/lazily.ts';

/** A record that no version of this code has written: somebody else did, or it was cut short. */
export class BrokenRecord extends Error {
  readonly code = 'BrokenRecord';
  override readonly name = 'BrokenRecord';
}

/**
 * How one kind of record is written and read. What is absent takes its default, what is unknown stays in the record,
 * so that code of this version can hand it on, and what is newer is refused and left alone.
 */
export interface RecordFormat<Shape> {
  readonly name: string;
  /** The version that this code writes; a new optional field does not change it. */
  readonly version: number;
  /** @throws UsageError `NewerVersion`; BrokenRecord when the text is no such record. */
  parse(text: string | Uint8Array): Shape;
  /** Reads what JSON.parse gave. @throws as {@link parse} */
  read(value: unknown): Shape;
  encode(record: Shape): string;
}

const decoder = new TextDecoder();

/** A process reads few records of a kind: code made for its schema would take longer than it saves. */
export const rarely = { jitless: true } as const;

/** Makes the format of a kind of record, described in words as in "a manifest". Its schema is made when the first one is read: to make all of them is a tenth of a function's start. */
export function recordFormat<Shape>(name: string, version: number, make: () => z.ZodType<Shape>): RecordFormat<Shape> {
  const schema = lazily(make);
  const read = (value: unknown): Shape => {
    refuseNewer(name, value, version);
    const parsed = schema().safeParse(value, rarely);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const at = issue?.path.join('.') ?? '';
    throw new BrokenRecord(`expected ${name}, got something else: ${at === '' ? '' : `${at}: `}${issue?.message}`);
  };
  return {
    name,
    version,
    read,
    parse: (text) => read(parseText(name, typeof text === 'string' ? text : decoder.decode(text))),
    encode: (record) => JSON.stringify(record),
  };
}

function parseText(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BrokenRecord(`expected ${name}, got no JSON: ${JSON.stringify(text.slice(0, 60))}`, { cause });
  }
}

/** Refuses a record that only newer code can read. @throws UsageError `NewerVersion` */
export function refuseNewer(name: string, value: unknown, version: number): void {
  const v = versionOf(value);
  if (v === undefined || v <= version) return;
  throw new UsageError(
    'NewerVersion',
    `expected ${name} of version ${version} or older, got version ${v}; use the fanloop that wrote it, or a newer one`,
  );
}

/** The version that a record or message says it has. */
export function versionOf(value: unknown): number | undefined {
  const { v } = typeof value === 'object' && value !== null && 'v' in value ? value : {};
  return typeof v === 'number' ? v : undefined;
}

/** Whether an error says that only newer code can read a record. */
export const isNewerVersion = (error: unknown): boolean => error instanceof UsageError && error.code === 'NewerVersion';
