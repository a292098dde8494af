import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ENVIRONMENT } from '../child.ts';

/** A statement as Guerdon sends it. */
export interface Statement {
  text: string;
  values: readonly unknown[];
}

/** External id and internal id of the user that the statements were captured with. */
const USER = 'user-7';
const USER_ID = '7';

/** The statements that one GetUserPoints with ten awards sends. */
export async function captureStatements(databaseUrl: string): Promise<Statement[]> {
  const env = { ...ENVIRONMENT, DATABASE_URL: databaseUrl };
  const script = join(import.meta.dirname, 'capture.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [script], { env });
  const found = JSON.parse(/^statements (.*)$/m.exec(stdout)?.[1] ?? '[]') as Statement[];
  if (found.length === 0) throw new Error(`no statements were captured:\n${stdout}`);
  return found;
}

/** A script for pgbench in which the user is another one each time. */
export function pgbenchScript(statements: readonly Statement[], users: number): string {
  const lines = statements.map(
    ({ text, values }) => `${text.replace(/\$(\d+)/g, (_, n) => literal(values[Number(n) - 1]))};`,
  );
  return [`\\set n random(1, ${users})`, ...lines, ''].join('\n');
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return `array[${value.map(literal).join(', ')}]`;
  if (value === USER) return `('user-' || :n)`;
  if (value === USER_ID) return ':n';
  return typeof value === 'number' ? String(value) : `'${String(value).replaceAll("'", "''")}'`;
}

/** The values of a statement for another user. */
export function valuesFor({ values }: Statement, user: number): unknown[] {
  const other = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(other);
    return value === USER ? `user-${user}` : value === USER_ID ? String(user) : value;
  };
  return values.map(other);
}
