import {
  boolean,
  date,
  integer,
  key,
  list,
  map,
  number,
  object,
  oneOf,
  orNull,
  POINTS_MAX,
  ref,
  type Schema,
  string,
  text,
  uuid,
} from './parts.ts';

const name = text(255, 1);
const description = text(1000);
const badge = orNull(object({ url: text(2048) }));
const filters = orNull(list(object({ attributeId: uuid, attributeValue: text(255) })));
const filtersGiven = list(object({ attributeId: string, attributeValue: string }));
const maxPoints = orNull({ ...integer, minimum: 1, maximum: POINTS_MAX });
const levelPoints = { ...integer, minimum: 0, maximum: POINTS_MAX };
const points = {
  ...integer,
  minimum: -POINTS_MAX,
  maximum: POINTS_MAX,
  not: { const: 0 },
  description: 'a whole number, not 0',
};
const multiplier = {
  ...number,
  exclusiveMinimum: 0,
  exclusiveMaximum: 100,
  not: { const: 1 },
  description: 'above 0 and below 100, and not 1',
};
const rounding = oneOf('down', 'up', 'nearest');
const unitType = oneOf('number', 'currency');
const unit = { unitType, units: text(64) };
const triggerType = oneOf('metric', 'achievement', 'streak', 'time', 'user_creation');
const count = { ...integer, minimum: 1, maximum: 1_000_000_000 };

const boostFields = { end: orNull(date), rounding };
const triggerFields = {
  status: oneOf('active', 'inactive'),
  userAttributes: filters,
  metricId: uuid,
  metricThreshold: { ...number, exclusiveMinimum: 0, exclusiveMaximum: 1e18 },
  eventAttributes: filters,
  achievementId: uuid,
  streakLength: { ...count, maximum: 100_000 },
  timeUnit: oneOf('hours', 'days'),
  // As many hours as the longest interval has.
  timeInterval: { ...count, maximum: 2_399_976 },
  blockIfOutOfPoints: boolean,
};
const eventFields = { user: ref('UpsertedUser'), value: number };

const nouns: Readonly<Record<string, Schema>> = {
  AdminMetric: object({ id: uuid, name: string, key, unitType, units: string }),
  AdminAttribute: object({ id: uuid, name: string, key, type: oneOf('user', 'event') }),
  AdminPointsSystem: object(
    {
      id: uuid,
      name: string,
      key,
      description: string,
      status: oneOf('active', 'archived'),
      badge,
      maxPoints: orNull(integer),
    },
    {
      levels: list(ref('AdminPointsLevel')),
      boosts: list(ref('AdminPointsBoost')),
      triggers: list(ref('AdminPointsTrigger')),
    },
  ),
  AdminPointsBoost: object(
    {
      id: uuid,
      name: string,
      status: oneOf('active', 'scheduled', 'finished'),
      start: date,
      end: orNull(date),
      multiplier: number,
      rounding,
      userId: orNull(string),
    },
    { userAttributes: filtersGiven },
  ),
  AdminPointsLevel: object({ id: uuid, name: string, key, points: integer, description: string, badge }),
  AdminPointsTrigger: object(
    {
      id: uuid,
      type: triggerType,
      points: integer,
      status: oneOf('active', 'inactive'),
      userAttributes: filtersGiven,
      blockIfOutOfPoints: boolean,
    },
    {
      metricId: uuid,
      metricThreshold: number,
      eventAttributes: filtersGiven,
      achievementId: uuid,
      streakLength: integer,
      timeUnit: oneOf('hours', 'days'),
      timeInterval: integer,
    },
  ),
  ApplicationApiKey: object({ id: uuid, userId: string, key: string, prefix: string }),
};

const many = (noun: string): Record<string, Schema> => ({
  [`${noun}s`]: list(ref(noun)),
  [`Created${noun}s`]: object({ created: list(ref(noun)), issues: list(ref('AdminIssue')) }),
  [`Updated${noun}s`]: object({ updated: list(ref(noun)), issues: list(ref('AdminIssue')) }),
});

/** What the admin API takes and gives. */
export const adminSchemas: Readonly<Record<string, Schema>> = {
  ...nouns,
  ...Object.assign({}, ...Object.keys(nouns).map(many)),
  AdminIssue: object(
    { severity: oneOf('error', 'warning'), message: string },
    { index: integer, id: string, userId: string, boostId: string, level: oneOf('error', 'warning'), reason: string },
  ),
  Deleted: object({ deleted: list(object({ id: uuid })), issues: list(ref('AdminIssue')) }),
  DeletedBoosts: object({
    archivedCount: integer,
    deleted: list(object({ id: uuid })),
    issues: list(ref('AdminIssue')),
  }),
  NewMetric: object({ name, key }, unit),
  ChangedMetric: object({ id: uuid }, { name, ...unit }),
  NewAttribute: object({ name, key, type: oneOf('user', 'event') }),
  ChangedAttribute: object({ id: uuid }, { name }),
  NewPointsSystem: object(
    { name, key },
    {
      description,
      badge,
      maxPoints,
      levels: { ...list({}), maxItems: 100 },
      boosts: { ...list({}), maxItems: 100 },
      triggers: { ...list({}), maxItems: 100 },
    },
  ),
  ChangedPointsSystem: object({ id: uuid }, { name, description, badge, maxPoints }),
  NewBoost: object(
    { name, start: date, multiplier },
    { ...boostFields, userId: orNull(text(255, 1)), userAttributes: filters },
  ),
  ChangedBoost: object({ id: uuid }, { ...boostFields, name, start: date, multiplier, userAttributes: filters }),
  NewUserBoosts: object({
    systemKey: key,
    boosts: { ...list({}), minItems: 1, maxItems: 1000 },
  }),
  NewUserBoost: object({ userId: text(255, 1), name, start: date, multiplier }, boostFields),
  NewLevel: object({ name, key, points: levelPoints }, { description, badge }),
  ChangedLevel: object({ id: uuid }, { name, points: levelPoints, description, badge }),
  NewTrigger: object({ type: triggerType, points }, triggerFields),
  ChangedTrigger: object({ id: uuid }, { type: triggerType, points, ...triggerFields }),
  BatchEvents: {
    ...list(
      object(
        { key, ...eventFields },
        { attributes: { ...map(text(255)), maxProperties: 50 }, idempotencyKey: text(255, 1) },
      ),
    ),
    minItems: 1,
    maxItems: 1000,
  },
  AcceptedEvents: object({ accepted: integer }),
  NewApplicationApiKey: object({ userId: text(255, 1) }),
};
