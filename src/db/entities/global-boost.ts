import { defineEntity, p } from '@mikro-orm/core';
import type { AttributeFilter } from '../../rules/types.ts';
import { boostProperties } from './boost-properties.ts';
import { Project } from './project.ts';

export const GlobalBoost = defineEntity({
  name: 'GlobalBoost',
  tableName: 'global_boosts',
  properties: {
    project: () => p.manyToOne(Project).primary(),
    ...boostProperties,
    userAttributes: p.json<readonly AttributeFilter[]>(),
  },
});
