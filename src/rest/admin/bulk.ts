import { isUuid } from '../../contract-ids.ts';
import { invalid } from '../../errors.ts';
import { type Issue, Severity } from '../../gen/guerdon/v1/types_pb.ts';
import { contractName, contractText } from '../names.ts';
import type { AdminIssue, Answer, Items } from '../route.ts';

const IDS_MAX = 100;
const LIMIT_DEFAULT = 10;

/** 201 if anything was made. */
export function createdAnswer(created: readonly unknown[], issues: readonly AdminIssue[]): Answer {
  return { status: created.length > 0 ? 201 : 200, body: { created, issues: inOrder(issues) } };
}

export function updatedAnswer(updated: readonly unknown[], issues: readonly AdminIssue[]): Answer {
  return { body: { updated, issues: inOrder(issues) } };
}

function inOrder(issues: readonly AdminIssue[]): AdminIssue[] {
  return [...issues].sort((a, b) => (a.index ?? 0) - (b.index ?? 0));
}

/** What the core says of the items that it was given, as issues of those of the request. */
export function issuesOf(
  found: readonly Issue[],
  items: readonly { index: number; value: unknown }[],
  within = '',
): AdminIssue[] {
  return found.map(({ index, severity, message, field }) => {
    const item = items[index];
    const id = (item?.value as { id?: string } | undefined)?.id;
    const own = field.startsWith(`${within}.`) ? field.slice(within.length + 1) : field;
    const text = field !== '' && message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message;
    return {
      severity: severity === Severity.WARNING ? 'warning' : 'error',
      message: own === '' ? contractText(text) : `${contractName(own)} ${contractText(text)}`,
      ...(item !== undefined && { index: item.index }),
      ...(id !== undefined && { id }),
    };
  });
}

/** Splits items into those that something is found for, and issues for the others. */
export function found<T extends { id: string }, F>(
  { items, issues }: Items<T>,
  find: (id: string) => F | undefined,
  what: string,
): { index: number; value: T; found: F }[] {
  return items.flatMap(({ index, value }) => {
    const it = find(value.id.toLowerCase());
    if (it === undefined) issues.push({ severity: 'error', message: `${what} not found by ID`, index, id: value.id });
    return it === undefined ? [] : [{ index, value, found: it }];
  });
}

/** Things to delete by the ids of a query: those that are found, and issues for the others. */
export function foundIds<F>(
  query: { ids?: readonly string[] },
  find: (id: string) => F | undefined,
  what: string,
): { ids: { id: string; found: F }[]; issues: AdminIssue[] } {
  const ids = idsIn(query, IDS_MAX);
  const issues: AdminIssue[] = [];
  const hits = ids.flatMap((id) => {
    const it = isUuid(id) ? find(id.toLowerCase()) : undefined;
    if (it !== undefined) return [{ id, found: it }];
    issues.push({ severity: 'error', message: isUuid(id) ? `${what} not found by ID` : 'id must be a valid UUID', id });
    return [];
  });
  return { ids: hits, issues };
}

/** The ids of a query, each once. */
export function idsIn({ ids = [] }: { ids?: readonly string[] }, max: number): string[] {
  const distinct = [...new Set(ids.filter((id) => id !== ''))];
  if (distinct.length === 0 || distinct.length > max) {
    throw invalid([{ field: 'ids', description: `must be 1 to ${max} ids` }]);
  }
  return distinct;
}

/** What was archived by key, by id again. */
export function deletedAnswer(
  ids: readonly { id: string; found: { key: string } }[],
  archived: readonly string[],
  issues: readonly AdminIssue[],
): Answer {
  const gone = new Set(archived);
  return { body: { deleted: ids.filter(({ found }) => gone.has(found.key)).map(({ id }) => ({ id })), issues } };
}

/** A page of a list that is in memory. */
export function pageOf<T>(list: readonly T[], query: { limit?: number; skip?: number }): T[] {
  const { limit = LIMIT_DEFAULT, skip = 0 } = query;
  return list.slice(skip, skip + limit);
}
