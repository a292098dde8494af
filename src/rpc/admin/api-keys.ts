import { durationMs, timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { archiveKeys, createKeys, findKey, listKeys, updateKeys } from '../../commands/api-keys.ts';
import { findProject } from '../../commands/projects.ts';
import { rotateKeys } from '../../commands/rotate-keys.ts';
import type { ApiKeyRecord } from '../../db/entities/api-key.ts';
import { GuerdonError } from '../../errors.ts';
import { AdminService, ApiKeyKind } from '../../gen/guerdon/v1/admin_service_pb.ts';
import { authorOf, type Call, denied, itemRoute, route } from '../call.ts';
import { issueMessages, takeItems } from '../items.ts';
import { ID_CURSOR, pageCursor, pageSize, pageToken } from '../page.ts';

const KINDS = { owner: ApiKeyKind.OWNER, admin: ApiKeyKind.ADMIN, application: ApiKeyKind.APPLICATION } as const;
const KIND_NAMES: Record<ApiKeyKind, ApiKeyRecord['kind']> = {
  [ApiKeyKind.UNSPECIFIED]: 'application',
  [ApiKeyKind.OWNER]: 'owner',
  [ApiKeyKind.ADMIN]: 'admin',
  [ApiKeyKind.APPLICATION]: 'application',
};

export const createApiKeys = itemRoute(AdminService.method.createApiKeys, 'admin', 'keys', async (call, request) => {
  const projectId = await projectOf(call, request.projectKey);
  const { items, issues } = takeItems(call, request.keys);
  const drafts = items.map(({ index, value: { kind, name, userId, expiresAt, rateLimit } }) => ({
    index,
    value: {
      kind: KIND_NAMES[kind] ?? 'application',
      name,
      user: userId === '' ? null : userId,
      expiresAt: expiresAt && timestampMs(expiresAt),
      rate: rateLimit,
    },
  }));
  const made = await createKeys(call.api.context.orm, { ...authorOf(call), projectId }, drafts, {
    owner: isOwner(call),
  });
  return { created: made.created.map(createdMessage), issues: issueMessages([...issues.all, ...made.issues]) };
});

export const updateApiKeys = itemRoute(AdminService.method.updateApiKeys, 'admin', 'updates', async (call, request) => {
  const { items, issues } = takeItems(call, request.updates);
  const updates = items.map(({ index, value: { prefix, name, rateLimit, defaultRateLimit } }) => ({
    index,
    value: { prefix, name, rate: defaultRateLimit ? null : rateLimit },
  }));
  const done = await updateKeys(call.api.context.orm, authorOf(call), updates, { owner: isOwner(call) });
  return { updated: done.updated.map(keyMessage), issues: issueMessages([...issues.all, ...done.issues]) };
});

export const rotateApiKeys = itemRoute(
  AdminService.method.rotateApiKeys,
  'admin',
  'rotations',
  async (call, request) => {
    const { items, issues } = takeItems(call, request.rotations);
    const rotations = items.map(({ index, value: { prefix, overlap } }) => ({
      index,
      value: { prefix, overlap: overlap === undefined ? 0 : Math.ceil(durationMs(overlap)) },
    }));
    const done = await rotateKeys(call.api.context.orm, authorOf(call), rotations, {
      own: call.caller.prefix,
      owner: isOwner(call),
    });
    return { created: done.created.map(createdMessage), issues: issueMessages([...issues.all, ...done.issues]) };
  },
);

export const archiveApiKeys = itemRoute(
  AdminService.method.archiveApiKeys,
  'admin',
  'prefixes',
  async (call, request) => {
    const { items, issues } = takeItems(call, request.prefixes);
    const done = await archiveKeys(call.api.context.orm, authorOf(call), items, {
      own: call.caller.prefix,
      owner: isOwner(call),
    });
    return { archived: done.archived, issues: issueMessages([...issues.all, ...done.issues]) };
  },
);

export const listApiKeys = route(AdminService.method.listApiKeys, 'admin', async (call, request) => {
  const afterId = pageCursor('api keys', request.pageToken, ID_CURSOR) ?? '0';
  const size = pageSize(request.pageSize);
  const found = await listKeys(call.api.context.orm, call.projectId, { afterId, limit: size + 1 });
  const page = found.slice(0, size);
  return {
    apiKeys: page.map(keyMessage),
    nextPageToken: found.length > size ? pageToken('api keys', page.at(-1)?.id ?? '') : '',
  };
});

export const getApiKey = route(AdminService.method.getApiKey, 'admin', async (call, { prefix }) => {
  const record = await findKey(call.api.context.orm, call.projectId, prefix);
  if (record === null) throw new GuerdonError('NOT_FOUND', 'API_KEY_UNKNOWN', `prefix: no API key ${prefix}`);
  return { apiKey: keyMessage(record) };
});

function isOwner({ caller }: Call): boolean {
  return caller.kind === 'owner';
}

async function projectOf(call: Call, key: string): Promise<string> {
  if (key === '') return call.projectId;
  const project = await findProject(call.api.context.orm, { key });
  if (project?.id !== call.projectId && !isOwner(call)) throw denied('an owner key is needed for another project');
  if (project === null) {
    throw new GuerdonError('NOT_FOUND', 'PROJECT_UNKNOWN', `project_key: no project ${JSON.stringify(key)}`);
  }
  return project.id;
}

function createdMessage({ key, record }: { key: string; record: ApiKeyRecord }) {
  return { apiKey: keyMessage(record), key };
}

function keyMessage(record: ApiKeyRecord) {
  const { prefix, kind, name, userId, createdAt, revokedAt, lastUsedAt, expiresAt, replaces } = record;
  const { rateRequests: requests, rateSeconds: seconds } = record;
  return {
    prefix,
    kind: KINDS[kind],
    name,
    userId: userId ?? '',
    createdAt: timestampFromMs(createdAt.getTime()),
    ...(revokedAt != null && { archivedAt: timestampFromMs(revokedAt.getTime()) }),
    ...(lastUsedAt != null && { lastUsedAt: timestampFromMs(lastUsedAt.getTime()) }),
    ...(expiresAt != null && { expiresAt: timestampFromMs(expiresAt.getTime()) }),
    ...(requests != null && seconds != null && { rateLimit: { requests, seconds } }),
    replaces: replaces ?? '',
  };
}
