import type { Declared } from '../../db/catalog.ts';
import { GuerdonError } from '../../errors.ts';
import { AdminService, AttributeType } from '../../gen/guerdon/v1/admin_service_pb.ts';
import type { Call } from '../../rpc/call.ts';
import { idOf } from '../ids.ts';
import { type Answer, type Items, type RestCall, rpc } from '../route.ts';
import { createdAnswer, found, foundIds, issuesOf, pageOf, updatedAnswer } from './bulk.ts';

interface NewAttribute {
  name: string;
  key: string;
  type: 'user' | 'event';
}
interface ChangedAttribute {
  id: string;
  name?: string;
}
type Attribute = Declared & { kind: 'user' | 'event' };

const TYPES = { user: AttributeType.USER, event: AttributeType.EVENT } as const;

export async function listAttributes({ call, query }: RestCall): Promise<Answer> {
  return { body: pageOf(await attributesOf(call), query).map(attributeShape) };
}

export async function getAttribute({ call, path }: RestCall): Promise<Answer> {
  const attribute = (await attributesOf(call)).find(byId(path.id as string));
  if (attribute === undefined) throw new GuerdonError('NOT_FOUND', 'ATTRIBUTE_UNKNOWN', 'Attribute not found by ID');
  return { body: attributeShape(attribute) };
}

export async function createAttributes({ call, body }: RestCall<Items<NewAttribute>>): Promise<Answer> {
  const { items, issues } = body;
  if (items.length === 0) return createdAnswer([], issues);
  const attributes = items.map(({ value: { key, name, type } }) => ({ key, name, type: TYPES[type] }));
  const made = await rpc(call, AdminService.method.createAttributes, { attributes });
  const created = pick(await attributesOf(call), made.created);
  return createdAnswer(created.map(attributeShape), [...issues, ...issuesOf(made.issues, items)]);
}

export async function updateAttributes({ call, body }: RestCall<Items<ChangedAttribute>>): Promise<Answer> {
  const attributes = await attributesOf(call);
  const items = found(body, (id) => attributes.find(byId(id)), 'Attribute');
  if (items.length === 0) return updatedAnswer([], body.issues);
  const updates = items.map(({ value: { name }, found: { key, kind } }) => ({
    attribute: { key, type: TYPES[kind], ...(name !== undefined && { name }) },
  }));
  const done = await rpc(call, AdminService.method.updateAttributes, { updates });
  const updated = pick(await attributesOf(call), done.updated);
  return updatedAnswer(updated.map(attributeShape), [...body.issues, ...issuesOf(done.issues, items, 'attribute')]);
}

export async function deleteAttributes({ call, query }: RestCall): Promise<Answer> {
  const attributes = await attributesOf(call);
  const { ids, issues } = foundIds(query, (id) => attributes.find(byId(id)), 'Attribute');
  const deleted: { id: string }[] = [];
  for (const kind of ['user', 'event'] as const) {
    const own = ids.filter((item) => item.found.kind === kind);
    if (own.length === 0) continue;
    const keys = own.map((item) => item.found.key);
    const asked = { type: TYPES[kind], keys, allowStranding: true };
    const done = await rpc(call, AdminService.method.archiveAttributes, asked);
    issues.push(
      ...issuesOf(
        done.issues,
        own.map((value, index) => ({ index, value })),
      ),
    );
    deleted.push(...own.filter((item) => done.archived.includes(item.found.key)).map(({ id }) => ({ id })));
  }
  return { body: { deleted, issues } };
}

/** In the order in which they were made. */
async function attributesOf(call: Call): Promise<readonly Attribute[]> {
  return (await call.api.context.catalog.fresh(call.projectId)).attributes;
}

const byId = (id: string) => (attribute: Attribute) => idOf('attribute', attribute.id) === id.toLowerCase();

function pick(all: readonly Attribute[], wanted: readonly { type: AttributeType; key: string }[]): Attribute[] {
  return wanted.flatMap(({ type, key }) => all.find((item) => TYPES[item.kind] === type && item.key === key) ?? []);
}

function attributeShape({ id, key, name, kind }: Attribute) {
  return { id: idOf('attribute', id), name, key, type: kind };
}
