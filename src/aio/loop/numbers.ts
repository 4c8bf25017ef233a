/**
 * Refuses what is no number of milliseconds, which would otherwise wait for ever or at once; Infinity is one.
 *
 * @throws TypeError when it is no number, RangeError when it is NaN.
 */
export function expectMs(value: unknown, what: string): void {
  expectNumber(value, what, 'a number of milliseconds');
}

/** As `expectMs`, where undefined means that there is no limit. */
export function expectMsOrNone(value: unknown, what: string): void {
  if (value !== undefined) expectNumber(value, what, 'a number of milliseconds or undefined');
}

/** Refuses what is no count of at least `least`. @throws TypeError when it is no number, RangeError when it is too small. */
export function expectCount(value: unknown, what: string, least: number): void {
  const wanted = `a number of ${least} or more`;
  expectNumber(value, what, wanted);
  if ((value as number) < least) throw new RangeError(`expected ${wanted} as ${what}, got ${value}`);
}

function expectNumber(value: unknown, what: string, wanted: string): void {
  if (typeof value !== 'number') throw new TypeError(`expected ${wanted} as ${what}, got ${shown(value)}`);
  if (Number.isNaN(value)) throw new RangeError(`expected ${wanted} as ${what}, got NaN`);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return value === null || value === undefined ? String(value) : `a ${typeof value}`;
}
