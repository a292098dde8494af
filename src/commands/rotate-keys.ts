import { ApiKey, type ApiKeyRecord } from '../db/entities/api-key.ts';
import { type Orm, transact } from '../db/orm.ts';
import { ARCHIVED, mintKey, noteKey, OWNERS, terms, UNKNOWN } from './api-keys.ts';
import { Issues, type Item, type ItemIssue } from './judge.ts';
import type { Author, Em } from './next-program.ts';

export interface Rotation {
  prefix: string;
  /** So many milliseconds the key is taken beside its successor; 0: it is archived at once. */
  overlap: number;
}

/**
 * Makes successors of keys of the author's project; `owner`: also of owner keys. The `own` key of the call needs an overlap:
 * should the answer get lost, there is a way back.
 */
export async function rotateKeys(
  orm: Orm,
  author: Author,
  rotations: readonly Item<Rotation>[],
  { own, owner }: { own: string; owner: boolean },
): Promise<{ created: { key: string; record: ApiKeyRecord }[]; issues: ItemIssue[] }> {
  return transact(orm, async (em) => {
    const issues = new Issues();
    const created = [];
    for (const { index, value } of rotations) {
      const record = await lockKey(em, author.projectId, value.prefix);
      if (record === null) {
        issues.error(index, 'prefix', UNKNOWN);
        continue;
      }
      const successor = await em.findOne(ApiKey, { replaces: record.prefix });
      const problems = problemsOf(record, { author, successor, own: value.prefix === own, owner, ...value });
      if (!issues.errors(index, problems)) created.push(await replace(em, author, record, value.overlap));
    }
    return { created, issues: issues.all };
  });
}

/** The key, which nobody else can replace until the transaction ends. */
async function lockKey(em: Em, projectId: string, prefix: string): Promise<ApiKeyRecord | null> {
  await em.execute('select from api_keys where project_id = ? and prefix = ? for update', [projectId, prefix]);
  return em.findOne(ApiKey, { project: { id: projectId }, prefix }, { refresh: true });
}

function problemsOf(
  { kind, revokedAt, expiresAt }: ApiKeyRecord,
  asked: Rotation & { author: Author; successor: ApiKeyRecord | null; own: boolean; owner: boolean },
): { field: string; message: string }[] {
  if (kind === 'owner' && !asked.owner) return [{ field: 'prefix', message: OWNERS }];
  if (asked.successor !== null) {
    return [{ field: 'prefix', message: `was replaced by ${asked.successor.prefix}: rotate that one` }];
  }
  if (revokedAt != null) return [{ field: 'prefix', message: ARCHIVED }];
  if (expiresAt != null && expiresAt.getTime() <= asked.author.now) {
    return [{ field: 'prefix', message: 'the API key has expired' }];
  }
  if (asked.own && asked.overlap === 0) {
    return [{ field: 'overlap', message: 'must be more than 0 for the key of this call' }];
  }
  return [];
}

async function replace(em: Em, author: Author, record: ApiKeyRecord, overlap: number) {
  const { prefix, kind, name, userId, expiresAt, rateRequests, rateSeconds } = record;
  const rate =
    rateRequests == null || rateSeconds == null ? undefined : { requests: rateRequests, seconds: rateSeconds };
  const draft = { kind, name, user: userId ?? null, expiresAt: expiresAt?.getTime(), rate, replaces: prefix };
  const created = await mintKey(em, author, draft);
  if (overlap === 0) {
    record.revokedAt = new Date(author.now);
    noteKey(em, author, 'archive', prefix, { kind, name }, {});
  } else {
    const before = terms(record);
    record.expiresAt = new Date(Math.min(author.now + overlap, expiresAt?.getTime() ?? Number.POSITIVE_INFINITY));
    noteKey(em, author, 'update', prefix, before, terms(record));
  }
  await em.flush();
  return created;
}
