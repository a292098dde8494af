import type { Queryable } from '../db/pool.ts';
import type { Attributes, Instant, ZonePeriod } from '../rules/types.ts';

/** A known user, as people see one. */
export interface KnownUser {
  /** Internal. */
  id: string;
  externalId: string;
  name: string | null;
  email: string | null;
  zones: readonly ZonePeriod[];
  attributes: Attributes;
  /** Null: none. */
  deviceTokens: readonly string[] | null;
  createdAt: Instant;
  updatedAt: Instant;
}

const COLUMNS = 'id, external_id, name, email, zones, attributes, device_tokens, created_at, updated_at';

/** Undefined: the project knows no such user. */
export async function findUser(db: Queryable, projectId: string, externalId: string): Promise<KnownUser | undefined> {
  const { rows } = await db.query({
    name: 'find-user',
    text: `select ${COLUMNS} from users where project_id = $1 and external_id = $2 and created_at is not null`,
    values: [projectId, externalId],
  });
  return rows.map(readUser)[0];
}

/** A user by the internal id. */
export async function userById(db: Queryable, id: string): Promise<KnownUser | undefined> {
  const { rows } = await db.query({
    name: 'user-by-id',
    text: `select ${COLUMNS} from users where id = $1 and created_at is not null`,
    values: [id],
  });
  return rows.map(readUser)[0];
}

/** Known users of a project with larger internal ids than `afterId`, in the order of those. */
export async function usersOf(
  db: Queryable,
  projectId: string,
  { afterId, limit }: { afterId: string; limit: number },
): Promise<KnownUser[]> {
  const { rows } = await db.query({
    name: 'users-of',
    text: `select ${COLUMNS} from users
      where project_id = $1 and id > $2 and created_at is not null order by id limit $3`,
    values: [projectId, afterId, limit],
  });
  return rows.map(readUser);
}

interface UserRecord {
  id: string;
  external_id: string;
  name: string | null;
  email: string | null;
  zones: ZonePeriod[];
  attributes: Attributes;
  device_tokens: string[] | null;
  created_at: Date;
  updated_at: Date;
}

function readUser({
  external_id: externalId,
  device_tokens: deviceTokens,
  created_at: createdAt,
  updated_at: updatedAt,
  ...row
}: UserRecord): KnownUser {
  return { ...row, externalId, deviceTokens, createdAt: createdAt.getTime(), updatedAt: updatedAt.getTime() };
}
