import type { AnnouncementKind } from '../../db/entities/outbox.ts';
import { Webhook, type WebhookRecord } from '../../db/entities/webhook.ts';
import { type Orm, transact } from '../../db/orm.ts';
import { instantText } from '../../db/pool.ts';
import type { ItemProblem } from '../../program/boost.ts';
import { fieldChanges } from '../../program/diff.ts';
import type { AllowPrivate } from '../../webhooks/address.ts';
import { EVENT_TYPES, kindOf } from '../../webhooks/kinds.ts';
import { newSecret } from '../../webhooks/signature.ts';
import { urlProblem } from '../../webhooks/target.ts';
import { Issues, type Item, type ItemIssue } from '../judge.ts';
import { type Author, audit, type Em, lockProject } from '../next-program.ts';

/** At most so many of a project that are not archived: each event is written down for each of them. */
const WEBHOOKS_MAX = 100;

/** Seconds, as the contract has it. */
export const POINTS_INTERVAL = 900;

/** What can be set of a webhook. */
export interface WebhookFields {
  name: string;
  url: string;
  /** Names of the contract; none: all. */
  eventTypes: readonly string[];
  pointsInterval: number;
}

export interface WebhookDraft extends WebhookFields {
  /** A UUID of the sender's own making. */
  id: string | null;
}

/** Makes what is right of the drafts; gives each with its secret, for the only time. */
export async function createWebhooks(
  orm: Orm,
  author: Author,
  drafts: readonly Item<WebhookDraft>[],
  allow: AllowPrivate,
): Promise<{ created: WebhookRecord[]; issues: ItemIssue[] }> {
  return transact(orm, async (em) => {
    const project = await lockProject(em, author.projectId);
    const issues = new Issues();
    const created: WebhookRecord[] = [];
    const ids = drafts.flatMap(({ value }) => value.id ?? []);
    const taken = new Set((await em.find(Webhook, { id: { $in: ids } })).map(({ id }) => id));
    let room = WEBHOOKS_MAX - (await em.count(Webhook, { project, archivedAt: null }));
    for (const { index, value: draft } of drafts) {
      const problems = problemsOf(draft, allow);
      if (draft.id !== null && taken.has(draft.id)) {
        problems.push({ field: 'id', message: 'is taken: this webhook was made before, or needs another id' });
      }
      if (room === 0)
        problems.push({ field: '', message: `the project has ${WEBHOOKS_MAX} webhooks: archive some first` });
      if (issues.errors(index, problems)) continue;
      room -= 1;
      const at = new Date(author.now);
      const id = draft.id ?? author.uuid();
      taken.add(id);
      const secret = newSecret();
      const times = { createdAt: at, updatedAt: at };
      const record = em.create(Webhook, { id, project, ...columns(draft), status: 'active', secret, ...times });
      audit(em, author, { action: 'create', kind: 'webhook', key: id, fields: changes(null, record) }, null);
      created.push(record);
    }
    await em.flush();
    return { created, issues: issues.all };
  });
}

export interface WebhookPatch {
  id: string;
  fields: Partial<WebhookFields>;
}

/** Changes what is right of the patches. */
export async function updateWebhooks(
  orm: Orm,
  author: Author,
  patches: readonly Item<WebhookPatch>[],
  allow: AllowPrivate,
): Promise<{ updated: WebhookRecord[]; issues: ItemIssue[] }> {
  return transact(orm, async (em) => {
    const issues = new Issues();
    const updated: WebhookRecord[] = [];
    for (const { index, value: patch } of patches) {
      const record = await lockWebhook(em, author.projectId, patch.id);
      if (record === null || record.archivedAt != null) {
        issues.error(index, 'id', record === null ? UNKNOWN : ARCHIVED);
        continue;
      }
      const fields = { ...fieldsOf(record), ...patch.fields };
      if (issues.errors(index, problemsOf(fields, allow))) continue;
      const before = { ...record };
      Object.assign(record, columns(fields), { updatedAt: new Date(author.now) });
      const changed = changes(before, record);
      if (changed.length > 0)
        audit(em, author, { action: 'update', kind: 'webhook', key: record.id, fields: changed }, null);
      if (before.pointsInterval !== record.pointsInterval) await endHolds(em, author, record.id);
      updated.push(record);
      // One list may name a webhook twice.
      await em.flush();
    }
    return { updated, issues: issues.all };
  });
}

/** What was held for the interval before is told first, so that nothing overtakes it. */
async function endHolds(em: Em, author: Author, id: string): Promise<void> {
  await em.execute('update webhook_holds set until = ?::timestamptz where webhook_id = ? and event_id is not null', [
    instantText(author.now),
    id,
  ]);
}

/** Archives webhooks; what they were yet to be told is removed by and by. */
export async function archiveWebhooks(
  orm: Orm,
  author: Author,
  ids: readonly Item<string>[],
): Promise<{ archived: string[]; issues: ItemIssue[] }> {
  return transact(orm, async (em) => {
    const issues = new Issues();
    const archived: string[] = [];
    for (const { index, value: id } of ids) {
      const record = await lockWebhook(em, author.projectId, id);
      if (record === null) {
        issues.error(index, '', UNKNOWN);
      } else if (record.archivedAt != null) {
        issues.warnings(index, [{ field: '', message: ARCHIVED }]);
      } else {
        record.archivedAt = new Date(author.now);
        audit(em, author, { action: 'archive', kind: 'webhook', key: id, fields: changes(record, null) }, null);
        archived.push(id);
        await em.flush();
      }
    }
    return { archived, issues: issues.all };
  });
}

const UNKNOWN = 'there is no webhook with this id';
const ARCHIVED = 'the webhook is archived';

/** A webhook of the project, which nobody else changes until the transaction ends. */
export async function lockWebhook(em: Em, projectId: string, id: string): Promise<WebhookRecord | null> {
  await em.execute('select from webhooks where id = ? and project_id = ? for no key update', [id, projectId]);
  return em.findOne(Webhook, { id, project: { id: projectId } }, { refresh: true });
}

/** Webhooks of a project in the order of their ids. */
export async function listWebhooks(
  orm: Orm,
  projectId: string,
  { archived, afterId, limit }: { archived: boolean; afterId: string; limit: number },
): Promise<WebhookRecord[]> {
  const where = { project: { id: projectId }, id: { $gt: afterId }, ...(!archived && { archivedAt: null }) };
  return orm.em.fork().find(Webhook, where, { orderBy: { id: 'asc' }, limit });
}

export async function findWebhook(orm: Orm, projectId: string, id: string): Promise<WebhookRecord | null> {
  return orm.em.fork().findOne(Webhook, { project: { id: projectId }, id });
}

function problemsOf({ name, url, eventTypes }: WebhookFields, allow: AllowPrivate): ItemProblem[] {
  const wrong = url === '' ? 'must be given' : urlProblem(url, allow);
  const known = Object.values(EVENT_TYPES).join(', ');
  const unknown = eventTypes.filter((type) => kindOf(type) === undefined);
  return [
    ...(name === '' ? [{ field: 'name', message: 'must be given' }] : []),
    ...(wrong === undefined ? [] : [{ field: 'url', message: wrong }]),
    ...unknown.map((type) => ({
      field: 'event_types',
      message: `there is no ${JSON.stringify(type)}; known are ${known}`,
    })),
  ];
}

function columns({ name, url, eventTypes, pointsInterval }: WebhookFields) {
  return { name, url, kinds: eventTypes.map((type) => kindOf(type) as AnnouncementKind), pointsInterval };
}

function fieldsOf({ name, url, kinds, pointsInterval }: WebhookRecord): WebhookFields {
  return { name, url, eventTypes: kinds.map((kind) => EVENT_TYPES[kind]), pointsInterval };
}

type Changing = Pick<WebhookRecord, 'name' | 'url' | 'kinds' | 'pointsInterval'>;

/** For the audit log: all but secrets. */
function changes(before: Changing | null, after: Changing | null) {
  const shown = (record: Changing | null) =>
    record === null
      ? {}
      : {
          name: record.name,
          url: record.url,
          event_types: record.kinds.map((kind) => EVENT_TYPES[kind]).join(', '),
          points_changed_interval: String(record.pointsInterval),
        };
  return fieldChanges(shown(before), shown(after));
}
