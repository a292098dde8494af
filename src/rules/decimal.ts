/** A decimal with nine fraction digits, exact: the number times 10^9. */
export type Decimal = bigint;

export const DECIMAL_ONE: Decimal = 1_000_000_000n;
const FRACTION_DIGITS = 9;

/** Largest absolute value of one event and of a running total: below 10^18. */
export const DECIMAL_LIMIT: Decimal = 10n ** 18n * DECIMAL_ONE;

/** The wire form of metric values: at most 18 digits before and 9 after the point. */
export const DECIMAL_PATTERN = /^-?[0-9]{1,18}(\.[0-9]{1,9})?$/;

/** Reads a string that matches DECIMAL_PATTERN; throws a SyntaxError on any other. */
export function parseDecimal(text: string): Decimal {
  if (!DECIMAL_PATTERN.test(text)) throw new SyntaxError(`not a decimal of 18 + 9 digits: ${JSON.stringify(text)}`);
  const negative = text.startsWith('-');
  const [whole = '', fraction = ''] = (negative ? text.slice(1) : text).split('.');
  const scaled = BigInt(whole + fraction.padEnd(FRACTION_DIGITS, '0'));
  return negative ? -scaled : scaled;
}

/** The shortest exact form: no leading zeros, no trailing fraction zeros, never `-0`. */
export function formatDecimal(value: Decimal): string {
  return formatScaled(value, FRACTION_DIGITS);
}

/** `value / 10^digits` as the shortest exact decimal string. */
export function formatScaled(value: bigint, digits: number): string {
  const sign = value < 0n ? '-' : '';
  const padded = (value < 0n ? -value : value).toString().padStart(digits + 1, '0');
  const whole = padded.slice(0, padded.length - digits);
  const fraction = padded.slice(padded.length - digits).replace(/0+$/, '');
  return sign + whole + (fraction === '' ? '' : `.${fraction}`);
}

/** Division towards minus infinity; `divisor` is positive. */
export function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor < 0n ? quotient - 1n : quotient;
}
