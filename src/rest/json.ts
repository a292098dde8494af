import { GuerdonError } from '../errors.ts';

/** No value of the contract is nested deeper than a few levels. */
const DEPTH_MAX = 32;
/** A longer exponent is of no number that could be stored. */
const EXPONENT_MAX = 400;

export interface Json {
  /** As JSON.parse gives it: for judging its form. */
  plain: unknown;
  /** The same with every number as its exact decimal text: for what is stored. */
  exact: unknown;
}

/** Reads the bytes of a body; REQUEST_UNREADABLE for what is no JSON, or no clear one. */
export function readJson(bytes: Uint8Array): Json {
  const text = decode(bytes);
  let plain: unknown;
  try {
    plain = JSON.parse(text);
  } catch (error) {
    throw unreadable(`the body is not JSON: ${(error as Error).message}`);
  }
  checkObjects(text);
  const exact = JSON.parse(text, ((_key: string, value: unknown, context: { source?: string }) =>
    typeof value === 'number' ? plainDecimal(context.source ?? '') : value) as (
    key: string,
    value: unknown,
  ) => unknown);
  return { plain, exact };
}

export function unreadable(message: string): GuerdonError {
  return new GuerdonError('INVALID_ARGUMENT', 'REQUEST_UNREADABLE', message);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw unreadable('the body is not UTF-8');
  }
}

/** Refuses objects that say a name twice, and nesting without end; the text is known to be JSON. */
function checkObjects(text: string): void {
  const open: (Set<string> | null)[] = [];
  let last = '';
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    if (token === '{' || token === '[') open.push(token === '{' ? new Set() : null);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') noteName(open.at(-1), JSON.parse(last) as string);
    if (open.length > DEPTH_MAX) throw unreadable(`the body is nested deeper than ${DEPTH_MAX} levels`);
    last = token;
  }
}

function noteName(names: Set<string> | null | undefined, name: string): void {
  if (names?.has(name)) throw unreadable(`the body says ${JSON.stringify(name)} twice in one object`);
  names?.add(name);
}

/** A JSON number as a plain decimal, exactly; what is beyond reason is left as it is, and refused as no decimal. */
export function plainDecimal(source: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source) ?? [];
  const shift = Number(exponent);
  if (whole === '' || Math.abs(shift) > EXPONENT_MAX) return source;
  const digits = whole + fraction;
  const point = whole.length + shift;
  const padded = digits.padStart(digits.length + Math.max(0, 1 - point), '0').padEnd(Math.max(point, 0), '0');
  const at = Math.max(point, 1);
  const before = padded.slice(0, at).replace(/^0+(?=\d)/, '');
  const after = padded.slice(at).replace(/0+$/, '');
  const decimal = after === '' ? before : `${before}.${after}`;
  return decimal === '0' ? '0' : sign + decimal;
}

type RawJson = { rawJSON?: (text: string) => number };

/** A decimal as a JSON number with all its digits. */
export function exactNumber(decimal: string): number {
  return (JSON as RawJson).rawJSON?.(decimal) ?? Number(decimal);
}
