import { adminSchemas } from './admin.ts';
import { appSchemas } from './app.ts';
import type { Schema } from './parts.ts';

/** All schemas of the contract, by the names that the tables use. */
export const schemas: Readonly<Record<string, Schema>> = { ...appSchemas, ...adminSchemas };
