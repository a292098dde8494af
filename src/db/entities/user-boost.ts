import { defineEntity, p } from '@mikro-orm/core';
import { boostProperties } from './boost-properties.ts';
import { User } from './user.ts';

export const UserBoost = defineEntity({
  name: 'UserBoost',
  tableName: 'user_boosts',
  properties: {
    user: () => p.manyToOne(User).primary(),
    ...boostProperties,
    earlier: p.json().default('[]'),
  },
});
