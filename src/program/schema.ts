// The form of an economy file as JSON Schema (draft 2020-12): for editors, and for the first check of a file.

const key = {
  type: 'string',
  pattern: '^(?!__proto__$)[a-zA-Z0-9_-]{1,64}$',
  description: '1 to 64 letters, digits, "_" or "-"; stable, since everything stored refers to it',
};
const name = { type: 'string', minLength: 1, maxLength: 255, description: 'Display name' };
const badgeUrl = { type: 'string', maxLength: 2048, default: '', description: 'URL of a picture; empty: none' };
const description = { type: 'string', maxLength: 1000, default: '', description: 'What it is for' };
const integer = (text: string, pattern: string) => ({
  anyOf: [{ type: 'integer' }, { type: 'string', pattern }],
  description: text,
});
const decimal = (text: string) => ({
  anyOf: [{ type: 'number' }, { type: 'string', pattern: '^[0-9]{1,18}(\\.[0-9]{1,9})?$' }],
  description: text,
});
const orNull = (schema: { anyOf: object[]; description: string }) => ({
  ...schema,
  anyOf: [...schema.anyOf, { type: 'null' }],
});
const POINTS = '^-?(0|[1-9][0-9]{0,15})$';
const filters = (whose: string) => ({
  type: 'object',
  maxProperties: 20,
  propertyNames: key,
  additionalProperties: { type: 'string', maxLength: 255 },
  default: {},
  description: `Attributes of the ${whose} that must have exactly these values, all of them`,
});
const object = (properties: Record<string, object>, required: string[], text: string) => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
  description: text,
});
const list = (items: object, maxItems: number, text: string) => ({
  type: 'array',
  items,
  maxItems,
  default: [],
  description: text,
});
const named = (text: string) => object({ key, name }, ['key', 'name'], text);

const countable = object(
  {
    key,
    name,
    unitType: { enum: ['number', 'currency'], default: 'number', description: 'What its values are, for display' },
    units: {
      type: 'string',
      maxLength: 64,
      default: '',
      description: 'What is counted: of a currency its code, such as USD; else a label',
    },
  },
  ['key', 'name'],
  'Something the app counts',
);

/** What only some types have: what they must have, and what they may. The first is the default where `type` may be absent. */
const byType = (
  { properties, ...schema }: ReturnType<typeof object>,
  types: Record<string, { required: string[]; optional?: string[] }>,
) => {
  const own = Object.values(types).flatMap(({ required, optional = [] }) => [...required, ...optional]);
  return {
    ...schema,
    properties,
    allOf: Object.entries(types).map(([type, { required, optional = [] }], index) => ({
      if: { ...(index > 0 && { required: ['type'] }), properties: { type: { const: type } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: {
        required,
        properties: Object.fromEntries(
          own.filter((name) => ![...required, ...optional].includes(name)).map((name) => [name, false]),
        ),
      },
    })),
  };
};

const level = object(
  {
    key,
    name,
    description,
    badgeUrl,
    points: integer('Threshold, 0 or more', POINTS),
    rewards: {
      type: 'object',
      maxProperties: 100,
      propertyNames: key,
      additionalProperties: integer('Points, 1 or more', POINTS),
      default: {},
      description: 'Points by key of the points system, once, for a user who reaches the level',
    },
  },
  ['key', 'name', 'points'],
  'A named threshold',
);

const status = (text: string) => ({ enum: ['active', 'inactive'], default: 'active', description: text });
const length = (text: string) => integer(`${text}; 1 to 100000`, '^[1-9][0-9]{0,5}$');
const metric = { ...key, description: 'Key of the metric' };
const duration = (text: string) => ({ type: 'string', pattern: '^[1-9][0-9]{0,9}[smhd]$', description: text });

const perPeriod = (text: string, digits: number) => ({
  type: 'string',
  pattern: `^[1-9][0-9]{0,${digits}}/(hour|day|week|month)$`,
  description: text,
});

const limits = object(
  {
    awards: perPeriod('At most so many awards a period, such as 3/day', 8),
    points: perPeriod('At most so many points a period, such as 100/week', 14),
    cooldown: duration(
      'Time from one award to the next, in seconds, minutes, hours or days, such as 90s; at most 99999d',
    ),
    oncePer: {
      ...key,
      description: 'Event attribute: one award for each of its values; events without it are not paid',
    },
  },
  [],
  'How often the trigger may pay one user; days, weeks (from Monday) and months are those of the user',
);

const trigger = byType(
  object(
    {
      key,
      type: {
        enum: ['metric', 'user_creation', 'time', 'streak', 'achievement'],
        default: 'metric',
        description:
          'Fires on events of a metric, once when a user becomes known, by the clock, as a streak grows, or once when the user completes an achievement',
      },
      status: status('An inactive trigger counts and pays nothing'),
      metric,
      threshold: decimal('Fires each time the highest running total passes another multiple of this; above 0'),
      every: duration('Time from one tick to the next, whole hours or days of 24 hours, such as 3h; 1h to 99999d'),
      runs: {
        enum: ['always', 'below_cap'],
        default: 'always',
        description: 'The clock runs always, or only while the balance is below maxPoints',
      },
      length: length('Fires for every so many periods that the streak grows by'),
      achievement: { ...key, description: 'Key of the achievement' },
      points: integer('For one firing, before boosts; never 0; negative deducts', POINTS),
      userAttributes: filters('user'),
      eventAttributes: filters('event'),
      onFloor: {
        enum: ['refuse', 'clamp', 'allow'],
        default: 'refuse',
        description: 'A deduction below minPoints: refuses the event, is shortened, or goes through',
      },
      limits: { ...limits, default: {} },
    },
    ['key', 'points'],
    'A rule that gives or takes points',
  ),
  {
    metric: { required: ['metric', 'threshold'], optional: ['eventAttributes', 'limits'] },
    user_creation: { required: [] },
    time: { required: ['every'], optional: ['runs'] },
    streak: { required: ['length'] },
    achievement: { required: ['achievement'] },
  },
);

const streak = object(
  {
    frequency: {
      enum: ['daily', 'weekly', 'monthly'],
      description: 'Days, weeks (from Monday) or months of the user, in each of which something must be done',
    },
    metrics: list(key, 1000, 'Keys of the metrics whose events count, where their value is above 0; empty: of any'),
  },
  ['frequency'],
  'What keeps the streaks of users going; null: the project counts none',
);

const achievement = byType(
  object(
    {
      key,
      name,
      description,
      badgeUrl,
      status: status('An inactive achievement cannot be completed'),
      type: {
        enum: ['api', 'metric', 'streak'],
        description:
          'Completed when the app says so, when the highest running total of a metric reaches a number, or when a streak reaches a length',
      },
      metric,
      total: decimal('The running total that completes it; above 0'),
      length: length('Periods of the streak that complete it'),
      userAttributes: filters('user'),
    },
    ['key', 'name', 'type'],
    'Something that a user completes once',
  ),
  { api: { required: [] }, metric: { required: ['metric', 'total'] }, streak: { required: ['length'] } },
);

const system = object(
  {
    key,
    name,
    description,
    badgeUrl,
    maxPoints: orNull(integer('No balance exceeds this; null: no cap', POINTS)),
    minPoints: orNull(integer('Spends and deductions stop here; null: no floor', POINTS)),
    levelBasis: { enum: ['balance', 'earned'], default: 'balance', description: 'What levels are compared with' },
    boostCeiling: orNull(decimal('The product of boosts is never above this; null: no ceiling')),
    levels: list(level, 200, 'Levels, in any order'),
    triggers: list(trigger, 500, 'Triggers, in the order in which they are evaluated'),
  },
  ['key', 'name'],
  'A currency',
);

export const economySchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://guerdon.dev/economy.schema.json',
  title: 'Guerdon economy',
  ...object(
    {
      $schema: { type: 'string' },
      timeZone: { type: 'string', maxLength: 64, default: 'UTC', description: 'IANA zone of users without one' },
      keylessEvents: {
        enum: ['mark', 'warn', 'refuse'],
        default: 'mark',
        description: 'Events without an idempotency key: stored as such, warned about in the log, or refused',
      },
      metrics: list(countable, 1000, 'Metrics'),
      userAttributes: list(named('An attribute of users'), 500, 'Attributes that users may have'),
      eventAttributes: list(named('An attribute of events'), 500, 'Attributes that events may have'),
      streak: { ...streak, type: ['object', 'null'] },
      achievements: list(achievement, 1000, 'Achievements'),
      systems: list(system, 100, 'Points systems'),
    },
    [],
    'The whole program of a project: metrics, attributes, points systems with their triggers and levels, achievements, streaks',
  ),
};
