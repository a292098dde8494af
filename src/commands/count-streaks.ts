import { type Orm, transact } from '../db/orm.ts';
import { applyEconomyIn, currentEconomy } from './change-economy.ts';
import type { Author } from './next-program.ts';

/** Has the project count a daily streak of all metrics, where it counts none; true: it counted none. */
export async function countStreaks(orm: Orm, author: Author): Promise<boolean> {
  return transact(orm, async (em) => {
    const { economy } = await currentEconomy(em, author.projectId, true);
    if (economy.streak !== null) return false;
    await applyEconomyIn(em, author, { ...economy, streak: { frequency: 'daily', metrics: [] } });
    return true;
  });
}
