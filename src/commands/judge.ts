import type { ItemProblem } from '../program/boost.ts';

/** One item of a list that somebody sent, and its place there. */
export interface Item<T> {
  index: number;
  value: T;
}

/** What is wrong with an item, so that it was not taken, or only strange. */
export interface ItemIssue extends ItemProblem {
  index: number;
  severity: 'error' | 'warning';
}

/** Collects what is said of the items of one list. */
export class Issues {
  readonly all: ItemIssue[] = [];

  /** Notes what is wrong; true where there is anything, so that the item is not taken. */
  errors(index: number, problems: readonly ItemProblem[]): boolean {
    this.all.push(...problems.map((problem) => ({ index, severity: 'error' as const, ...problem })));
    return problems.length > 0;
  }

  error(index: number, field: string, message: string): void {
    this.errors(index, [{ field, message }]);
  }

  warnings(index: number, problems: readonly ItemProblem[]): void {
    this.all.push(...problems.map((problem) => ({ index, severity: 'warning' as const, ...problem })));
  }
}
