import type { AnnouncementKind } from '../db/entities/outbox.ts';
import type { Queryable } from '../db/pool.ts';

/** Whether a webhook that asked for these kinds wants to be told of this one. */
export function wants(kinds: readonly AnnouncementKind[], kind: AnnouncementKind): boolean {
  return kinds.length === 0 || kinds.includes(kind);
}

/** What the webhooks of projects want to be told of; nothing else is written down to be told. */
export class Announced {
  readonly #kinds: ReadonlyMap<string, readonly (readonly AnnouncementKind[])[]>;

  constructor(kinds: ReadonlyMap<string, readonly (readonly AnnouncementKind[])[]>) {
    this.#kinds = kinds;
  }

  has(projectId: string, kind: AnnouncementKind): boolean {
    return (this.#kinds.get(projectId) ?? []).some((kinds) => wants(kinds, kind));
  }
}

export async function findAnnounced(db: Queryable, projectIds: readonly string[]): Promise<Announced> {
  const { rows } = await db.query({
    name: 'find-announced',
    text: `select project_id, jsonb_agg(kinds) as kinds from webhooks
      where project_id = any($1::bigint[]) and archived_at is null group by 1`,
    values: [projectIds],
  });
  return new Announced(new Map(rows.map((row) => [row.project_id, row.kinds])));
}

/** The same as a condition in SQL, for a project's id and a kind. */
export function isAnnounced(projectId: string, kind: string): string {
  return `exists (select from webhooks w where w.project_id = ${projectId} and w.archived_at is null
    and (w.kinds = '[]' or jsonb_exists(w.kinds, ${kind})))`;
}
