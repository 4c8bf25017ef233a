/**
 * `JSON.stringify` for values of any depth; undefined where JSON has nothing for the value.
 *
 * V8 parses JSON without recursion but writes it with, and gives up at about 4,000 levels, earlier the deeper the caller stands.
 * So a value that could be written once may fail the next time, when it stands one level deeper in its row.
 */
export function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return deepToJson(value);
    throw error;
  }
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
    const plain = withoutToJson(value, key);
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
  if (typeof value !== 'object' || value === null) return false;
  return !(
    value instanceof Number ||
    value instanceof String ||
    value instanceof Boolean ||
    Object.prototype.toString.call(value) === '[object BigInt]'
  );
}
