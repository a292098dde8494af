import { type Orm, transact } from '../db/orm.ts';
import { diff } from '../program/diff.ts';
import type { Economy } from '../program/economy.ts';
import { type Edit, edit, editAll } from '../program/edit.ts';
import { applyEconomyIn, currentEconomy } from './change-economy.ts';
import { Issues, type Item, type ItemIssue } from './judge.ts';
import type { Author } from './next-program.ts';
import { strandedBy } from './stranded.ts';

export interface Edited {
  /** The edits that were made, in their order. */
  done: Item<Edit>[];
  issues: ItemIssue[];
  /** As it is now. */
  economy: Economy;
}

/**
 * Makes what is right of the edits, one after the other, as one new program; the issues tell of the rest. What users
 * have points, totals or values of is archived only with `allowStranding`.
 */
export async function editEconomy(
  orm: Orm,
  author: Author,
  edits: readonly Item<Edit>[],
  { allowStranding = false } = {},
): Promise<Edited> {
  return transact(orm, async (em) => {
    const issues = new Issues();
    const done: Item<Edit>[] = [];
    let { economy } = await currentEconomy(em, author.projectId, true);
    const changes = edits.map(({ value }) => value);
    const whole = changes.some(({ action }) => action === 'archive') ? undefined : editAll(economy, changes);
    if (whole !== undefined) {
      await applyEconomyIn(em, author, whole);
      return { done: [...edits], issues: [], economy: whole };
    }
    for (const item of edits) {
      const next = edit(economy, item.value);
      if (next.economy === undefined) {
        issues.errors(item.index, next.problems);
        continue;
      }
      const stranded = allowStranding ? [] : await strandedBy(em, author.projectId, diff(economy, next.economy));
      if (stranded.length > 0) {
        const lost = stranded.map(({ what }) => what).join(', ');
        issues.error(item.index, '', `${lost}: allow_stranding archives it all the same`);
        continue;
      }
      economy = next.economy;
      done.push(item);
    }
    await applyEconomyIn(em, author, economy, { allowStranding: true });
    return { done, issues: issues.all, economy };
  });
}
