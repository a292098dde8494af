import { exportEconomy } from '../../commands/change-economy.ts';
import { GuerdonError } from '../../errors.ts';
import { AdminService, type AttributeInput, AttributeType } from '../../gen/guerdon/v1/admin_service_pb.ts';
import type { Economy } from '../../program/economy.ts';
import type { Edit } from '../../program/edit.ts';
import { itemRoute, route } from '../call.ts';
import { pageOf } from '../page.ts';
import { archival, change, creation, edited, field, type NounFields, type Place } from './edits.ts';

const FIELDS: NounFields<AttributeInput> = { name: field('name', ({ name }) => name, '') };

const placeOf = (type: AttributeType): Place => ({
  kind: type === AttributeType.USER ? 'user_attribute' : 'event_attribute',
  system: null,
});

export const createAttributes = itemRoute(
  AdminService.method.createAttributes,
  'admin',
  'attributes',
  async (call, request) => {
    const { done, issues, economy } = await edited(call, request.attributes, (input) =>
      creation(placeOf(input.type), FIELDS, input),
    );
    return { created: done.map((edit) => made(economy, edit)), issues };
  },
);

export const updateAttributes = itemRoute(
  AdminService.method.updateAttributes,
  'admin',
  'updates',
  async (call, request) => {
    const { done, issues, economy } = await edited(
      call,
      request.updates,
      ({ attribute, updateMask }) => {
        const input = attribute as AttributeInput;
        return change(placeOf(input.type), FIELDS, input, updateMask);
      },
      { within: 'attribute' },
    );
    return { updated: done.map((edit) => made(economy, edit)), issues };
  },
);

export const archiveAttributes = itemRoute(
  AdminService.method.archiveAttributes,
  'admin',
  'keys',
  async (call, request) => {
    const place = placeOf(request.type);
    const { done, issues } = await edited(call, request.keys, (key) => archival(place, key), request);
    return { archived: done.map(({ key }) => key), issues };
  },
);

export const listAttributes = route(AdminService.method.listAttributes, 'admin', async (call, request) => {
  const { economy } = await exportEconomy(call.api.context.orm, call.projectId);
  const cursor = ({ type, key }: { type: AttributeType; key: string }) => `${type}.${key}`;
  const { page, nextPageToken } = pageOf('attributes', request, attributesOf(economy), cursor, /^[12]\.[\w-]{1,64}$/);
  return { attributes: page, nextPageToken };
});

export const getAttribute = route(AdminService.method.getAttribute, 'admin', async (call, { type, key }) => {
  const { economy } = await exportEconomy(call.api.context.orm, call.projectId);
  return { attribute: find(economy, type, key) };
});

function attributesOf(economy: Economy) {
  return [
    ...economy.userAttributes.map((attribute) => ({ type: AttributeType.USER, ...attribute })),
    ...economy.eventAttributes.map((attribute) => ({ type: AttributeType.EVENT, ...attribute })),
  ];
}

function made(economy: Economy, { kind, key }: Edit) {
  return find(economy, kind === 'user_attribute' ? AttributeType.USER : AttributeType.EVENT, key);
}

function find(economy: Economy, type: AttributeType, key: string) {
  const found = attributesOf(economy).find((attribute) => attribute.type === type && attribute.key === key);
  if (found === undefined) {
    const whose = type === AttributeType.USER ? 'user' : 'event';
    throw new GuerdonError('NOT_FOUND', 'ATTRIBUTE_UNKNOWN', `key: no ${whose} attribute ${JSON.stringify(key)}`);
  }
  return found;
}
