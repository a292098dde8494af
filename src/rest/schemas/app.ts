import {
  boolean,
  date,
  instant,
  integer,
  key,
  list,
  map,
  number,
  object,
  oneOf,
  orNull,
  ref,
  type Schema,
  string,
  text,
} from './parts.ts';

const userFields = {
  email: text(320),
  name: text(255),
  tz: orNull(text(64)),
  deviceTokens: orNull({ ...list(text(1024, 1)), maxItems: 100 }),
  subscribeToEmails: boolean,
  attributes: { ...map(text(255)), maxProperties: 50 },
};

const pointsBase = {
  id: string,
  key: string,
  name: string,
  description: orNull(string),
  badgeUrl: orNull(string),
  maxPoints: orNull(integer),
};

const attributePair = object({ key: string, value: string });

const streakBase = {
  length: integer,
  frequency: oneOf('daily', 'weekly', 'monthly'),
  started: orNull(date),
  periodStart: orNull(date),
  periodEnd: orNull(date),
  expires: orNull(date),
};

const achievement = {
  id: string,
  name: string,
  trigger: oneOf('metric', 'streak', 'api', 'achievement'),
  description: orNull(string),
  badgeUrl: orNull(string),
  userAttributes: list(attributePair),
};
const achievementMore = {
  key: string,
  streakLength: integer,
  achievementIds: list(string),
  metricId: string,
  metricValue: number,
  metricName: string,
  eventAttributes: list(attributePair),
};
const pointsMap = map(ref('MetricEventPointsResponse'));

/** What the application API takes and gives. */
export const appSchemas: Readonly<Record<string, Schema>> = {
  ErrorBody: object({ error: string }),
  UpdatedUser: object({}, userFields),
  UpsertedUser: object({ id: text(255, 1) }, userFields),
  User: object(
    {
      id: string,
      email: orNull(string),
      name: orNull(string),
      tz: orNull(string),
      subscribeToEmails: boolean,
      attributes: map(string),
      control: boolean,
      created: instant,
      updated: instant,
    },
    { deviceTokens: orNull(list(string)) },
  ),
  MetricsEventRequest: object(
    { user: ref('UpsertedUser'), value: number },
    { attributes: { ...map(text(255)), maxProperties: 50 } },
  ),
  EventResponse: object(
    {
      eventId: string,
      metricId: string,
      total: number,
      achievements: list(ref('UserAchievementResponse')),
      currentStreak: ref('MetricEventStreakResponse'),
      points: pointsMap,
      leaderboards: map({ type: 'object' }),
    },
    { idempotencyKey: string, idempotentReplayed: boolean },
  ),
  MetricEventPointsResponse: object(
    { ...pointsBase, total: integer, added: integer, awards: list(ref('PointsAward')) },
    { level: orNull(ref('PointsLevel')) },
  ),
  GetUserPointsResponse: object({
    ...pointsBase,
    total: integer,
    level: orNull(ref('PointsLevel')),
    awards: list(ref('PointsAward')),
  }),
  PointsAward: object({
    id: string,
    awarded: integer,
    date: instant,
    total: integer,
    trigger: ref('PointsTrigger'),
    boosts: list(ref('PointsBoost')),
  }),
  PointsTrigger: object(
    {
      id: string,
      type: oneOf('metric', 'achievement', 'streak', 'time', 'user_creation'),
      points: integer,
      status: oneOf('active', 'inactive', 'archived'),
      userAttributes: list(attributePair),
      created: instant,
      updated: instant,
    },
    {
      metricId: string,
      metricName: string,
      metricThreshold: number,
      achievementId: string,
      achievementName: string,
      streakLengthThreshold: integer,
      timeUnit: oneOf('hour', 'day'),
      timeInterval: integer,
      eventAttributes: list(attributePair),
    },
  ),
  PointsBoost: object({
    id: string,
    name: string,
    status: oneOf('active', 'scheduled', 'finished'),
    start: date,
    end: orNull(date),
    multiplier: number,
    rounding: oneOf('down', 'up', 'nearest'),
  }),
  PointsBoosts: list(ref('PointsBoost')),
  PointsLevel: object({
    id: string,
    key: string,
    name: string,
    description: string,
    badgeUrl: orNull(string),
    points: integer,
  }),
  PointsLevels: list(ref('PointsLevel')),
  PointsLevelSummary: list(object({ level: ref('PointsLevel'), users: integer })),
  PointsSystemResponse: object({
    id: string,
    name: string,
    description: orNull(string),
    badgeUrl: orNull(string),
    maxPoints: orNull(integer),
    triggers: list(ref('PointsTrigger')),
  }),
  PointsSummaryResponse: {
    ...list(object({ from: integer, to: integer, users: integer })),
    minItems: 11,
    maxItems: 11,
  },
  EventSummary: list(object({ date, total: number, change: number })),
  MetricResponse: object({
    id: string,
    key,
    name: string,
    status: oneOf('active', 'archived'),
    current: number,
    achievements: list(ref('UserAchievementResponse')),
  }),
  MetricResponses: list(ref('MetricResponse')),
  MetricEventStreakResponse: object({ ...streakBase, extended: boolean }),
  StreakResponse: object({
    ...streakBase,
    streakHistory: list(object({ periodStart: date, periodEnd: date, length: integer })),
  }),
  BulkStreakResponse: list(object({ userId: string, streakLength: integer }, { extended: orNull(instant) })),
  UserAchievementResponse: object({ ...achievement, achievedAt: orNull(instant) }, achievementMore),
  UserAchievementsWithStats: list(
    object({ ...achievement, achievedAt: orNull(instant), completions: integer, rarity: number }, achievementMore),
  ),
  AchievementsWithStats: list(object({ ...achievement, completions: integer, rarity: number }, achievementMore)),
  AchievementCompletionRequest: object({ user: ref('UpsertedUser') }),
  AchievementCompletionResponse: object({
    completionId: string,
    achievement: ref('UserAchievementResponse'),
    points: pointsMap,
  }),
};
