import * as z from 'zod';
import { lazily } from '../task/lazily.ts';
import { type Digest, emptyDigest } from './digest.ts';
import { BrokenRecord, recordFormat } from './record.ts';

/** A counter below zero, as of a clock that was set back, keeps no job from its end. */
const count = lazily(() =>
  z
    .number()
    .transform((value) => Math.max(0, value))
    .default(0),
);

/** A digest as JSON: a counter that is absent is 0, so that a new one changes nothing for jobs under way. */
export const digestSchema = lazily(
  (): z.ZodType<Digest> =>
    z.looseObject({
      succeeded: count(),
      failed: count(),
      cancelled: count(),
      codes: z.custom<Readonly<Record<string, number>>>(isCounts).default({}),
      attempts: count(),
      tried: count(),
      callMs: count(),
      histogram: z.array(z.number()).default([]).transform(fitHistogram),
      invocations: count(),
      billedMs: count(),
      handOvers: count(),
      s3Writes: count(),
      s3Reads: count(),
      sqsRequests: count(),
      slowCallbacks: count(),
      slowestMs: count(),
      refusals: count(),
      nanoUsd: count(),
    }),
);

/** Not by zod's record, which leaves out a code that is named `__proto__`. */
function isCounts(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every(Number.isFinite);
}

function fitHistogram(buckets: readonly number[]): readonly number[] {
  return emptyDigest.histogram.map((_, i) => buckets[i] ?? 0);
}

/** The version of digests in metadata; the first one was a list of numbers, in which no counter could be added. */
const version = 2;
const format = recordFormat<Digest>('a digest', version, digestSchema);

/** Writes a digest as ASCII of about 1 KB, for S3 metadata (codes are PascalCase names of at most 40 characters); counters of 0 are left out. */
export function encodeDigest(digest: Digest): string {
  const counted = Object.entries(digest)
    .filter(([name, value]) => name !== 'histogram' && name !== 'codes' && value !== 0)
    .map(([name, value]) => [name, typeof value === 'number' ? Math.round(value) : value] as const);
  const last = digest.histogram.findLastIndex((items) => items !== 0);
  const histogram = digest.histogram.slice(0, last + 1);
  return JSON.stringify({ v: version, ...Object.fromEntries(counted), codes: digest.codes, histogram });
}

/** Reads what {@link encodeDigest} wrote, in this version or the first. @throws UsageError `NewerVersion`; Error when the text is no digest. */
export function decodeDigest(text: string): Digest {
  return text.startsWith('{') ? withoutVersion(format.parse(text)) : decodeFirst(text);
}

function withoutVersion(digest: Digest & { readonly v?: number }): Digest {
  const { v: _version, ...counts } = digest;
  return counts;
}

/** Version 1: 11 numbers, the histogram, and the codes, separated by semicolons. */
function decodeFirst(text: string): Digest {
  const [numbers = '', histogram = '', codes = ''] = text.split(';');
  const parsed = numbers.split(',').map(Number);
  const buckets = histogram.split(',').map(Number);
  if (
    parsed.length !== 11 ||
    buckets.length !== emptyDigest.histogram.length ||
    [...parsed, ...buckets].some(Number.isNaN)
  ) {
    throw new BrokenRecord(`expected a digest of 11 numbers and 16 buckets, got ${JSON.stringify(text.slice(0, 80))}`);
  }
  const [
    succeeded = 0,
    failed = 0,
    cancelled = 0,
    attempts = 0,
    tried = 0,
    callMs = 0,
    invocations = 0,
    billedMs = 0,
    handOvers = 0,
    slowCallbacks = 0,
    slowestMs = 0,
  ] = parsed;
  const entries = codes === '' ? [] : codes.split(',').map((pair) => pair.split(':'));
  return {
    ...emptyDigest,
    succeeded,
    failed,
    cancelled,
    codes: Object.fromEntries(entries.map(([code = '', count = '0']) => [code, Number(count)])),
    attempts,
    tried,
    callMs,
    histogram: buckets,
    invocations,
    billedMs,
    handOvers,
    slowCallbacks,
    slowestMs,
  };
}
