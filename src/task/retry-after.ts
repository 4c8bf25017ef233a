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
  const ms = longest(read('retry-after-ms') ?? '', (text) => (isDecimal(text) ? Number(text) : undefined));
  return ms ?? parseRetryAfter(read('retry-after') ?? '', now) ?? limitResetMs(read, now);
}

/** Milliseconds that a Retry-After asks for, in seconds (fractions too) or as a date; undefined where it is neither. Of several the longest. */
export function parseRetryAfter(value: string, now: number): number | undefined {
  return longest(value, (text) => (isDecimal(text) ? Number(text) * 1_000 : untilDate(text, now)));
}

/** Whether a limit says that nothing of it is left. */
export function isLimitUsedUp(read: ReadHeader): boolean {
  const isNothing = (remaining: string): boolean => isDecimal(remaining) && Number(remaining) === 0;
  return (
    draftLimits(read('ratelimit')).some(({ remaining }) => remaining !== undefined && isNothing(remaining)) ||
    families.some((family) =>
      countedApart.some((kind) => listOf(read(`${family}-remaining${kind}`) ?? '').some(isNothing)),
    )
  );
}

/** The values of a header that came several times, or of a list; a date has a comma of its own. */
function listOf(value: string): readonly string[] {
  return value.split(/,(?=\s*(?:\d+(?:\.\d*)?\s*(?:,|$)|[A-Z][a-z]+, |\d{4}-\d\d-\d\d))/).map((text) => text.trim());
}

/** The longest of a list of waits: the next call would be refused before it. */
function longest(value: string, parse: (text: string) => number | undefined): number | undefined {
  const waits = listOf(value)
    .map(parse)
    .filter((wait) => wait !== undefined);
  return waits.length === 0 ? undefined : Math.max(...waits);
}

interface DraftLimit {
  readonly remaining: string | undefined;
  /** Seconds. */
  readonly reset: string | undefined;
}

/**
 * The limits within one header RateLimit: `"default";r=0;t=2`, a list with a name each, as the draft has it from its eighth version on,
 * or `limit=5, remaining=0, reset=2` of the seventh. https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
 */
function draftLimits(header: string | undefined): readonly DraftLimit[] {
  if (header === undefined) return [];
  // A name may hold any character, as those that part the list.
  const unnamed = header.replaceAll(/"(?:[^"\\]|\\.)*"/g, 'name');
  const find = (text: string, key: string): string | undefined =>
    new RegExp(`(?:^|[;,])\\s*${key}\\s*=\\s*(\\d+(?:\\.\\d+)?)`).exec(text)?.[1];
  const whole = { remaining: find(unnamed, 'remaining'), reset: find(unnamed, 'reset') };
  if (whole.reset !== undefined) return [whole];
  return unnamed.split(',').map((limit) => ({ remaining: find(limit, 'r'), reset: find(limit, 't') }));
}

function limitResetMs(read: ReadHeader, now: number): number | undefined {
  const waits: number[] = [];
  const add = ({ remaining, reset }: DraftLimit): void => {
    // A limit that has something left was not the one that refused.
    if (reset === undefined || Number(remaining ?? 0) > 0) return;
    const wait = parseReset(reset, now);
    if (wait !== undefined) waits.push(wait);
  };
  for (const family of families) {
    for (const kind of countedApart) {
      const reset = read(`${family}-reset-after${kind}`) ?? read(`${family}-reset${kind}`);
      if (reset === undefined) continue;
      // Some APIs count a second and a month in one header: `0, 14999` with `1, 1419704`.
      const remaining = listOf(read(`${family}-remaining${kind}`) ?? '');
      for (const [n, text] of listOf(reset).entries()) add({ remaining: remaining[n] ?? remaining[0], reset: text });
    }
  }
  for (const limit of draftLimits(read('ratelimit'))) add(limit);
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
