import { hash } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { create, fromJson, type JsonValue, toJson } from '@bufbuild/protobuf';
import { CsvError, type Info, parse } from 'csv-parse';
import type { Violation } from '../../errors.ts';
import { type SendEventRequest, SendEventRequestSchema } from '../../gen/guerdon/v1/event_service_pb.ts';
import { snake } from '../text.ts';

/** A row as it was sent. */
export interface SourceRow {
  /** From 1; of messages, their number. */
  line: number;
  /** What the row is, for the hash of the content; cut where it is too long to be a row. */
  text: string;
  /** The event that it says, or what is wrong with its form. */
  read(): SendEventRequest | Violation[];
}

/** The rows of an import, as messages or as the bytes of a file, which may be gzipped. */
export type Source =
  | { format: 'events'; messages: AsyncIterable<readonly SendEventRequest[]> }
  | { format: 'ndjson' | 'csv'; bytes: AsyncIterable<Uint8Array> };

/** A longer row is none. */
const ROW_MAX_BYTES = 65_536;

/** What was sent is not of the format, from some place on. */
export class UnreadableError extends Error {}

/** The rows one after the other; the source is read no faster than they are taken. */
export function rowsOf(source: Source): AsyncIterable<SourceRow> {
  if (source.format === 'events') return messageRows(source.messages);
  return source.format === 'csv' ? csvRows(unzipped(source.bytes)) : ndjsonRows(unzipped(source.bytes));
}

async function* messageRows(messages: AsyncIterable<readonly SendEventRequest[]>): AsyncGenerator<SourceRow> {
  let line = 0;
  for await (const events of messages) {
    for (const event of events) {
      line += 1;
      yield { line, text: textOf(event), read: () => event };
    }
  }
}

/** The same for the same event, in whatever order its attributes came. */
function textOf(event: SendEventRequest): string {
  const sorted = (_name: string, value: unknown): unknown =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  try {
    return JSON.stringify(toJson(SendEventRequestSchema, event), sorted);
  } catch {
    // An instant that JSON cannot say; the row is refused for it.
    return JSON.stringify([event.metricKey, event.user?.id, event.value, event.idempotencyKey]);
  }
}

async function* ndjsonRows(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<SourceRow> {
  let line = 0;
  for await (const { content, whole } of linesOf(bytes)) {
    line += 1;
    const text = content.toString('utf8');
    if (text.trim() === '') continue;
    const wrong = !whole
      ? `must have at most ${ROW_MAX_BYTES} bytes`
      : text.includes('\ufffd') && !Buffer.from(text).equals(content)
        ? 'must be UTF-8'
        : undefined;
    yield { line, text, read: () => (wrong === undefined ? readJson(text) : [{ field: '', description: wrong }]) };
  }
}

function readJson(text: string): SendEventRequest | Violation[] {
  try {
    return fromJson(SendEventRequestSchema, JSON.parse(text) as JsonValue);
  } catch (error) {
    return [{ field: '', description: `must be a SendEventRequest in JSON: ${(error as Error).message}` }];
  }
}

/** Lines by their bytes, without the line feed and a byte order mark; what is too long is cut. */
async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<{ content: Buffer; whole: boolean }> {
  let kept: Buffer[] = [];
  let length = 0;
  let first = true;
  const line = (): { content: Buffer; whole: boolean } => {
    const all = Buffer.concat(kept);
    const content = first && all.subarray(0, 3).equals(BYTE_ORDER_MARK) ? all.subarray(3) : all;
    const whole = length <= ROW_MAX_BYTES;
    kept = [];
    length = 0;
    first = false;
    return { content, whole };
  };
  const keep = (part: Buffer): void => {
    if (length < ROW_MAX_BYTES) kept.push(part.subarray(0, ROW_MAX_BYTES - length));
    length += part.length;
  };
  for await (const chunk of bytes) {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = buffer.indexOf(LINE_FEED); end !== -1; end = buffer.indexOf(LINE_FEED, start)) {
      keep(buffer.subarray(start, end));
      yield line();
      start = end + 1;
    }
    keep(buffer.subarray(start));
  }
  if (length > 0) yield line();
}

const BYTE_ORDER_MARK = Buffer.from('\ufeff');
const LINE_FEED = 10;

const COLUMNS = ['metric', 'user', 'value', 'idempotency_key', 'occurred_at'];
const ATTRIBUTE = 'attributes.';

async function* csvRows(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<SourceRow> {
  const parser = parse({
    bom: true,
    columns: (header: string[]) => checkHeader(header),
    info: true,
    max_record_size: ROW_MAX_BYTES,
    relax_column_count: true,
    skip_empty_lines: true,
  });
  pipeline(Readable.from(bytes), parser, () => {});
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: Record<string, string>;
      info: Info & { error?: Error };
    }>) {
      const wrong = info.error === undefined ? undefined : 'must have as many values as the header';
      yield {
        line: info.lines,
        text: JSON.stringify(record),
        read: () => (wrong === undefined ? readCsv(record) : [{ field: '', description: wrong }]),
      };
    }
  } catch (error) {
    if (error instanceof CsvError) throw new UnreadableError(error.message);
    throw error;
  }
}

function checkHeader(header: string[]): string[] {
  const missing = COLUMNS.slice(0, 3).filter((column) => !header.includes(column));
  if (missing.length > 0) throw new UnreadableError(`the header has no ${missing.map(quoted).join(', ')}`);
  const unknown = header.filter((column) => !COLUMNS.includes(column) && !column.startsWith(ATTRIBUTE));
  if (unknown.length > 0) {
    throw new UnreadableError(
      `the header has ${unknown.map(quoted).join(', ')}; it may have ${COLUMNS.map(quoted).join(', ')} and "attributes.NAME"`,
    );
  }
  if (new Set(header).size < header.length) throw new UnreadableError('the header names a column twice');
  return header;
}

const quoted = (text: string): string => JSON.stringify(text);

/** An empty cell is an absent field. */
function readCsv(record: Record<string, string>): SendEventRequest | Violation[] {
  const attributes = Object.entries(record).filter(([column, value]) => column.startsWith(ATTRIBUTE) && value !== '');
  const json = {
    metricKey: record.metric ?? '',
    user: { id: record.user ?? '' },
    value: record.value ?? '',
    idempotencyKey: record.idempotency_key ?? '',
    attributes: Object.fromEntries(attributes.map(([column, value]) => [column.slice(ATTRIBUTE.length), value])),
  };
  if (!record.occurred_at) return create(SendEventRequestSchema, json);
  try {
    return fromJson(SendEventRequestSchema, { ...json, occurredAt: record.occurred_at });
  } catch {
    return [{ field: snake('occurredAt'), description: 'must be an instant like "2026-01-31T09:30:00Z"' }];
  }
}

/** The bytes as they are, or unpacked where they begin as a gzip file does. */
async function* unzipped(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let length = 0;
  while (length < 2) {
    const { done, value } = await iterator.next();
    if (done) break;
    head.push(value);
    length += value.length;
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    yield* head;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  }
  const [first, second] = Buffer.concat(head);
  if (first !== 0x1f || second !== 0x8b) return yield* all();
  const gunzip = createGunzip();
  pipeline(Readable.from(all()), gunzip, () => {});
  try {
    for await (const chunk of gunzip) yield chunk;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_')) throw new UnreadableError(`the gzip file cannot be unpacked: ${message}`);
    throw error;
  }
}

/** The hash of all rows up to one, from that of the rows before it: so it can be gone on with after any row. */
export function linkHash(before: Buffer, { line, text }: SourceRow): Buffer {
  return hash('sha256', Buffer.concat([before, Buffer.from(`${line}\n${text}`)]), 'buffer');
}

/** Reads a row again that was kept as it was sent. */
export function readAgain(format: Source['format'], text: string): SendEventRequest | Violation[] {
  if (format !== 'csv') return readJson(text);
  try {
    return readCsv(JSON.parse(text));
  } catch {
    return [{ field: '', description: 'is cut' }];
  }
}
