import {
  indexProgram,
  type ProgramIndex,
  type ProgramSnapshot,
  readProgram,
  readTrigger,
  type TriggerSnapshot,
} from '../rules/program.ts';
import type { Instant, Trigger } from '../rules/types.ts';
import type { Queryable } from './pool.ts';

/** Triggers, levels, boosts and achievements that are kept in memory, of all programs together. */
const PARTS_MAX = 100_000;
/** Programs whose triggers' changes are kept in memory. */
const CHANGES_MAX = 100;

/** Programs of which it is kept in memory which eras there were. */
const ERAS_MAX = 10_000;

/** A program, and from when it was in force. */
export interface IndexedEra {
  index: ProgramIndex;
  from: Instant;
}

/** Programs by project and version; a snapshot never changes, so what was read once stays true. */
export class Programs {
  readonly #known = new Map<string, ProgramIndex>();
  /** By project, the one that was in force when that was last asked. */
  readonly #last = new Map<string, ProgramIndex>();
  /** Of the eras up to a program: the version that began each, and when. */
  readonly #eras = new Map<string, readonly { version: number; from: Instant }[]>();
  readonly #archived = new Map<string, Trigger>();
  readonly #triggerChanges = new Map<string, ReadonlyMap<string, Date>>();
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
    const size = parts.reduce((sum, count) => sum + count, 1 + index.program.achievements.length);
    if (this.#parts + size > PARTS_MAX) {
      this.#known.clear();
      this.#parts = 0;
    }
    this.#known.set(name, index);
    this.#parts += size;
  }

  /**
   * The programs by which ticks from `since` on are judged, up to this one, which stands for the last era. Undefined: no
   * program of the project up to this one has triggers that the clock fires.
   */
  async eras(db: Queryable, projectId: string, index: ProgramIndex, since: Instant): Promise<IndexedEra[] | undefined> {
    const all = await this.#erasUpTo(db, projectId, index.program.version);
    if (all.length === 1) return undefined;
    const needed = all.filter((_, place) => place === all.length - 1 || (all[place + 1]?.from ?? 0) > since);
    const last = needed.at(-1);
    return Promise.all(
      needed.map(async (era) => ({
        index: era === last ? index : await this.get(db, projectId, era.version),
        from: era.from,
      })),
    );
  }

  /** Whether the program, or one before it, has triggers that the clock fires. */
  async isTimed(db: Queryable, projectId: string, index: ProgramIndex): Promise<boolean> {
    return (await this.#erasUpTo(db, projectId, index.program.version)).length > 1;
  }

  async #erasUpTo(db: Queryable, projectId: string, version: number) {
    const name = `${projectId} ${version}`;
    let eras = this.#eras.get(name);
    if (eras === undefined) {
      const { rows } = await db.query(
        `select version, created_at from programs
        where project_id = $1 and version in (select era from programs where project_id = $1 and version <= $2)
        order by version`,
        [projectId, version],
      );
      let from = 0;
      const begun = rows.map((row) => {
        from = Math.max(from, row.created_at.getTime());
        return { version: row.version as number, from };
      });
      eras = [{ version: 0, from: 0 }, ...begun];
      if (this.#eras.size === ERAS_MAX) this.#eras.clear();
      this.#eras.set(name, eras);
    }
    return eras;
  }

  /** The programs in force, by project id. */
  async current(db: Queryable, projectIds: readonly string[]): Promise<Map<string, ProgramIndex>> {
    const { rows } = await db.query({
      name: 'program-versions',
      text: 'select id, program_version from projects where id = any($1::bigint[])',
      values: [projectIds],
    });
    const current = new Map<string, ProgramIndex>();
    for (const row of rows) {
      const index = await this.get(db, row.id, row.program_version);
      current.set(row.id, index);
      this.#last.set(row.id, index);
    }
    return current;
  }

  /** The program that was in force when that was last asked in this process; undefined: it was not. */
  last(projectId: string): ProgramIndex | undefined {
    return this.#last.get(projectId);
  }

  /** When the triggers of a program were last changed by somebody, by `system/trigger`. */
  async triggerChanges(db: Queryable, projectId: string, version: number): Promise<ReadonlyMap<string, Date>> {
    const name = `${projectId} ${version}`;
    const known = this.#triggerChanges.get(name);
    if (known !== undefined) return known;
    const { rows } = await db.query({
      name: 'trigger-changes',
      text: `select key, max(at) as at from audit
        where project_id = $1 and kind = 'trigger' and program_version <= $2 group by key`,
      values: [projectId, version],
    });
    const changes = new Map(rows.map((row) => [row.key as string, row.at as Date]));
    if (this.#triggerChanges.size >= CHANGES_MAX) this.#triggerChanges.clear();
    this.#triggerChanges.set(name, changes);
    return changes;
  }

  /**
   * Triggers that are in the program no more, as they were in the last one that had them; ids of none are left out. None
   * comes back with its id, so each is looked for once.
   */
  async lastOfTriggers(db: Queryable, projectId: string, ids: readonly string[]): Promise<Trigger[]> {
    const missing = ids.filter((id) => !this.#archived.has(id));
    if (missing.length > 0) {
      if (this.#archived.size > PARTS_MAX) this.#archived.clear();
      for (const trigger of await findLast(db, projectId, missing)) this.#archived.set(trigger.id, trigger);
    }
    return ids.flatMap((id) => this.#archived.get(id) ?? []);
  }
}

async function findLast(db: Queryable, projectId: string, ids: readonly string[]): Promise<Trigger[]> {
  const { rows } = await db.query({
    name: 'last-of-triggers',
    text: `select distinct on (t.value->>'id') t.value as trigger
        from programs p, jsonb_path_query(p.snapshot, '$.systems[*].triggers[*]') t (value)
        where p.project_id = $1 and t.value->>'id' = any($2::text[])
        order by t.value->>'id', p.version desc`,
    values: [projectId, ids],
  });
  return rows.map((row) => readTrigger(row.trigger as TriggerSnapshot));
}
