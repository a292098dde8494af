import { completeAchievement } from './achievements/complete-achievement.ts';
import { getUserStreak } from './achievements/get-user-streak.ts';
import { listAchievements } from './achievements/list-achievements.ts';
import { listUserAchievements } from './achievements/list-user-achievements.ts';
import { adjustPoints } from './adjust-points.ts';
import * as achievements from './admin/achievements.ts';
import * as apiKeys from './admin/api-keys.ts';
import * as attributes from './admin/attributes.ts';
import * as audit from './admin/audit.ts';
import * as economy from './admin/economy.ts';
import * as levels from './admin/levels.ts';
import * as metrics from './admin/metrics.ts';
import * as pointsSystems from './admin/points-systems.ts';
import * as projects from './admin/projects.ts';
import * as triggers from './admin/triggers.ts';
import { createBoosts } from './boosts/create-boosts.ts';
import { deleteBoosts } from './boosts/delete-boosts.ts';
import { getBoost } from './boosts/get-boost.ts';
import { listBoosts } from './boosts/list-boosts.ts';
import { listUserBoosts } from './boosts/list-user-boosts.ts';
import { updateBoosts } from './boosts/update-boosts.ts';
import type { IntakeRoute, Route, StreamRoute } from './call.ts';
import { explainEvent } from './explain-event.ts';
import { getEvent } from './get-event.ts';
import { getLevelSummary } from './get-level-summary.ts';
import { getPointsSummary } from './get-points-summary.ts';
import { getPointsSystem } from './get-points-system.ts';
import { getUserBalanceAt } from './get-user-balance-at.ts';
import { getUserPoints } from './get-user-points.ts';
import { getUserPointsEventSummary } from './get-user-points-event-summary.ts';
import { cancelImport } from './imports/cancel-import.ts';
import { getImport } from './imports/get-import.ts';
import { importEvents } from './imports/import-events.ts';
import { listImportRows } from './imports/list-import-rows.ts';
import { listImports } from './imports/list-imports.ts';
import { retryImport } from './imports/retry-import.ts';
import { watchImport } from './imports/watch-import.ts';
import { listEvents } from './list-events.ts';
import { listLedgerEntries } from './list-ledger-entries.ts';
import { listLevelChanges } from './list-level-changes.ts';
import { listLevels } from './list-levels.ts';
import { listPointsSystems } from './list-points-systems.ts';
import { listUserPoints } from './list-user-points.ts';
import { sendEvent } from './send-event.ts';
import { sendEvents } from './send-events.ts';
import { spendPoints } from './spend-points.ts';
import { createUser } from './users/create-user.ts';
import { getUser } from './users/get-user.ts';
import { identifyUser } from './users/identify-user.ts';
import { listUsers } from './users/list-users.ts';
import { updateUser } from './users/update-user.ts';
import { watchUserPoints } from './watch-user-points.ts';
import * as webhookDeliveries from './webhooks/webhook-deliveries.ts';
import * as webhooks from './webhooks/webhooks.ts';

/** The routes of files that have those of one noun. */
const admin: readonly Route[] = [
  metrics,
  attributes,
  pointsSystems,
  triggers,
  levels,
  achievements,
  economy,
  projects,
  apiKeys,
  audit,
  webhooks,
  webhookDeliveries,
].flatMap((noun) => Object.values<Route>(noun));

/** Every RPC there is; each serves all transports. */
export const routes: readonly Route[] = [
  sendEvent,
  sendEvents,
  getEvent,
  explainEvent,
  listEvents,
  getImport,
  listImports,
  cancelImport,
  retryImport,
  listImportRows,
  getUserPoints,
  getLevelSummary,
  getPointsSummary,
  getUserBalanceAt,
  getUserPointsEventSummary,
  listLevelChanges,
  listUserPoints,
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
  createUser,
  identifyUser,
  updateUser,
  getUser,
  listUsers,
  completeAchievement,
  listAchievements,
  listUserAchievements,
  getUserStreak,
  ...admin,
];

/** Those that go on answering. */
export const streams: readonly StreamRoute[] = [watchUserPoints, watchImport];

/** Those that take messages until their caller ends them. */
export const intakes: readonly IntakeRoute[] = [importEvents];
