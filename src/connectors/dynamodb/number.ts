import { rawJson } from '../../format/json.ts';

/** A decimal number in the one form that equal numbers share: `digits` × 10^`exponent`, no zero at either end. */
interface Decimal {
  readonly negative: boolean;
  /** Empty for zero. */
  readonly digits: string;
  readonly exponent: number;
}

/** DynamoDB keeps 38 digits, and magnitudes from 1E-130 to 9.9…E+125. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html */
const maxDigits = 38;
const minMagnitude = -130;
const maxMagnitude = 125;
/** Longer texts are no number that DynamoDB holds, however many zeros are in them. */
const maxCharacters = 300;

/** A number by its digits, as DynamoDB takes it. @throws RangeError when DynamoDB cannot hold it exactly */
export function decimalText(text: string): string {
  const decimal = parseDecimal(text);
  if (decimal === undefined) throw new RangeError(`expected a decimal number, got "${text.slice(0, 80)}"`);
  const { digits, exponent } = decimal;
  const magnitude = digits.length + exponent - 1;
  if (digits.length > maxDigits || (digits !== '' && (magnitude < minMagnitude || magnitude > maxMagnitude))) {
    throw new RangeError(
      `expected at most ${maxDigits} digits and a magnitude from 1E${minMagnitude} to 1E${maxMagnitude}, got ${text.slice(0, 80)}`,
    );
  }
  return text;
}

/** A number of a table: JavaScript's own where that has all its digits, else a BigInt, or for a fraction what JSON writes as its text. */
export function numberValue(text: string): number | bigint | object {
  const value = Number(text);
  const isExact =
    Number.isFinite(value) &&
    (Number.isSafeInteger(value) || !Number.isInteger(value)) &&
    canonicalNumber(text) === canonicalNumber(String(value));
  if (isExact) return value;
  return /^-?\d+$/.test(text) ? BigInt(text) : rawJson(text);
}

/** A text that equal numbers share, as `1`, `1.0`, and `10e-1` do. */
export function canonicalNumber(text: string): string {
  const decimal = parseDecimal(text);
  if (decimal === undefined) return text;
  return `${decimal.negative ? '-' : ''}${decimal.digits}e${decimal.exponent}`;
}

/** Bytes that a number takes in an item, as DynamoDB approximates them: one for two digits, and one. */
export function numberBytes(text: string): number {
  const { digits = '', negative = false } = parseDecimal(text) ?? {};
  return Math.ceil(digits.length / 2) + 1 + (negative ? 1 : 0);
}

function parseDecimal(text: string): Decimal | undefined {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    (text.length <= maxCharacters && /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?$/.exec(text)) || [];
  if (whole + fraction === '') return undefined;
  const all = (whole + fraction).replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  if (digits === '') return { negative: false, digits, exponent: 0 };
  return {
    negative: sign === '-',
    digits,
    exponent: Number(exponent) - fraction.length + all.length - digits.length,
  };
}
