import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type CsvError, type Info, parse } from 'csv-parse';

export type Format = 'csv' | 'ndjson';

/** JSON as it stands in the file, numbers as they are written there; or why the line is none. */
export interface FileRow {
  /** Where it begins, from 1. */
  line: number;
  content: unknown;
  problem?: string;
}

/** The longest row, in characters. */
const ROW_MAX = 1_000_000;

/** The file ends being readable; what stands before it has been read. */
export class UnreadableError extends Error {}

/** A file that is read piece by piece: `-` is standard input. */
export class ImportFile {
  readonly #path: string;
  readonly #format: Format;
  /** Bytes that were read. */
  read = 0;
  #ended = false;

  constructor(path: string, format: string | undefined) {
    const given = format ?? /\.(csv|ndjson|jsonl)$/i.exec(path)?.[1]?.toLowerCase();
    const known = given === 'jsonl' ? 'ndjson' : given;
    if (known !== 'csv' && known !== 'ndjson') {
      throw new Error(`${path}: say --format csv or --format ndjson; the name of the file does not tell`);
    }
    this.#path = path;
    this.#format = known;
  }

  /** In bytes; 0: not known. */
  async size(): Promise<number> {
    return this.#path === '-' ? 0 : (await stat(this.#path)).size;
  }

  rows(): AsyncGenerator<FileRow> {
    return this.#format === 'csv' ? this.#csv() : this.#ndjson();
  }

  async *#text(): AsyncGenerator<string> {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    const decode = (bytes?: Buffer): string => {
      try {
        return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
      } catch {
        throw new UnreadableError(`${this.#path} is not UTF-8 in the bytes before ${this.read}`);
      }
    };
    for await (const bytes of this.#path === '-' ? process.stdin : createReadStream(this.#path)) {
      this.read += bytes.length;
      yield decode(bytes);
      if (this.#ended) return;
    }
    yield decode();
  }

  async *#ndjson(): AsyncGenerator<FileRow> {
    let line = 0;
    let rest = '';
    const take = (text: string): FileRow[] => {
      line += 1;
      return text.trim() === '' ? [] : [{ line, ...readJson(text) }];
    };
    for await (const text of this.#text()) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > ROW_MAX) throw new UnreadableError(`line ${line + lines.length + 1}: ${TOO_LONG}`);
      for (const one of lines) yield* take(one);
    }
    yield* take(rest);
  }

  async *#csv(): AsyncGenerator<FileRow> {
    let failure: CsvError | undefined;
    const parser = Readable.from(this.#text()).pipe(
      parse({
        info: true,
        record_delimiter: ['\r\n', '\n'],
        relax_column_count: true,
        skip_empty_lines: true,
        max_record_size: ROW_MAX,
        // What stands before a mistake is still to be read; what follows may be anything.
        skip_records_with_error: true,
        on_skip: (error) => {
          failure ??= error;
          this.#ended = true;
        },
      }),
    );
    // The parser counts the lines inside of quotes twice.
    let line = 1;
    let empty = 0;
    const skipEmpty = (count: number): void => {
      line += count - empty;
      empty = count;
    };
    let columns: string[][] | undefined;
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      if (failure !== undefined && info.records > Number(failure.records)) break;
      skipEmpty(info.empty_lines);
      if (columns === undefined) columns = readHeader(record);
      else yield { line, ...readCells(columns, record) };
      line += 1 + record.reduce((count, cell) => count + cell.split('\n').length - 1, 0);
    }
    if (failure === undefined) return;
    skipEmpty(Number(failure.empty_lines));
    throw new UnreadableError(`line ${line}: ${CSV_PROBLEMS[failure.code] ?? 'is no CSV'}; nothing after it was read`);
  }
}

const TOO_LONG = `a row has at most ${ROW_MAX} characters`;
const CSV_PROBLEMS: Partial<Record<CsvError['code'], string>> = {
  CSV_INVALID_CLOSING_QUOTE: 'a quoted field goes on after its closing quote; quotes inside are written twice',
  INVALID_OPENING_QUOTE: 'a quote stands in a field that does not begin with one',
  CSV_QUOTE_NOT_CLOSED: 'a quoted field is never closed',
  CSV_MAX_RECORD_SIZE: TOO_LONG,
};

function readJson(text: string): Pick<FileRow, 'content' | 'problem'> {
  if (text.length > ROW_MAX) return { content: null, problem: TOO_LONG };
  try {
    // A number as it is written: binary floating point would change it.
    const exact = (_key: string, value: unknown, { source }: { source: string }) =>
      typeof value === 'number' ? source : value;
    return { content: JSON.parse(text, exact as never) };
  } catch {
    return { content: null, problem: 'is not a JSON object in one line' };
  }
}

const KEY = '[a-zA-Z0-9_-]{1,64}';
const COLUMN = new RegExp(
  `^(userId|name|email|tz|createdAt|streak\\.(length|lastDay)|attributes\\.${KEY}|points\\.${KEY}\\.(balance|earned|level)|metrics\\.${KEY}\\.(total|high)|triggers\\.${KEY}/${KEY}\\.(total|high))$`,
);

/** A column is the path of a field as JSON has it. */
function readHeader(names: readonly string[]): string[][] {
  const columns = names.map((name) => name.trim());
  const unknown = columns.filter((name) => !COLUMN.test(name));
  if (unknown.length > 0) throw new UnreadableError(`line 1: no column is called ${unknown.map(quote).join(', ')}`);
  const twice = columns.filter((name, index) => columns.indexOf(name) !== index);
  if (twice.length > 0) throw new UnreadableError(`line 1: twice there is a column ${twice.map(quote).join(', ')}`);
  return columns.map((name) => name.split('.'));
}

type Tree = { [name: string]: Tree | string };

/** The cells as the JSON object that they stand for; empty ones are absent. */
function readCells(columns: readonly string[][], cells: readonly string[]): Pick<FileRow, 'content' | 'problem'> {
  if (cells.length !== columns.length) {
    return { content: null, problem: `has ${cells.length} cells, the first line has ${columns.length}` };
  }
  const content: Tree = Object.create(null);
  columns.forEach((path, index) => {
    const cell = cells[index];
    if (cell === undefined || cell === '') return;
    let at = content;
    for (const step of path.slice(0, -1)) {
      at[step] ??= Object.create(null) as Tree;
      at = at[step] as Tree;
    }
    at[path.at(-1) as string] = cell;
  });
  return { content };
}

function quote(text: string): string {
  return JSON.stringify(text);
}
