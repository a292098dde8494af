import { indexProgram, type ProgramIndex, type ProgramSnapshot, readProgram } from '../rules/program.ts';
import type { Queryable } from './pool.ts';

/** Triggers, levels and boosts that are kept in memory, of all programs together. */
const PARTS_MAX = 100_000;

/** Programs by project and version; a snapshot never changes, so what was read once stays true. */
export class Programs {
  readonly #known = new Map<string, ProgramIndex>();
  #parts = 0;

  /** The program of this number; 0 is the empty program that a new project starts with. */
  async get(db: Queryable, projectId: string, version: number): Promise<ProgramIndex> {
    const name = `${projectId} ${version}`;
    let index = this.#known.get(name);
    if (index === undefined) {
      const { rows } = await db.query(
        `select p.time_zone, s.snapshot from projects p
        left join programs s on s.project_id = p.id and s.version = $2 where p.id = $1`,
        [projectId, version],
      );
      const row = rows[0] as { time_zone: string; snapshot: ProgramSnapshot | null } | undefined;
      if (row === undefined || (row.snapshot === null && version > 0)) {
        throw new Error(`program ${version} of project ${projectId} is missing`);
      }
      index = indexProgram(readProgram(version, row.snapshot ?? { timeZone: row.time_zone, systems: [] }));
      this.#keep(name, index);
    }
    return index;
  }

  #keep(name: string, index: ProgramIndex): void {
    const parts = index.program.systems.map(
      ({ triggers, levels, boosts }) => triggers.length + levels.length + boosts.length,
    );
    const size = parts.reduce((sum, count) => sum + count, 1);
    if (this.#parts + size > PARTS_MAX) {
      this.#known.clear();
      this.#parts = 0;
    }
    this.#known.set(name, index);
    this.#parts += size;
  }

  /** The programs in force, by project id. */
  async current(db: Queryable, projectIds: readonly string[]): Promise<Map<string, ProgramIndex>> {
    const { rows } = await db.query({
      name: 'program-versions',
      text: 'select id, program_version from projects where id = any($1::bigint[])',
      values: [projectIds],
    });
    const current = new Map<string, ProgramIndex>();
    for (const row of rows) current.set(row.id, await this.get(db, row.id, row.program_version));
    return current;
  }
}
