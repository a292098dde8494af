import type { ProjectCatalog } from '../../db/catalog.ts';
import type { AttributeFilter } from '../../rules/types.ts';
import { idOf, numberOf } from '../ids.ts';

/** A filter as the admin API has it. */
export interface FilterShape {
  attributeId: string;
  attributeValue: string;
}

type Kind = 'user' | 'event';

/** Filters by the ids of their attributes; those by archived attributes, which nothing matches any more, have none. */
export function filterShapes(
  attributes: ProjectCatalog['attributes'],
  kind: Kind,
  filters: readonly AttributeFilter[],
): FilterShape[] {
  return filters.flatMap(({ key, value }) => {
    const attribute = attributes.find((item) => item.kind === kind && item.key === key);
    return attribute === undefined ? [] : [{ attributeId: idOf('attribute', attribute.id), attributeValue: value }];
  });
}

/** Filters by the keys of their attributes; `unknown`: ids of no attribute of this kind. */
export function filtersOf(
  attributes: ProjectCatalog['attributes'],
  kind: Kind,
  filters: readonly FilterShape[],
): { filters: AttributeFilter[]; unknown: string[] } {
  const unknown: string[] = [];
  const found = filters.flatMap(({ attributeId, attributeValue }) => {
    const number = numberOf('attribute', attributeId);
    const attribute = attributes.find((item) => item.kind === kind && item.id === number);
    if (attribute === undefined) unknown.push(attributeId);
    return attribute === undefined ? [] : [{ key: attribute.key, value: attributeValue }];
  });
  return { filters: found, unknown };
}
