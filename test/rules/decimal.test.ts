import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DECIMAL_LIMIT, floorDivide, formatDecimal, formatScaled, parseDecimal } from '../../src/rules/decimal.ts';

const LARGEST = '999999999999999999.999999999';

describe('a decimal', () => {
  it.each<[string, string, bigint, string]>([
    ['a whole number is scaled by ten to the ninth', '12', 12_000_000_000n, '12'],
    ['nine fraction digits are kept', '0.000000001', 1n, '0.000000001'],
    ['eighteen whole digits are kept', LARGEST, DECIMAL_LIMIT - 1n, LARGEST],
    ['a negative fraction is negative', '-0.5', -500_000_000n, '-0.5'],
    ['trailing zeros are not written back', '1.500', 1_500_000_000n, '1.5'],
    ['a fraction of zeros alone is not written back', '7.000000000', 7_000_000_000n, '7'],
    ['leading zeros are not written back', '007.25', 7_250_000_000n, '7.25'],
    ['minus zero is zero', '-0', 0n, '0'],
    ['minus zero with a fraction is zero', '-0.000', 0n, '0'],
  ])('%s', (_title, text, scaled, shortest) => {
    expect(parseDecimal(text)).toBe(scaled);
    expect(formatDecimal(scaled)).toBe(shortest);
  });

  it.each([
    ['an empty string', ''],
    ['a sign alone', '-'],
    ['a plus sign', '+1'],
    ['an exponent', '1e3'],
    ['a point without a fraction', '1.'],
    ['a point without a whole part', '.5'],
    ['a comma', '1,5'],
    ['white space', ' 1'],
    ['a line end', '1\n'],
    ['nineteen whole digits', '1000000000000000000'],
    ['ten fraction digits', '0.0000000001'],
    ['digits of another script', '١٢'],
    ['not a number', 'NaN'],
    ['infinity', 'Infinity'],
    ['a hexadecimal number', '0x10'],
  ])('refuses %s', (_title, text) => {
    expect(() => parseDecimal(text)).toThrow(SyntaxError);
  });

  it('is the same after writing and reading', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n - DECIMAL_LIMIT, max: DECIMAL_LIMIT - 1n }), (value) => {
        expect(parseDecimal(formatDecimal(value))).toBe(value);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('is written in one form however it was given', () => {
    const written = fc.stringMatching(/^-?[0-9]{1,18}(\.[0-9]{1,9})?$/);
    fc.assert(
      fc.property(written, (text) => {
        const shortest = formatDecimal(parseDecimal(text));
        expect(formatDecimal(parseDecimal(shortest))).toBe(shortest);
        expect(shortest).toMatch(/^(0|-?([1-9][0-9]*|0\.[0-9]*[1-9]|[1-9][0-9]*\.[0-9]*[1-9]))$/);
      }),
      { seed: 2, numRuns: 500 },
    );
  });
});

it.each<[string, bigint, number, string]>([
  ['without fraction digits a number is itself', -42n, 0, '-42'],
  ['as many digits as asked are behind the point', 123_456n, 3, '123.456'],
  ['zeros are put before a small number', 5n, 4, '0.0005'],
  ['a long product stays exact', 3n * 10n ** 27n + 1n, 27, '3.000000000000000000000000001'],
])('%s', (_title, value, digits, text) => {
  expect(formatScaled(value, digits)).toBe(text);
});

it.each<[string, bigint, bigint, bigint]>([
  ['division goes down for a positive number', 7n, 2n, 3n],
  ['division goes down for a negative number', -7n, 2n, -4n],
  ['division without a rest is exact below zero', -8n, 2n, -4n],
  ['zero divided is zero', 0n, 3n, 0n],
])('%s', (_title, dividend, divisor, quotient) => {
  expect(floorDivide(dividend, divisor)).toBe(quotient);
});
