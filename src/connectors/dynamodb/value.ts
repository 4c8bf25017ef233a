import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { marshall, type NativeAttributeValue, NumberValueImpl, unmarshall } from '@aws-sdk/util-dynamodb';
import { canonicalNumber, decimalText, numberBytes, numberValue } from './number.ts';

/** An item of a table as JSON. */
export type Document = Readonly<Record<string, unknown>>;

/** An item, or its key, as DynamoDB's API writes it. */
export type Attributes = Record<string, AttributeValue>;

/**
 * How an item is written as JSON: `plain`, or `dynamodb`, DynamoDB's own JSON, in which each value says its type
 * (`{"pk": {"S": "user#1"}, "langs": {"SS": ["en", "fr"]}}`, bytes in base64): sets and bytes can be written by it alone.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
 */
export type DocumentFormat = 'plain' | 'dynamodb';

/** DynamoDB's own limits. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
export const maxItemBytes = 409_600;
const maxDepth = 32;

/** A JSON document as DynamoDB's attributes. @throws RangeError that says what DynamoDB would not hold */
export function encodeDocument(document: Document, format: DocumentFormat = 'plain'): Attributes {
  if (format === 'dynamodb') return typedMap(document, 0);
  return marshall(new Map(preparedEntries(document, 0)));
}

/**
 * DynamoDB's attributes as a document. In the plain form a number whose digits JavaScript's do not hold is a BigInt (with a
 * fraction: JSON's own text of it), a set is a Set, and bytes are a Uint8Array: a row has them as digits, a list, and base64.
 */
export function decodeDocument(attributes: Attributes, format: DocumentFormat = 'plain'): Document {
  return format === 'plain' ? unmarshall(attributes, { wrapNumbers: numberValue }) : inJson(attributes);
}

/** Bytes of an item as DynamoDB counts them towards its limit. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
export function itemBytes(attributes: Attributes): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(attributes)) bytes += Buffer.byteLength(name) + valueBytes(value);
  return bytes;
}

/** A text that names a key among all keys of its table. */
export function keyName(key: Attributes): string {
  const parts = Object.entries(key).map(([name, { S, N, B }]) => [
    name,
    S === undefined
      ? N === undefined
        ? ['B', Buffer.from(B ?? []).toString('base64')]
        : ['N', canonicalNumber(N)]
      : S,
  ]);
  return JSON.stringify(parts.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

/**
 * A value as the library writes it, checked. An object becomes a Map, since the library takes an object with a field named
 * `constructor` for one of a class.
 */
function prepared(value: unknown, depth: number): NativeAttributeValue {
  requireDepth(depth);
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return exactNumber(value);
  if (typeof value === 'string') return textOf(value, 'a value');
  if (Array.isArray(value)) return value.map((element) => prepared(element, depth + 1));
  return new Map(preparedEntries(requireObject(value, 'a value'), depth));
}

/** The library refuses a whole number beyond 2^53; an item's has all digits that it was written with, or it would be a BigInt. */
function exactNumber(value: number | bigint): NativeAttributeValue {
  const text = decimalText(String(value));
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? NumberValueImpl.from(text) : value;
}

const preparedEntries = (object: Document, depth: number): [string, NativeAttributeValue][] =>
  Object.entries(object)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [nameOf(name), prepared(value, depth + 1)]);

/** How DynamoDB's own JSON writes a value of each type. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html */
const types: Readonly<Record<string, (value: unknown, depth: number) => AttributeValue>> = {
  S: (value) => ({ S: textOf(value, 'S') }),
  N: (value) => ({ N: decimalText(textOf(value, 'N')) }),
  B: (value) => ({ B: bytesOf(value, 'B') }),
  BOOL: (value) => ({ BOOL: requireBoolean(value) }),
  NULL: () => ({ NULL: true }),
  SS: (value) => ({ SS: setOf(value, 'SS').map((element) => textOf(element, 'SS')) }),
  NS: (value) => ({ NS: setOf(value, 'NS').map((element) => decimalText(textOf(element, 'NS'))) }),
  BS: (value) => ({ BS: setOf(value, 'BS').map((element) => bytesOf(element, 'BS')) }),
  L: (value, depth) => ({ L: listOf(value, 'L').map((element) => typed(element, depth + 1)) }),
  M: (value, depth) => ({ M: typedMap(requireObject(value, 'M'), depth) }),
};

function typed(value: unknown, depth: number): AttributeValue {
  requireDepth(depth);
  const entries = isDocument(value) ? Object.entries(value) : [];
  const [[type, content] = ['', undefined]] = entries;
  const write = entries.length === 1 && Object.hasOwn(types, type) ? types[type] : undefined;
  if (write !== undefined) return write(content, depth);
  throw new RangeError(
    `expected a value with its type, one of ${Object.keys(types).join(', ')}, as {"S": "a text"}, got ${brief(value)}`,
  );
}

const typedMap = (object: Document, depth: number): Attributes =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [nameOf(name), typed(value, depth + 1)]));

/** Attributes as DynamoDB's own JSON has them: only bytes are no JSON yet. */
function inJson(attributes: Attributes): Document {
  return JSON.parse(JSON.stringify(attributes, bytesInBase64)) as Document;
}

/** A Buffer has become something else already when its value is asked for, so it is taken from its holder. */
function bytesInBase64(this: Readonly<Record<string, unknown>>, name: string, value: unknown): unknown {
  const held = this[name];
  return held instanceof Uint8Array ? base64(held) : value;
}

function valueBytes(value: AttributeValue): number {
  const sum = <Element>(elements: readonly Element[], bytes: (element: Element) => number): number =>
    elements.reduce((total, element) => total + bytes(element), 0);
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return numberBytes(value.N);
  if (value.B !== undefined) return value.B.byteLength;
  if (value.SS !== undefined) return sum(value.SS, (text) => Buffer.byteLength(text));
  if (value.NS !== undefined) return sum(value.NS, numberBytes);
  if (value.BS !== undefined) return sum(value.BS, (bytes) => bytes.byteLength);
  // A list or map takes three bytes, and one more for each element.
  if (value.L !== undefined) return 3 + value.L.length + sum(value.L, valueBytes);
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + itemBytes(value.M);
  return 1;
}

/** Whether a value is a JSON object, to be read by names. */
export const isDocument = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A JSON object, to be read by names. @throws RangeError for anything else */
function requireObject(value: unknown, what: string): Document {
  if (isDocument(value)) return value;
  throw new RangeError(`expected ${what} to be JSON, got ${brief(value)}`);
}

function requireDepth(depth: number): void {
  if (depth > maxDepth) throw new RangeError(`expected at most ${maxDepth} levels of lists and objects`);
}

function requireBoolean(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new RangeError(`expected true or false for BOOL, got ${brief(value)}`);
}

function nameOf(name: string): string {
  // The library would take it for the prototype, and lose it.
  if (name === '__proto__') throw new RangeError('expected a name other than __proto__');
  return textOf(name, 'a name');
}

function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new RangeError(`expected a text for ${what}, got ${brief(value)}`);
  if (!value.isWellFormed()) throw new RangeError(`expected ${what} to be Unicode, got half of a character`);
  return value;
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new RangeError(`expected a list for ${what}, got ${brief(value)}`);
}

function setOf(value: unknown, what: string): readonly unknown[] {
  const list = listOf(value, what);
  if (list.length > 0) return list;
  throw new RangeError(`expected a list with an element for ${what}, got []`);
}

function bytesOf(value: unknown, what: string): Uint8Array {
  const text = textOf(value, what);
  const bytes = Buffer.from(text, 'base64');
  // Node reads base64 as far as it goes; what it made has to be all of it.
  if (base64(bytes) !== text) throw new RangeError(`expected base64 for ${what}, got "${text.slice(0, 80)}"`);
  return bytes;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const brief = (value: unknown): string => JSON.stringify(value)?.slice(0, 80) ?? 'nothing';
