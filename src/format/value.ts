import { isRawJson, toJson } from './json.ts';

/** A value that a row cannot hold as it is; the message names the place and what to return instead. */
export class NotJsonError extends Error {}

/** Deeper values are left to the writer, which has a stack of its own; real ones nest ten levels at most. */
const maxCheckedDepth = 500;

/**
 * The JSON text of what a task returned; `undefined` is `null`. JSON's own rules hold for plain data, dates (`toJSON`), and objects with
 * fields of their own. Beyond that:
 * a list is its elements, without fields that it has beside them (`index` of a RegExp's match); a field under a symbol beside others is
 * not written; a Map is an object (its keys have to be texts or numbers), a Set a list, an Error `{name, message, …}` with its own fields and its
 * cause, bytes (Buffer, Uint8Array, ArrayBuffer, DataView) are base64, other typed arrays lists of numbers, a BigInt is its digits.
 *
 * @throws NotJsonError for what would become `{}`, `null`, or nothing without a word: functions, symbols, NaN, Infinity, circles, promises, and objects that keep all to themselves
 */
export function valueJson(value: unknown): string {
  if (value === undefined) return 'null';
  try {
    return toJson(isPlain(value, 0) ? value : plainOf(value, { path: '', depth: 0, open: new Set() })) ?? 'null';
  } catch (error) {
    if (error instanceof NotJsonError) throw error;
    throw notJson(`one that cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The fast look: whether JSON writes this as it is. It is made for every value, so it allocates nothing. */
function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth > maxCheckedDepth) return false;
  if (Array.isArray(value)) {
    for (const element of value) if (!isPlain(element, depth + 1)) return false;
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  if ('toJSON' in value) return false;
  let isEmpty = true;
  for (const name in value) {
    if (!isPlain((value as Readonly<Record<string, unknown>>)[name], depth + 1)) return false;
    isEmpty = false;
  }
  return !isEmpty || Reflect.ownKeys(value).length === 0;
}

interface Place {
  readonly path: string;
  readonly depth: number;
  /** What is being written around this place: a thing within itself has no end. */
  readonly open: Set<object>;
}

/** The slow way: a copy that JSON writes as it is. */
function plainOf(value: unknown, place: Place): unknown {
  switch (typeof value) {
    case 'number':
      if (Number.isFinite(value)) return value;
      throw refused(place, String(value), 'return null or a text in its place');
    case 'function':
      throw refused(place, 'a function', 'call it, or leave it out');
    case 'symbol':
      throw refused(place, 'a symbol', 'return a text');
    case 'object':
      return value === null ? null : plainObject(value, place);
    default:
      return value;
  }
}

function plainObject(value: object, place: Place): unknown {
  // What nests deeper than a checker may recurse is written by the writer's own rules.
  if (place.depth > maxCheckedDepth) return value;
  if (isRawJson(value)) return value;
  const { open } = place;
  if (open.has(value)) throw refused(place, 'an object that contains itself', 'return the fields that you need');
  open.add(value);
  try {
    return converted(value, place);
  } finally {
    open.delete(value);
  }
}

function converted(value: object, place: Place): unknown {
  if (value instanceof Uint8Array) return base64(value);
  if (value instanceof ArrayBuffer) return base64(new Uint8Array(value));
  if (value instanceof DataView) return base64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  if (ArrayBuffer.isView(value)) {
    // What is neither bytes nor a DataView is a list of numbers, such as an embedding.
    return listOf([...(value as Float64Array)], place);
  }
  if (value instanceof Date && Number.isNaN(value.getTime())) {
    throw refused(place, 'an invalid date', 'return null or a text in its place');
  }
  const toJson = 'toJSON' in value ? value.toJSON : undefined;
  if (typeof toJson === 'function')
    return plainOf(toJson.call(value, nameOf(place)), { ...place, depth: place.depth + 1 });
  if (value instanceof Number || value instanceof String || value instanceof Boolean) return value;
  if (Array.isArray(value)) return listOf(value, place);
  if (value instanceof Set) return listOf([...value], place);
  if (value instanceof Map) return objectOf(entriesOf(value, place), place);
  if (isError(value)) return objectOf(errorEntries(value), place);
  const entries = Object.entries(value);
  if (entries.length === 0) refuseEmpty(value, place);
  return objectOf(entries, place);
}

/** An object that shows nothing of what it has would be stored as `{}`. */
function refuseEmpty(value: object, place: Place): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) {
    const [hidden] = Reflect.ownKeys(value);
    if (hidden === undefined) return;
    const which = typeof hidden === 'symbol' ? 'symbols' : 'not enumerable';
    throw refused(place, `an object whose keys are ${which} (${String(hidden)})`, 'return its fields under texts');
  }
  const name: unknown = value.constructor?.name;
  const mend = value instanceof Promise ? 'await it' : 'return its fields as a plain object';
  throw refused(
    place,
    `an object of the class ${typeof name === 'string' && name !== '' ? name : 'without a name'}`,
    mend,
  );
}

function entriesOf(map: Map<unknown, unknown>, place: Place): [string, unknown][] {
  return [...map].map(([key, element]) => {
    if (typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint') return [String(key), element];
    throw refused(place, `a Map whose keys are not texts but ${typeof key}s`, 'return [...map]');
  });
}

function errorEntries(error: Error): [string, unknown][] {
  const { name, message, cause } = error;
  return Object.entries(Object.assign({ name, message }, cause === undefined ? {} : { cause }, error));
}

function isError(value: object): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

function listOf(elements: readonly unknown[], place: Place): unknown[] {
  return Array.from(elements, (element, n) => plainOf(element, within(place, n)));
}

function objectOf(entries: ReadonlyArray<readonly [string, unknown]>, place: Place): unknown {
  return Object.fromEntries(entries.map(([name, element]) => [name, plainOf(element, within(place, name))]));
}

function within({ path, depth, open }: Place, name: string | number): Place {
  return { path: typeof name === 'number' ? `${path}[${name}]` : `${path}.${name}`, depth: depth + 1, open };
}

const nameOf = ({ path }: Place): string => /[^.[\]]*(?=\]?$)/.exec(path)?.[0] ?? '';

function base64(bytes: Uint8Array): string {
  let binary = '';
  // In pieces: a function takes some ten thousand arguments at most.
  for (let from = 0; from < bytes.length; from += 8_192) {
    binary += String.fromCharCode(...bytes.subarray(from, from + 8_192));
  }
  return btoa(binary);
}

function refused({ path }: Place, got: string, mend: string): NotJsonError {
  return notJson(`${got}${path === '' ? '' : ` at ${path.replace(/^\./, '')}`}; ${mend}`);
}

function notJson(got: string): NotJsonError {
  return new NotJsonError(`expected a value that JSON can hold, got ${got}`);
}
