import { adjustPoints } from './adjust-points.ts';
import { createBoosts } from './boosts/create-boosts.ts';
import { deleteBoosts } from './boosts/delete-boosts.ts';
import { getBoost } from './boosts/get-boost.ts';
import { listBoosts } from './boosts/list-boosts.ts';
import { listUserBoosts } from './boosts/list-user-boosts.ts';
import { updateBoosts } from './boosts/update-boosts.ts';
import type { Route } from './call.ts';
import { getEvent } from './get-event.ts';
import { getPointsSystem } from './get-points-system.ts';
import { getUserPoints } from './get-user-points.ts';
import { listEvents } from './list-events.ts';
import { listLedgerEntries } from './list-ledger-entries.ts';
import { listLevels } from './list-levels.ts';
import { listPointsSystems } from './list-points-systems.ts';
import { sendEvent } from './send-event.ts';
import { sendEvents } from './send-events.ts';
import { spendPoints } from './spend-points.ts';

/** Every RPC there is; each serves all transports. */
export const routes: readonly Route[] = [
  sendEvent,
  sendEvents,
  getEvent,
  listEvents,
  getUserPoints,
  adjustPoints,
  spendPoints,
  listLedgerEntries,
  getPointsSystem,
  listPointsSystems,
  listLevels,
  createBoosts,
  listBoosts,
  getBoost,
  updateBoosts,
  deleteBoosts,
  listUserBoosts,
];
