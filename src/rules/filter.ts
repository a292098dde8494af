import type { AttributeFilter, Attributes } from './types.ts';

/** The key of the first filter that does not hold, or undefined when all do. Exact, case-sensitive equality. */
export function firstMismatch(filters: readonly AttributeFilter[], attributes: Attributes): string | undefined {
  return filters.find((filter) => !Object.hasOwn(attributes, filter.key) || attributes[filter.key] !== filter.value)
    ?.key;
}
