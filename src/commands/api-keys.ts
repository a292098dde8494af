import { ApiKey, type ApiKeyRecord } from '../db/entities/api-key.ts';
import { type Orm, transact } from '../db/orm.ts';
import { newKey, readKey } from '../keys.ts';
import { fieldChanges } from '../program/diff.ts';
import { Issues, type Item, type ItemIssue } from './judge.ts';
import { type Author, audit, type Em, readProject } from './next-program.ts';

export interface KeyDraft {
  kind: ApiKeyRecord['kind'];
  name: string;
  /** The app's own id of the user of an application key; null: none. */
  user: string | null;
}

/** Makes a key of the author's project; gives it whole, for the only time: what is secret of it is stored nowhere. */
export async function mintKey(em: Em, author: Author, draft: KeyDraft): Promise<{ key: string; record: ApiKeyRecord }> {
  const key = newKey();
  return { key, record: await storeKey(em, author, key, draft) };
}

/** Stores a key that is known already. */
export async function storeKey(em: Em, author: Author, key: string, draft: KeyDraft): Promise<ApiKeyRecord> {
  const read = readKey(key);
  if (read === undefined) throw new Error('an API key has the form prefix.body');
  const project = await readProject(em, author.projectId);
  const { kind, name, user: userId } = draft;
  const record = em.create(ApiKey, { ...read, project, kind, name, userId, createdAt: new Date(author.now) });
  noteKey(em, author, 'create', read.prefix, {}, { kind, name });
  await em.flush();
  return record;
}

/** Whom an application key is for is not in the log: it is somebody's own id, and the log is for ever. */
function noteKey(
  em: Em,
  author: Author,
  action: 'create' | 'update' | 'archive',
  key: string,
  before: Record<string, string>,
  after: Record<string, string>,
): void {
  audit(em, author, { action, kind: 'api_key', key, fields: fieldChanges(before, after) }, null);
}

/** Makes what is right of the drafts; `owner`: the author may make owner keys. */
export async function createKeys(
  orm: Orm,
  author: Author,
  drafts: readonly Item<KeyDraft>[],
  { owner }: { owner: boolean },
): Promise<{ created: { key: string; record: ApiKeyRecord }[]; issues: ItemIssue[] }> {
  return transact(orm, async (em) => {
    const issues = new Issues();
    const created = [];
    for (const { index, value } of drafts) {
      const bound = value.kind === 'application';
      const problems = [
        ...(bound === (value.user !== null)
          ? []
          : [{ field: 'user_id', message: bound ? 'must name the user' : 'goes with an application key only' }]),
        ...(value.kind !== 'owner' || owner
          ? []
          : [{ field: 'kind', message: 'only an owner key can make owner keys' }]),
      ];
      if (!issues.errors(index, problems)) created.push(await mintKey(em, author, value));
    }
    return { created, issues: issues.all };
  });
}

/** Gives keys of the author's project other names; `owner`: also owner keys. */
export async function renameKeys(
  orm: Orm,
  author: Author,
  renames: readonly Item<{ prefix: string; name: string }>[],
  { owner }: { owner: boolean },
): Promise<{ updated: ApiKeyRecord[]; issues: ItemIssue[] }> {
  return transact(orm, async (em) => {
    const issues = new Issues();
    const updated: ApiKeyRecord[] = [];
    for (const { index, value } of renames) {
      const record = await em.findOne(ApiKey, { project: { id: author.projectId }, prefix: value.prefix });
      if (record === null || record.revokedAt !== null || (record.kind === 'owner' && !owner)) {
        issues.error(index, 'prefix', record === null ? UNKNOWN : record.revokedAt !== null ? ARCHIVED : OWNERS);
        continue;
      }
      noteKey(em, author, 'update', value.prefix, { name: record.name }, { name: value.name });
      record.name = value.name;
      updated.push(record);
    }
    await em.flush();
    return { updated, issues: issues.all };
  });
}

/** Archives keys of the author's project, but for the `own` one; `owner`: also owner keys. */
export async function archiveKeys(
  orm: Orm,
  author: Author,
  prefixes: readonly Item<string>[],
  { own, owner }: { own: string; owner: boolean },
): Promise<{ archived: string[]; issues: ItemIssue[] }> {
  return transact(orm, async (em) => {
    const issues = new Issues();
    const archived: string[] = [];
    for (const { index, value: prefix } of prefixes) {
      const record = await em.findOne(ApiKey, { project: { id: author.projectId }, prefix });
      if (record === null || prefix === own) {
        issues.error(index, '', record === null ? UNKNOWN : 'is the key of this call: use another one to archive it');
      } else if (record.kind === 'owner' && !owner) {
        issues.error(index, '', OWNERS);
      } else if (record.revokedAt !== null) {
        issues.warnings(index, [{ field: '', message: ARCHIVED }]);
      } else {
        record.revokedAt = new Date(author.now);
        noteKey(em, author, 'archive', prefix, { kind: record.kind, name: record.name }, {});
        archived.push(prefix);
      }
    }
    await em.flush();
    return { archived, issues: issues.all };
  });
}

const UNKNOWN = 'there is no API key with this prefix';
const ARCHIVED = 'the API key is archived';
const OWNERS = 'is an owner key: only an owner key can change or archive it';

/** Keys of a project in the order in which they were made, archived ones included. */
export async function listKeys(
  orm: Orm,
  projectId: string,
  { afterId, limit }: { afterId: string; limit: number },
): Promise<ApiKeyRecord[]> {
  const where = { project: { id: projectId }, id: { $gt: afterId } };
  return orm.em.fork().find(ApiKey, where, { orderBy: { id: 'asc' }, limit });
}

export async function findKey(orm: Orm, projectId: string, prefix: string): Promise<ApiKeyRecord | null> {
  return orm.em.fork().findOne(ApiKey, { project: { id: projectId }, prefix });
}

/** Application keys of a project, by id or by prefix. */
export async function applicationKeys(
  orm: Orm,
  projectId: string,
  which: { prefix: { $in: string[] } } | { id: { $in: string[] }; revokedAt: null },
): Promise<ApiKeyRecord[]> {
  return orm.em.fork().find(ApiKey, { project: { id: projectId }, kind: 'application', ...which });
}
