import { applicationKeys } from '../../commands/api-keys.ts';
import { AdminService, ApiKeyKind } from '../../gen/guerdon/v1/admin_service_pb.ts';
import { idOf, numberOf } from '../ids.ts';
import { type Answer, type Items, type RestCall, rpc } from '../route.ts';
import { createdAnswer, foundIds, issuesOf } from './bulk.ts';

export async function createApplicationKeys({ call, body }: RestCall<Items<{ userId: string }>>): Promise<Answer> {
  const { items, issues } = body;
  if (items.length === 0) return createdAnswer([], issues);
  const keys = items.map(({ value: { userId } }) => ({
    kind: ApiKeyKind.APPLICATION,
    name: 'application key',
    userId,
  }));
  const made = await rpc(call, AdminService.method.createApiKeys, { keys });
  const prefixes = made.created.map(({ apiKey }) => apiKey?.prefix ?? '');
  const stored = await applicationKeys(call.api.context.orm, call.projectId, { prefix: { $in: prefixes } });
  const created = made.created.flatMap(({ apiKey, key }) => {
    const record = stored.find(({ prefix }) => prefix === apiKey?.prefix);
    if (record === undefined) return [];
    return [{ id: idOf('application_key', record.id), userId: record.userId, key, prefix: record.prefix }];
  });
  return createdAnswer(created, [...issues, ...issuesOf(made.issues, items)]);
}

export async function deleteApplicationKeys({ call, query }: RestCall): Promise<Answer> {
  const asked = query as { ids?: string[] };
  const numbers = (asked.ids ?? []).flatMap((id) => numberOf('application_key', id) ?? []);
  const stored = await applicationKeys(call.api.context.orm, call.projectId, { id: { $in: numbers }, revokedAt: null });
  const find = (id: string) => stored.find((record) => record.id === numberOf('application_key', id));
  const { ids, issues } = foundIds(asked, find, 'Application API key');
  if (ids.length === 0) return { body: { deleted: [], issues } };
  const prefixes = ids.map((item) => item.found.prefix);
  const done = await rpc(call, AdminService.method.archiveApiKeys, { prefixes });
  const deleted = ids.filter((item) => done.archived.includes(item.found.prefix)).map(({ id }) => ({ id }));
  const items = ids.map((value, index) => ({ index, value }));
  return { body: { deleted, issues: [...issues, ...issuesOf(done.issues, items)] } };
}
