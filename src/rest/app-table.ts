import { completeAchievement, listAchievements, listUserAchievements } from './app/achievements.ts';
import { listGlobalBoosts, listUserBoosts } from './app/boosts.ts';
import {
  cancelImport,
  FILE_TYPES,
  getImport,
  importEvents,
  listImportRows,
  listImports,
  retryImport,
} from './app/imports.ts';
import { getLevelSummary, listLevels } from './app/levels.ts';
import { getMetricEventSummary, getUserMetric, listUserMetrics } from './app/metrics.ts';
import { getPointsEventSummary, getPointsSummary, getPointsSystem, getUserPoints } from './app/points.ts';
import { sendEvent } from './app/send-event.ts';
import { getUserStreak, listStreaks } from './app/streaks.ts';
import { createUser, getUser, identifyUser, updateUser } from './app/users.ts';
import type { RestRoute } from './route.ts';
import { type Params, rows } from './rows.ts';
import { boolean, date, integer, oneOf, string, text, uuid } from './schemas/parts.ts';

const summary: Params = {
  aggregation: { schema: oneOf('daily', 'weekly', 'monthly'), required: true },
  startDate: { schema: date, required: true },
  endDate: { schema: date, required: true },
};
const page: Params = {
  pageSize: { schema: { ...integer, minimum: 1, maximum: 500 } },
  pageToken: { schema: text(512) },
};
const finished: Params = { includeFinished: { schema: boolean } };
const { get, post, put, patch, act, later } = rows;

/** The application API. */
export const appRoutes: readonly RestRoute[] = [
  {
    ...post('/metrics/{key}/event', 'user', 'MetricsEventRequest', sendEvent, 'Applies an event.'),
    idempotent: true,
    success: { 201: 'EventResponse', 202: 'EventResponse' },
  },
  post('/users', 'admin', 'UpsertedUser', createUser, 'Makes a user known.', { 201: 'User' }),
  get('/users/{id}', 'user', getUser, 'One user.', 'User'),
  put('/users/{id}', 'user', 'UpdatedUser', identifyUser, 'Makes a user known, or changes what is given.', {
    200: 'User',
  }),
  patch('/users/{id}', 'user', 'UpdatedUser', updateUser, 'Changes what is given of a user.', { 200: 'User' }),
  later('GET', '/users/{id}/preferences', 'user', 'Preferences'),
  later('PATCH', '/users/{id}/preferences', 'user', 'Preferences'),
  get('/users/{id}/metrics', 'user', listUserMetrics, 'All metrics, with the totals of a user.', 'MetricResponses'),
  get('/users/{id}/metrics/{key}', 'user', getUserMetric, 'One metric, with the total of a user.', 'MetricResponse'),
  get(
    '/users/{id}/metrics/{key}/event-summary',
    'user',
    getMetricEventSummary,
    'A metric of a user by period.',
    'EventSummary',
    summary,
  ),
  get(
    '/users/{id}/achievements',
    'user',
    listUserAchievements,
    'Achievements of a user.',
    'UserAchievementsWithStats',
    {
      includeIncomplete: { schema: string },
    },
  ),
  get('/users/{id}/streak', 'user', getUserStreak, 'The streak of a user.', 'StreakResponse', {
    historyPeriods: { schema: { ...integer, minimum: 0, maximum: 100 } },
  }),
  get('/users/{id}/points/{key}', 'user', getUserPoints, 'Points of a user.', 'GetUserPointsResponse', {
    awards: { schema: { ...integer, minimum: 1, maximum: 100 } },
  }),
  get('/users/{id}/points/{key}/boosts', 'user', listUserBoosts, 'Boosts that apply to a user now.', 'PointsBoosts'),
  get(
    '/users/{id}/points/{key}/event-summary',
    'user',
    getPointsEventSummary,
    'Points of a user by period.',
    'EventSummary',
    summary,
  ),
  later('GET', '/users/{id}/leaderboards/{key}', 'user', 'Leaderboards'),
  later('GET', '/users/{id}/wrapped', 'user', 'The year in review'),
  get('/points/{key}', 'project', getPointsSystem, 'A points system with its active triggers.', 'PointsSystemResponse'),
  get(
    '/points/{key}/summary',
    'admin',
    getPointsSummary,
    'How many users have how many points.',
    'PointsSummaryResponse',
    {
      userAttributes: { schema: string },
    },
  ),
  get('/points/{key}/boosts', 'admin', listGlobalBoosts, 'Boosts that are not for one user.', 'PointsBoosts', finished),
  get('/points/{key}/levels', 'project', listLevels, 'Levels, the lowest first.', 'PointsLevels'),
  get(
    '/points/{key}/level-summary',
    'admin',
    getLevelSummary,
    'How many users are on each level.',
    'PointsLevelSummary',
  ),
  later('GET', '/leaderboards', 'project', 'Leaderboards'),
  later('GET', '/leaderboards/{key}', 'project', 'Leaderboards'),
  get('/achievements', 'project', listAchievements, 'Achievements that can be completed.', 'AchievementsWithStats'),
  post(
    '/achievements/{key}/complete',
    'user',
    'AchievementCompletionRequest',
    completeAchievement,
    'Completes an achievement for a user.',
    { 201: 'AchievementCompletionResponse', 202: 'AchievementCompletionResponse' },
  ),
  get('/streaks', 'admin', listStreaks, 'Streaks of users.', 'BulkStreakResponse', {
    userIds: { schema: { type: 'array', items: string, maxItems: 100 }, list: true },
  }),
  later('GET', '/streaks/rankings', 'admin', 'Rankings of streaks'),
  {
    method: 'POST',
    path: '/imports',
    id: 'importEvents',
    summary: 'Takes a file of events, gzipped or not, and answers once its rows are stored.',
    access: 'admin',
    query: {
      importId: { schema: uuid },
      name: { schema: text(255) },
      dryRun: { schema: boolean },
      format: { schema: oneOf('ndjson', 'csv') },
    },
    upload: FILE_TYPES,
    success: { 201: 'Import' },
    handle: importEvents,
  },
  get('/imports', 'admin', listImports, 'Imports, the last one first.', 'Imports', page),
  get('/imports/{id}', 'admin', getImport, 'One import and how far it is.', 'Import'),
  get('/imports/{id}/rows', 'admin', listImportRows, 'What became of each row.', 'ImportRows', {
    ...page,
    outcome: { schema: oneOf('pending', 'applied', 'duplicate', 'refused') },
  }),
  act('/imports/{id}/cancel', 'admin', cancelImport, 'Applies no more rows; what is applied stays.', 'Import'),
  act('/imports/{id}/retry', 'admin', retryImport, 'Makes an import of the refused rows.', 'Import'),
];
