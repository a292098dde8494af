import { defineEntity, p } from '@mikro-orm/core';

/** Where the deployment has no Redis: requests of an API key in its window. Its columns are those that the library wants. */
export const RateLimit = defineEntity({
  name: 'RateLimit',
  tableName: 'rate_limits',
  properties: {
    key: p.text().primary(),
    points: p.integer(),
    expire: p.bigint('string').nullable(),
  },
});
