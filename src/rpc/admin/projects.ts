import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  archiveProjects as archive,
  createProjects as create,
  findProject,
  listProjects as list,
  type ProjectFields,
  updateProjects as update,
} from '../../commands/projects.ts';
import type { ProjectRecord } from '../../db/entities/project.ts';
import { GuerdonError } from '../../errors.ts';
import { AdminService, KeylessEvents, type ProjectInput } from '../../gen/guerdon/v1/admin_service_pb.ts';
import { authorOf, denied, itemRoute, route } from '../call.ts';
import { inside, issueMessages, takeItems } from '../items.ts';
import { type MaskField, maskedFields } from '../mask.ts';
import { ID_CURSOR, pageCursor, pageSize, pageToken } from '../page.ts';

const KEYLESS = { mark: KeylessEvents.MARK, warn: KeylessEvents.WARN, refuse: KeylessEvents.REFUSE } as const;
const KEYLESS_NAMES: Record<KeylessEvents, ProjectFields['keylessEvents']> = {
  [KeylessEvents.UNSPECIFIED]: 'mark',
  [KeylessEvents.MARK]: 'mark',
  [KeylessEvents.WARN]: 'warn',
  [KeylessEvents.REFUSE]: 'refuse',
};

const FIELDS: Readonly<Record<string, MaskField<ProjectInput, Partial<ProjectFields>>>> = {
  name: { isPresent: ({ name }) => name !== undefined, read: ({ name }) => ({ name: name ?? '' }) },
  time_zone: {
    isPresent: ({ timeZone }) => timeZone !== undefined,
    read: ({ timeZone }) => ({ timeZone: timeZone ?? 'UTC' }),
  },
  keyless_events: {
    isPresent: ({ keylessEvents }) => keylessEvents !== KeylessEvents.UNSPECIFIED,
    read: ({ keylessEvents }) => ({ keylessEvents: KEYLESS_NAMES[keylessEvents] ?? 'mark' }),
  },
};

export const createProjects = itemRoute(
  AdminService.method.createProjects,
  'owner',
  'projects',
  async (call, request) => {
    const { items, issues } = takeItems(call, request.projects);
    const drafts = items.map(({ index, value }) => {
      const { fields } = maskedFields<ProjectInput, ProjectFields>(FIELDS, value, undefined);
      return { index, value: { key: value.key, fields } };
    });
    const made = await create(call.api.context.orm, authorOf(call), drafts);
    return {
      created: made.created.map(({ project, adminKey }) => ({ project: projectMessage(project), adminKey })),
      issues: issueMessages([...issues.all, ...made.issues]),
    };
  },
);

export const updateProjects = itemRoute(
  AdminService.method.updateProjects,
  'owner',
  'updates',
  async (call, request) => {
    const { items, issues } = takeItems(call, request.updates);
    const patches = items.flatMap(({ index, value: { project, updateMask, restore } }) => {
      const input = project as ProjectInput;
      const { fields, problems } = maskedFields<ProjectInput, ProjectFields>(FIELDS, input, updateMask);
      return issues.errors(index, problems) ? [] : [{ index, value: { key: input.key, fields, restore } }];
    });
    const done = await update(call.api.context.orm, authorOf(call), patches);
    return {
      updated: done.updated.map(projectMessage),
      issues: issueMessages([...issues.all, ...inside('project', done.issues)]),
    };
  },
);

export const archiveProjects = itemRoute(
  AdminService.method.archiveProjects,
  'owner',
  'keys',
  async (call, request) => {
    const { items, issues } = takeItems(call, request.keys);
    const done = await archive(call.api.context.orm, authorOf(call), items);
    return { archived: done.archived, issues: issueMessages([...issues.all, ...done.issues]) };
  },
);

export const listProjects = route(AdminService.method.listProjects, 'owner', async (call, request) => {
  const { includeArchived: archived } = request;
  const name = `projects ${archived}`;
  const afterId = pageCursor(name, request.pageToken, ID_CURSOR) ?? '0';
  const size = pageSize(request.pageSize);
  const found = await list(call.api.context.orm, { afterId, archived, limit: size + 1 });
  const page = found.slice(0, size);
  return {
    projects: page.map(projectMessage),
    nextPageToken: found.length > size ? pageToken(name, page.at(-1)?.id ?? '') : '',
  };
});

export const getProject = route(AdminService.method.getProject, 'admin', async (call, { key }) => {
  const project = await findProject(call.api.context.orm, key === '' ? { id: call.projectId } : { key });
  if (project?.id !== call.projectId && call.caller.kind !== 'owner') throw denied('an owner key is needed');
  if (project === null) {
    throw new GuerdonError('NOT_FOUND', 'PROJECT_UNKNOWN', `key: no project ${JSON.stringify(key)}`);
  }
  return { project: projectMessage(project) };
});

function projectMessage(project: ProjectRecord) {
  const { key, name, timeZone, keylessEvents, programVersion, createdAt, archivedAt } = project;
  return {
    key,
    name,
    timeZone,
    keylessEvents: KEYLESS[keylessEvents as ProjectFields['keylessEvents']],
    programVersion: BigInt(programVersion),
    createdAt: timestampFromMs(createdAt.getTime()),
    ...(archivedAt != null && { archivedAt: timestampFromMs(archivedAt.getTime()) }),
  };
}
