import type { Queryable } from './pool.ts';

/** What a project has declared, and how it treats events without a key. */
export interface ProjectCatalog {
  id: string;
  key: string;
  keylessEvents: 'mark' | 'warn' | 'refuse';
  programVersion: number;
  metricIdByKey: ReadonlyMap<string, string>;
  /** Archived metrics included, for what is stored. */
  metricKeyById: ReadonlyMap<string, string>;
  userAttributes: ReadonlySet<string>;
  eventAttributes: ReadonlySet<string>;
  /** In the order in which they were made; without the archived ones, as `attributes`. */
  metrics: readonly DeclaredMetric[];
  attributes: readonly (Declared & { kind: 'user' | 'event' })[];
}

export interface Declared {
  id: string;
  key: string;
  name: string;
}

export interface DeclaredMetric extends Declared {
  unitType: 'number' | 'currency';
  units: string;
}

/** So long a change made by another process may go unseen here. */
const FRESH_MS = 1_000;

/** Catalogs of projects, read again when old. */
export class Catalog {
  readonly #db: Queryable;
  readonly #now: () => number;
  readonly #known = new Map<string, { readAt: number; catalog: Promise<ProjectCatalog> }>();

  constructor(db: Queryable, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  /** The catalog as it was at most a second ago. */
  get(projectId: string): Promise<ProjectCatalog> {
    const known = this.#known.get(projectId);
    if (known !== undefined && this.#now() - known.readAt < FRESH_MS) return known.catalog;
    return this.fresh(projectId);
  }

  /** The catalog as it is now: for looking again before something is called unknown. */
  fresh(projectId: string): Promise<ProjectCatalog> {
    const catalog = read(this.#db, projectId);
    this.#known.set(projectId, { readAt: this.#now(), catalog });
    catalog.catch(() => this.#known.delete(projectId));
    return catalog;
  }
}

async function read(db: Queryable, projectId: string): Promise<ProjectCatalog> {
  const { rows } = await db.query({
    name: 'catalog',
    text: `select p.id, p.key, p.keyless_events, p.program_version,
        (select coalesce(json_agg(json_build_object('id', m.id::text, 'key', m.key, 'name', m.name,
            'unitType', m.unit_type, 'units', m.units, 'live', m.archived_at is null) order by m.id), '[]') from metrics m where m.project_id = p.id)
          as metrics,
        (select coalesce(json_agg(json_build_object('id', a.id::text, 'kind', a.kind, 'key', a.key, 'name', a.name)
            order by a.id), '[]') from attributes a where a.project_id = p.id and a.archived_at is null)
          as attributes
      from projects p where p.id = $1`,
    values: [projectId],
  });
  const row = rows[0];
  if (row === undefined) throw new Error(`project ${projectId} is missing`);
  const all = row.metrics as (DeclaredMetric & { live: boolean })[];
  const metrics = all.filter(({ live }) => live);
  const attributes = row.attributes as ProjectCatalog['attributes'];
  const keysOf = (kind: string) => new Set(attributes.filter((item) => item.kind === kind).map(({ key }) => key));
  return {
    id: row.id,
    key: row.key,
    keylessEvents: row.keyless_events,
    programVersion: row.program_version,
    metricIdByKey: new Map(metrics.map(({ id, key }) => [key, id])),
    metricKeyById: new Map(all.map(({ id, key }) => [id, key])),
    userAttributes: keysOf('user'),
    eventAttributes: keysOf('event'),
    metrics,
    attributes,
  };
}
