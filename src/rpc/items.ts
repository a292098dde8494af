import type { MessageInitShape } from '@bufbuild/protobuf';
import { Issues, type Item, type ItemIssue } from '../commands/judge.ts';
import { type IssueSchema, Severity } from '../gen/guerdon/v1/types_pb.ts';
import type { Call } from './call.ts';

/** The items of the route's list that have the right form, and what is wrong with the others. */
export function takeItems<T>(call: Call, list: readonly T[]): { items: Item<T>[]; issues: Issues } {
  const issues = new Issues();
  for (const { index, field, description } of call.itemViolations) issues.error(index, field, description);
  const wrong = new Set(call.itemViolations.map(({ index }) => index));
  const items = list.map((value, index) => ({ index, value })).filter(({ index }) => !wrong.has(index));
  return { items, issues };
}

/** Issues of what stands in one field of the items, as issues of the items. */
export function inside(name: string, issues: readonly ItemIssue[]): ItemIssue[] {
  return issues.map((issue) => ({ ...issue, field: issue.field === '' ? '' : `${name}.${issue.field}` }));
}

/** In the order of the items. */
export function issueMessages(issues: readonly ItemIssue[]): MessageInitShape<typeof IssueSchema>[] {
  return [...issues]
    .sort((a, b) => a.index - b.index)
    .map(({ index, severity, field, message }) => ({
      index,
      severity: severity === 'error' ? Severity.ERROR : Severity.WARNING,
      field,
      message: field === '' ? message : `${field}: ${message}`,
    }));
}
