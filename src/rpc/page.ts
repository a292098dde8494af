import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { invalid } from '../errors.ts';

const PAGE_DEFAULT = 50;

/** The cursor of lists in the order of ids, and the one before all others. */
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
export const NO_UUID = '00000000-0000-0000-0000-000000000000';

/** How many items a page of this size setting holds. */
export function pageSize(asked: number): number {
  return asked === 0 ? PAGE_DEFAULT : asked;
}

/** The cursor of lists in the order of internal ids. */
export const ID_CURSOR = /^[0-9]{1,18}$/;

/** The cursor of lists in the order of keys. */
export const KEY_CURSOR = /^[a-zA-Z0-9_-]{1,64}$/;

/** A page of a list that is in memory, in the order of its cursors. */
export function pageOf<T>(
  list: string,
  asked: { pageSize: number; pageToken: string },
  items: readonly T[],
  cursorOf: (item: T) => string,
  form: RegExp,
): { page: T[]; nextPageToken: string } {
  const after = pageCursor(list, asked.pageToken, form) ?? '';
  const size = pageSize(asked.pageSize);
  const rest = items.filter((item) => cursorOf(item) > after).sort((a, b) => (cursorOf(a) < cursorOf(b) ? -1 : 1));
  const page = rest.slice(0, size);
  const last = page.at(-1);
  return { page, nextPageToken: rest.length > size && last !== undefined ? pageToken(list, cursorOf(last)) : '' };
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

/** The first instant of year 1 and the last of year 9999, which a Timestamp may not leave. */
export const TIMESTAMP_RANGE = [-62_135_596_800_000, 253_402_300_799_999] as const;

/** Throws INVALID_ARGUMENT for instants that no Timestamp may be; by their names in the proto. */
export function checkInstants(instants: Readonly<Record<string, Timestamp | undefined>>): void {
  const wrong = Object.entries(instants).filter(([, at]) => {
    const ms = at === undefined ? 0 : timestampMs(at);
    return !(ms >= TIMESTAMP_RANGE[0] && ms <= TIMESTAMP_RANGE[1]);
  });
  if (wrong.length > 0) {
    throw invalid(wrong.map(([field]) => ({ field, description: 'must be within the years 1 to 9999' })));
  }
}
