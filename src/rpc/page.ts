import { invalid } from '../errors.ts';

const PAGE_DEFAULT = 50;

/** The cursor of lists in the order of ids, and the one before all others. */
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
export const NO_UUID = '00000000-0000-0000-0000-000000000000';

/** How many items a page of this size setting holds. */
export function pageSize(asked: number): number {
  return asked === 0 ? PAGE_DEFAULT : asked;
}

/** An opaque token for the place after `cursor` in the list that `list` names. */
export function pageToken(list: string, cursor: string): string {
  return Buffer.from(JSON.stringify([list, cursor])).toString('base64url');
}

/** The cursor in a token of the same list and form, undefined for the first page; INVALID_ARGUMENT for any other. */
export function pageCursor(list: string, token: string, form: RegExp): string | undefined {
  if (token === '') return undefined;
  try {
    const [of, cursor] = JSON.parse(Buffer.from(token, 'base64url').toString()) as [unknown, unknown];
    if (of === list && typeof cursor === 'string' && form.test(cursor)) return cursor;
  } catch {
    // Not of our making; answered below.
  }
  throw invalid([{ field: 'page_token', description: 'must be the next_page_token of an answer to the same request' }]);
}
