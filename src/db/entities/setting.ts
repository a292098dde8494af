import { defineEntity, p } from '@mikro-orm/core';

export const Setting = defineEntity({
  name: 'Setting',
  tableName: 'settings',
  properties: {
    name: p.text().primary(),
    value: p.json<unknown>(),
  },
});
