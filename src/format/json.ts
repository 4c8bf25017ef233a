/** What V8 has and the compiler does not know yet. https://github.com/tc39/proposal-json-parse-with-source */
interface SourcedJson {
  parse(
    text: string,
    reviver: (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): object;
  isRawJSON(value: unknown): boolean;
}
const sourced = JSON as unknown as SourcedJson;

/** Only such a text can hold a number that a double does not: 16 digits in a row, or an exponent of three. */
const suspicious = /\d{16}|\d[eE]\+?\d{3}/;

/**
 * `JSON.parse` that loses no digit: a whole number that JavaScript's numbers cannot hold is a BigInt.
 *
 * @throws SyntaxError where the text is no JSON
 * @throws RangeError for a number beyond all of JavaScript's (1e400), which would become Infinity, and then null
 */
export function parseJson(text: string): unknown {
  // A reviver costs ten times the parsing; the look for digits, next to nothing.
  return suspicious.test(text) ? sourced.parse(text, exact) : JSON.parse(text);
}

/**
 * {@link parseJson} for what is only to be written again: a number whose digits a double would not give back is kept as its text.
 *
 * @throws SyntaxError and RangeError as {@link parseJson}
 */
export function parseToWrite(text: string): unknown {
  return suspicious.test(text) ? sourced.parse(text, asWritten) : JSON.parse(text);
}

/** Whether a value stands for a piece of JSON text, as {@link parseToWrite} makes it. */
export function isRawJson(value: unknown): boolean {
  return sourced.isRawJSON(value);
}

/** What {@link toJson} writes as this text, a number of JSON. @throws SyntaxError where it is none */
export function rawJson(number: string): object {
  return sourced.rawJSON(number);
}

/** Whether a number of this JSON text may lose digits where somebody else parses it, as Lambda does with an event. */
export function mayLoseDigits(text: string): boolean {
  return suspicious.test(text);
}

function asWritten(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || source === undefined || String(value) === source) return value;
  requireFinite(value, source);
  return rawJson(source);
}

function requireFinite(value: number, source: string): void {
  if (!Number.isFinite(value)) throw new RangeError(`expected a number up to 1.8e308, got ${source.slice(0, 80)}`);
}

function exact(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || source === undefined) return value;
  requireFinite(value, source);
  if (Number.isSafeInteger(value) || !/^-?\d+$/.test(source)) return value;
  // What a double would write back with the same digits has lost none.
  return String(value) === source ? value : BigInt(source);
}

/**
 * `JSON.stringify` for values of any depth, and for BigInts, which are written as their digits; undefined where JSON has nothing for
 * the value.
 *
 * V8 parses JSON without recursion but writes it with, and gives up at about 4,000 levels, earlier the deeper the caller stands.
 * So a value that could be written once may fail the next time, when it stands one level deeper in its row.
 */
export function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return deepToJson(value);
    // The only TypeErrors are a circle, which the second try finds again, and a BigInt.
    if (error instanceof TypeError) return withBigInts(value);
    throw error;
  }
}

function withBigInts(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, (_key, element: unknown) => written(element));
  } catch (error) {
    if (error instanceof RangeError) return deepToJson(value);
    throw error;
  }
}

/** A BigInt as JSON's number of any length. */
function written(element: unknown): unknown {
  return typeof element === 'bigint' ? rawJson(String(element)) : element;
}

/** Values as NDJSON; one that JSON has nothing for is null. */
export function toJsonLines(values: readonly unknown[]): string {
  return values.map((value) => `${toJson(value) ?? 'null'}\n`).join('');
}

/** Levels after which a value is taken to be endless; an item of 1 MiB has half as many at most. */
const maxDepth = 1_000_000;

/** A list or object that is being written. */
interface Frame {
  readonly container: object;
  readonly entries: Iterator<readonly [name: string | undefined, element: unknown]>;
  readonly close: string;
  isFirst: boolean;
}

/** Writes with a stack of its own; what does not nest is left to `JSON.stringify`. */
function deepToJson(root: unknown): string | undefined {
  const parts: string[] = [];
  const stack: Frame[] = [];
  const open = new Set<object>();
  const write = (key: string, value: unknown, prefix: string): boolean => {
    const plain = written(withoutToJson(value, key));
    if (!isContainer(plain)) {
      const text = JSON.stringify(plain);
      if (text !== undefined) parts.push(prefix, text);
      return text !== undefined;
    }
    if (open.has(plain)) throw new TypeError('expected a value that JSON can hold, got one that contains itself');
    if (stack.length === maxDepth) throw new RangeError(`expected at most ${maxDepth} levels`);
    const isList = Array.isArray(plain);
    parts.push(prefix, isList ? '[' : '{');
    open.add(plain);
    stack.push({
      container: plain,
      entries: isList ? elements(plain) : Object.entries(plain).values(),
      close: isList ? ']' : '}',
      isFirst: true,
    });
    return true;
  };
  if (!write('', root, '')) return undefined;
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const next = frame.entries.next();
    if (next.done === true) {
      parts.push(frame.close);
      open.delete(frame.container);
      stack.pop();
      continue;
    }
    const [name, element] = next.value;
    const comma = frame.isFirst ? '' : ',';
    if (name !== undefined) {
      if (write(name, element, `${comma}${JSON.stringify(name)}:`)) frame.isFirst = false;
      continue;
    }
    // A list keeps the place of what JSON has nothing for.
    if (!write('', element, comma)) parts.push(comma, 'null');
    frame.isFirst = false;
  }
  return parts.join('');
}

function* elements(list: readonly unknown[]): Generator<readonly [undefined, unknown]> {
  for (const element of list) yield [undefined, element];
}

function withoutToJson(value: unknown, key: string): unknown {
  const own = typeof value === 'object' && value !== null && 'toJSON' in value ? value.toJSON : undefined;
  return typeof own === 'function' ? own.call(value, key) : value;
}

/** Numbers, texts, and truths in boxes are written as what they hold. */
function isContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || sourced.isRawJSON(value)) return false;
  return !(
    value instanceof Number ||
    value instanceof String ||
    value instanceof Boolean ||
    Object.prototype.toString.call(value) === '[object BigInt]'
  );
}
