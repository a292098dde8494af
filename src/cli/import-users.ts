import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { MultiBar } from 'cli-progress';
import { v7 } from 'uuid';
import type { Config } from '../config.ts';
import { Catalog } from '../db/catalog.ts';
import { migrate, openOrm } from '../db/orm.ts';
import { createPool, type Pool } from '../db/pool.ts';
import { Programs } from '../db/programs.ts';
import { firstProject } from '../setup/bootstrap.ts';
import { withDatabase } from './database.ts';
import { applyInLanes, type Importing, importRows, pretend, type RowResult } from './import/import-rows.ts';
import { type FileRow, ImportFile } from './import/read-file.ts';

export interface ImportOptions {
  project?: string;
  format?: string;
  dryRun?: boolean;
  announce?: boolean;
  report?: string;
}

/** Rows that are read, decided and told together. */
const ROWS_AT_ONCE = 2_000;

/** Imports the users of a file, or with `dryRun` tells what that would do. The exit status is 1 when a row is refused. */
export async function importCommand(config: Config, path: string, options: ImportOptions): Promise<void> {
  const file = new ImportFile(path, options.format);
  const size = await file.size();
  await withDatabase(config, async (url) => {
    await migrate(config.migrateDatabaseUrl ?? url);
    const projectId = await projectOf(url, options.project);
    const onError = () => {};
    const pool = createPool({ url, max: 4, name: 'guerdon-import', onError });
    const lanes = await lanesOf(pool);
    const lanePool = createPool({ url, max: lanes, name: 'guerdon-import-lanes', lanes: true, onError });
    try {
      const importing = {
        projectId,
        lanes,
        applying: {
          pool: lanePool,
          attempts: { begun: 0, committed: 0, conflicts: 0 },
          programs: new Programs(),
          now: Date.now,
          random: Math.random,
          // Workers look for what is announced by themselves, too.
          onAnnounced: () => {},
          log: { error: ({ err }: { err?: Error }, message: string) => say(`${message}: ${err?.message}`) },
        },
        pool,
        catalog: new Catalog(pool, Date.now),
        uuid: () => v7(),
        announce: options.announce ?? false,
      };
      await run(importing, file, size, options);
    } finally {
      await lanePool.end();
      await pool.end();
    }
  });
}

async function projectOf(url: string, key: string | undefined): Promise<string> {
  const orm = await openOrm(url);
  try {
    const project = await firstProject(orm.em.fork(), key);
    if (project === undefined) throw new Error(`there is no project ${key ?? 'yet: start Guerdon once'}`);
    return project.id;
  } finally {
    await orm.close(true);
  }
}

async function lanesOf(pool: Pool): Promise<number> {
  const { rows } = await pool.query(`select value::int as lanes from settings where name = 'lanes'`);
  return rows[0].lanes;
}

async function run(importing: Importing, file: ImportFile, size: number, options: ImportOptions): Promise<void> {
  const session = options.dryRun ? await importing.pool.connect() : undefined;
  const teller = new Teller(size, options.report);
  try {
    const decide = session === undefined ? applyInLanes(importing) : await pretend(importing.pool, session);
    let rows: FileRow[] = [];
    const flush = async (): Promise<void> => {
      const read = rows;
      rows = [];
      if (read.length > 0) teller.tell(await importRows(importing, read, decide), file.read);
    };
    try {
      for await (const row of file.rows()) {
        rows.push(row);
        if (rows.length === ROWS_AT_ONCE) await flush();
      }
    } finally {
      // Also what stands before a place where the file cannot be read.
      await flush();
    }
  } finally {
    session?.release(true);
    await teller.end(options.dryRun ?? false);
  }
}

/** Shows how far the import is, says what was refused or strange, and sums it up. */
class Teller {
  readonly #began = performance.now();
  readonly #counts = { imported: 0, same: 0, refused: 0 };
  readonly #report: WriteStream | undefined;
  readonly #bars: MultiBar;
  readonly #bar: ReturnType<MultiBar['create']> | undefined;

  constructor(size: number, report: string | undefined) {
    this.#report = report === undefined ? undefined : createWriteStream(report);
    const share = size === 0 ? '' : '[{bar}] {percentage} %, ';
    this.#bars = new MultiBar({ format: `${share}{rows} rows, {rate}/s`, hideCursor: true });
    if (process.stderr.isTTY) this.#bar = this.#bars.create(size, 0, { rows: 0, rate: 0 });
  }

  get #rows(): number {
    const { imported, same, refused } = this.#counts;
    return imported + same + refused;
  }

  get #rate(): number {
    return Math.round((this.#rows * 1000) / (performance.now() - this.#began));
  }

  tell(results: readonly RowResult[], read: number): void {
    for (const result of results) {
      this.#counts[result.outcome] += 1;
      this.#report?.write(`${JSON.stringify(result)}\n`);
      const { line, user, reasons, warnings } = result;
      const who = `line ${line}${user === '' ? '' : `, ${JSON.stringify(user)}`}`;
      if (reasons.length > 0) this.#line(`${who}: refused: ${reasons.join('; ')}`);
      if (warnings.length > 0) this.#line(`${who}: ${warnings.join('; ')}`);
    }
    this.#bar?.update(read, { rows: this.#rows, rate: this.#rate });
  }

  #line(text: string): void {
    if (this.#bar === undefined) say(text);
    else this.#bars.log(`${text}\n`);
  }

  async end(dryRun: boolean): Promise<void> {
    this.#bars.stop();
    const { imported, same, refused } = this.#counts;
    const would = dryRun ? 'dry run, nothing is stored: ' : '';
    process.stdout.write(
      `${would}${this.#rows} rows: ${imported} imported, ${same} the same, ${refused} refused; ${this.#rate} a second\n`,
    );
    if (refused > 0) process.exitCode = 1;
    this.#report?.end();
    if (this.#report !== undefined) await finished(this.#report);
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
