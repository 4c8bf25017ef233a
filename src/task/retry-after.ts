/** Reads a header by its lower-case name. */
export type ReadHeader = (name: string) => string | undefined;

/** Limits that an API counts apart, each with headers of its own: `x-ratelimit-reset-tokens`, as model APIs send them. */
const countedApart = ['', '-requests', '-tokens', '-input-tokens', '-output-tokens', '-project-tokens'];

/** Families of headers that say when a limit opens again. https://www.ietf.org/archive/id/draft-ietf-httpapi-ratelimit-headers-07.html */
const families = ['x-ratelimit', 'ratelimit', 'x-rate-limit'];

/**
 * Milliseconds from `now` (since the epoch) that a downstream asks to wait, by `retry-after-ms`, `retry-after`, or, where a limit is
 * used up, the instant of its reset; undefined where it asks for nothing that can be read.
 */
export function retryAfterMs(read: ReadHeader, now: number): number | undefined {
  const ms = read('retry-after-ms');
  if (ms !== undefined && isDecimal(ms)) return Number(ms);
  return parseRetryAfter(read('retry-after') ?? '', now) ?? limitResetMs(read, now);
}

/** Milliseconds that a Retry-After asks for, in seconds (fractions too) or as a date; undefined where it is neither. */
export function parseRetryAfter(value: string, now: number): number | undefined {
  const text = value.trim();
  if (isDecimal(text)) return Number(text) * 1_000;
  return untilDate(text, now);
}

/** Whether a limit says that nothing of it is left. */
export function isLimitUsedUp(read: ReadHeader): boolean {
  return families.some((family) => countedApart.some((kind) => read(`${family}-remaining${kind}`)?.trim() === '0'));
}

function limitResetMs(read: ReadHeader, now: number): number | undefined {
  const waits: number[] = [];
  for (const family of families) {
    for (const kind of countedApart) {
      const remaining = read(`${family}-remaining${kind}`);
      // A limit that has something left was not the one that refused.
      if (remaining !== undefined && Number(remaining) > 0) continue;
      const after = read(`${family}-reset-after${kind}`);
      const reset = after ?? read(`${family}-reset${kind}`);
      const wait = reset === undefined ? undefined : parseReset(reset, now);
      if (wait !== undefined) waits.push(wait);
    }
  }
  for (const kind of countedApart.slice(1)) {
    const prefix = 'anthropic-ratelimit';
    if (Number(read(`${prefix}${kind}-remaining`) ?? Number.NaN) > 0) continue;
    const wait = untilDate(read(`${prefix}${kind}-reset`) ?? '', now);
    if (wait !== undefined) waits.push(wait);
  }
  // Until the last of them opens, the next call would be refused too.
  return waits.length === 0 ? undefined : Math.max(...waits);
}

/** Seconds from this on are an instant since the epoch (2001), not a wait; times a thousand, they are milliseconds. */
const epochSeconds = 1_000_000_000;

/** A reset is a wait in seconds, an instant since the epoch in seconds or milliseconds, a duration (`6m0s`, `20ms`), or a date. */
function parseReset(value: string, now: number): number | undefined {
  const text = value.trim();
  if (isDecimal(text)) {
    const number = Number(text);
    if (number < epochSeconds) return number * 1_000;
    return Math.max(0, (number < epochSeconds * 1_000 ? number * 1_000 : number) - now);
  }
  return durationMs(text) ?? untilDate(text, now);
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function durationMs(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit = 's'] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(count) * (unitMs[unit] ?? 0);
  }
  return total;
}

function untilDate(text: string, now: number): number | undefined {
  // An HTTP date starts with the name of a day, an ISO date with the year; Date.parse alone would read "-1" as a year.
  const instant = /^([A-Z][a-z]+,? |\d{4}-\d\d-\d\d[T ])/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(instant) ? undefined : Math.max(0, instant - now);
}

function isDecimal(text: string): boolean {
  return /^\s*\d+(\.\d*)?\s*$/.test(text);
}
