/** A column of an insert: its name, its type in PostgreSQL, and its value in a row. */
export type Column<R> = readonly [name: string, type: string, value: (row: R) => unknown];

export interface Insert<R> {
  table: string;
  /** Of the statement, where a table has several; by default that of the table. */
  name?: string;
  columns: readonly Column<R>[];
  /** `on conflict …`; rows are then taken in the order of the first two columns, which is that of the locks. */
  conflict?: string;
}

/**
 * Inserts any number of rows with one statement and one array a column, so that the statement is the same, and
 * prepared, whatever their number. Undefined: there is nothing to insert.
 */
export function insertion<R>(insert: Insert<R>, rows: readonly R[]): Insertion | undefined {
  if (rows.length === 0) return undefined;
  return {
    name: `insert-${insert.name ?? insert.table}`,
    text: statement(insert),
    values: insert.columns.map(([, type, value]) => arrayText(type, rows.map(value))),
  };
}

/** A statement that is ready to be sent. */
export interface Insertion {
  name: string;
  text: string;
  values: string[];
}

/** An array as PostgreSQL reads it. Only texts and documents can have what must be quoted. */
function arrayText(type: string, values: readonly unknown[]): string {
  const element = ELEMENTS[type] ?? plain;
  return `{${values.map((value) => ((value ?? null) === null ? 'NULL' : element(value))).join(',')}}`;
}

const ELEMENTS: Readonly<Record<string, (value: unknown) => string>> = {
  text: (value) => `"${String(value).replace(/["\\]/g, '\\$&')}"`,
  // JSON has no control characters, so that quoting it once more escapes what the array needs and no more.
  jsonb: (value) => JSON.stringify(value),
  bytea: (value) => `\\\\x${(value as Buffer).toString('hex')}`,
};

function plain(value: unknown): string {
  return String(value);
}

const statements = new WeakMap<object, string>();

function statement<R>(insert: Insert<R>): string {
  let text = statements.get(insert);
  if (text === undefined) {
    const names = insert.columns.map(([name]) => name).join(', ');
    const arrays = insert.columns.map(([, type], index) => `$${index + 1}::${type}[]`).join(', ');
    const conflict = insert.conflict === undefined ? '' : ` order by 1, 2 ${insert.conflict}`;
    text = `insert into ${insert.table} (${names}) select * from unnest(${arrays})${conflict}`;
    statements.set(insert, text);
  }
  return text;
}
