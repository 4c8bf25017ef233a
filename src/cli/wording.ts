/** How numbers, durations, and money read in everything that a person sees. */

/** A whole number with separators: `1,000`. */
export const count = (n: number): string =>
  // Not by Intl, which takes longer to load than anything else that is written here.
  Math.round(n)
    .toFixed(0)
    .replace(/\B(?=(\d{3})+$)/g, ',');

/** A number with its noun in the right form: `1 item`, `1,000 items`. */
export const counted = (n: number, noun: string, plural = `${noun}s`): string =>
  `${count(n)} ${n === 1 ? noun : plural}`;

/** A duration in milliseconds, to two or three figures: `840 ms`, `4.2 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Items in a second: `312/s`, `4.5/s`. */
export const rate = (perSecond: number): string =>
  `${perSecond < 9.95 ? perSecond.toFixed(1).replace(/\.0$/, '') : count(perSecond)}/s`;

/** A whole percentage that says 0 and 100 only when they are exact. */
export function percent(part: number, total: number): string {
  if (total === 0) return '0%';
  const exact = (part / total) * 100;
  if (part < total && exact > 99) return '99%';
  return `${part > 0 && exact < 1 ? '<1' : Math.floor(exact)}%`;
}

/** Dollars with two significant figures, since most jobs cost far less than a cent: `$0.0012`, `$1.30`. */
export function dollars(usd: number): string {
  if (usd === 0) return '$0';
  if (usd >= 0.995) return `$${usd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  const digits = Math.min(8, Math.max(2, 1 - Math.floor(Math.log10(usd))));
  const text = usd.toFixed(digits).replace(/(\.\d{2,}?)0+$/, '$1');
  return Number(text) === 0 ? 'under $0.00000001' : `$${text}`;
}

/** A mean: `52`, `1.4`. */
export const decimal = (mean: number): string => (mean < 9.95 ? mean.toFixed(1) : count(mean));

/** Bytes in binary units: `512 B`, `1.2 KiB`, `100 MiB`. */
export function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1_024 ** step;
  return `${step === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)} ${units[step]}`;
}

const pad = (n: number): string => String(n).padStart(2, '0');
