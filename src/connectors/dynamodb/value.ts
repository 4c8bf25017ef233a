import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { canonicalNumber, decimalText, exactNumber, numberBytes, numberText } from './number.ts';

/** An item of a table as JSON. */
export type Document = Readonly<Record<string, unknown>>;

/** An item, or its key, as DynamoDB's API writes it. */
export type Attributes = Record<string, AttributeValue>;

/** DynamoDB's own limits. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
export const maxItemBytes = 409_600;
const maxDepth = 32;

/**
 * What JSON has no form for is an object with one name of these, and it reads back as it was written: numbers by their digits
 * (38 of them, where JSON's have 15), bytes as base64, the three kinds of sets, and a map that itself has only such a name.
 */
const markers: Readonly<Record<string, (value: unknown, depth: number) => AttributeValue>> = {
  $number: (value) => ({ N: decimalText(textOf(value, '$number')) }),
  $binary: (value) => ({ B: bytesOf(value, '$binary') }),
  $stringSet: (value) => ({ SS: listOf(value, '$stringSet').map((element) => textOf(element, '$stringSet')) }),
  $numberSet: (value) => ({
    NS: listOf(value, '$numberSet').map((element) =>
      typeof element === 'number' ? numberText(element) : decimalText(textOf(element, '$numberSet')),
    ),
  }),
  $binarySet: (value) => ({ BS: listOf(value, '$binarySet').map((element) => bytesOf(element, '$binarySet')) }),
  $map: (value, depth) => ({ M: encodeObject(requireObject(value, '$map'), depth) }),
};

/** A JSON document as DynamoDB's attributes. @throws RangeError that says what DynamoDB would not hold */
export function encodeDocument(document: Document): Attributes {
  return encodeObject(document, 0);
}

/** DynamoDB's attributes as a JSON document, exactly: `encodeDocument` makes the same attributes of it. */
export function decodeDocument(attributes: Attributes): Document {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, decode(value)]));
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

function encode(value: unknown, depth: number): AttributeValue {
  if (depth > maxDepth) throw new RangeError(`expected at most ${maxDepth} levels of lists and objects`);
  if (value === null) return { NULL: true };
  if (typeof value === 'boolean') return { BOOL: value };
  if (typeof value === 'number') return { N: numberText(value) };
  if (typeof value === 'string') return { S: textOf(value, 'a value') };
  if (Array.isArray(value)) return { L: value.map((element) => encode(element, depth + 1)) };
  const object = requireObject(value, 'a value');
  const [only, ...others] = Object.keys(object);
  const marker = others.length === 0 && only !== undefined && Object.hasOwn(markers, only) ? markers[only] : undefined;
  return marker === undefined || only === undefined ? { M: encodeObject(object, depth) } : marker(object[only], depth);
}

function encodeObject(object: Document, depth: number): Attributes {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [textOf(name, 'a name'), encode(value, depth + 1)]),
  );
}

function decode(value: AttributeValue): unknown {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return exactNumber(value.N) ?? { $number: value.N };
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.NULL !== undefined) return null;
  if (value.L !== undefined) return value.L.map(decode);
  if (value.B !== undefined) return { $binary: base64(value.B) };
  if (value.SS !== undefined) return { $stringSet: value.SS };
  if (value.NS !== undefined) return { $numberSet: value.NS };
  if (value.BS !== undefined) return { $binarySet: value.BS.map(base64) };
  if (value.M !== undefined) {
    const map = decodeDocument(value.M);
    const [only, ...others] = Object.keys(map);
    return others.length === 0 && only !== undefined && Object.hasOwn(markers, only) ? { $map: map } : map;
  }
  throw new Error(`expected an attribute value of DynamoDB, got ${Object.keys(value).join() || 'nothing'}`);
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
  throw new RangeError(`expected ${what} to be JSON, got ${JSON.stringify(value)?.slice(0, 80) ?? 'nothing'}`);
}

function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new RangeError(`expected a text for ${what}, got ${JSON.stringify(value)}`);
  if (!value.isWellFormed()) throw new RangeError(`expected ${what} to be Unicode, got half of a character`);
  return value;
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value) && value.length > 0) return value;
  throw new RangeError(`expected a list with an element for ${what}, got ${JSON.stringify(value)?.slice(0, 80)}`);
}

function bytesOf(value: unknown, what: string): Uint8Array {
  const text = textOf(value, what);
  const bytes = Buffer.from(text, 'base64');
  // Node reads base64 as far as it goes; what it made has to be all of it.
  if (base64(bytes) !== text) throw new RangeError(`expected base64 for ${what}, got "${text.slice(0, 80)}"`);
  return bytes;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
