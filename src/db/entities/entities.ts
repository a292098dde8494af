import { ApiKey } from './api-key.ts';
import { Attribute } from './attribute.ts';
import { Metric } from './metric.ts';
import { PointsSystem } from './points-system.ts';
import { Program } from './program.ts';
import { Project } from './project.ts';
import { Setting } from './setting.ts';

/** All tables that MikroORM knows. */
export const entities = [ApiKey, Attribute, Metric, PointsSystem, Program, Project, Setting];
