import { resolve } from 'node:path';
import ipaddr from 'ipaddr.js';
import { KEY_FORM } from './keys.ts';

export type Role = 'all' | 'api' | 'worker';

/** A port to listen on, 0 for any free one; when nobody asked for it, another will do where it is taken. */
export interface Port {
  number: number;
  given: boolean;
}

/** What the environment says; every field is checked and has its default. */
export interface Config {
  /** Undefined: an embedded PostgreSQL in `dataDir`. */
  databaseUrl: string | undefined;
  /** The owner of the schema, for migrations; undefined: as `databaseUrl`. */
  migrateDatabaseUrl: string | undefined;
  /** Undefined: BullMQ keeps its jobs in PostgreSQL. */
  redisUrl: string | undefined;
  dataDir: string;
  /** Address to listen on. */
  host: string;
  httpPort: Port;
  grpcPort: Port;
  /** `prefix.body`; undefined: one is made and printed at the first start. */
  adminKey: string | undefined;
  role: Role;
  corsOrigins: readonly string[];
  /** Of application keys without a limit of their own: requests in a window of seconds; null: none. */
  rateLimit: { requests: number; seconds: number } | null;
  /** Addresses besides public ones that webhooks may have: none, these networks (CIDR), or all. */
  webhookAllowPrivate: boolean | readonly string[];
  /** Most commands that one process holds in memory on their way; above it calls are refused and streams are slowed. */
  inFlightMax: number;
}

const ROLES: readonly string[] = ['all', 'api', 'worker'];

/** Reads the variables of a process; throws with the name of the first one that is wrong. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const role = env.GUERDON_ROLE || 'all';
  if (!ROLES.includes(role)) throw new Error(`GUERDON_ROLE is ${JSON.stringify(role)}; it can be ${ROLES.join(', ')}`);
  const adminKey = env.GUERDON_ADMIN_KEY || undefined;
  if (adminKey !== undefined && !KEY_FORM.test(adminKey)) {
    throw new Error('GUERDON_ADMIN_KEY must be prefix.body: 1 to 32 and 16 to 128 letters, digits, "_" or "-"');
  }
  return {
    databaseUrl: url(env, 'DATABASE_URL', ['postgres:', 'postgresql:']),
    migrateDatabaseUrl: url(env, 'GUERDON_MIGRATE_DATABASE_URL', ['postgres:', 'postgresql:']),
    redisUrl: url(env, 'REDIS_URL', ['redis:', 'rediss:']),
    dataDir: resolve(env.GUERDON_DATA_DIR || './.guerdon'),
    host: env.GUERDON_HOST || '127.0.0.1',
    httpPort: port(env, 'GUERDON_HTTP_PORT', 8080),
    grpcPort: port(env, 'GUERDON_GRPC_PORT', 50051),
    adminKey,
    role: role as Role,
    corsOrigins: list(env.GUERDON_CORS_ORIGINS),
    webhookAllowPrivate: networks(env.GUERDON_WEBHOOK_ALLOW_PRIVATE),
    rateLimit: rateLimit(env.GUERDON_RATE_LIMIT || undefined),
    inFlightMax: inFlightMax(env.GUERDON_IN_FLIGHT_MAX),
  };
}

function list(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function networks(value: string | undefined): boolean | readonly string[] {
  if (value === 'true') return true;
  if (value === 'false') return false;
  const wrong = list(value).find((network) => !ipaddr.isValidCIDR(network));
  if (wrong !== undefined) {
    throw new Error(
      `GUERDON_WEBHOOK_ALLOW_PRIVATE has ${JSON.stringify(wrong)}; it can be true, false, or networks such as 10.0.0.0/8`,
    );
  }
  return list(value).length > 0 && list(value);
}

const REQUESTS_MAX = 1_000_000;
const SECONDS_MAX = 86_400;

function rateLimit(value: string | undefined): Config['rateLimit'] {
  if (value === undefined) return null;
  const [, requests = 0, seconds = 0] = (/^([0-9]{1,7})\/([0-9]{1,5})$/.exec(value) ?? []).map(Number);
  if (requests < 1 || requests > REQUESTS_MAX || seconds < 1 || seconds > SECONDS_MAX) {
    throw new Error(
      `GUERDON_RATE_LIMIT is ${JSON.stringify(value)}; it must be requests/seconds such as 50/10, at most ${REQUESTS_MAX} in at most ${SECONDS_MAX}`,
    );
  }
  return { requests, seconds };
}

function url(env: Readonly<Record<string, string | undefined>>, name: string, protocols: string[]): string | undefined {
  const value = env[name] || undefined;
  if (value === undefined) return undefined;
  if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) {
    throw new Error(`${name} must be a URL that begins with ${protocols[0]}//`);
  }
  return value;
}

function port(env: Readonly<Record<string, string | undefined>>, name: string, fallback: number): Port {
  const value = env[name] || undefined;
  if (value === undefined) return { number: fallback, given: false };
  if (!/^[0-9]{1,5}$/.test(value) || Number(value) > 65535) {
    throw new Error(`${name} is ${JSON.stringify(value)}; it must be a port, 0 to 65535 (0: any free one)`);
  }
  return { number: Number(value), given: true };
}

/** No less than one list of events. */
const IN_FLIGHT_LEAST = 500;
const IN_FLIGHT_MOST = 1_000_000;

function inFlightMax(value: string | undefined): number {
  if (!value) return 20_000;
  const number = /^[0-9]{1,7}$/.test(value) ? Number(value) : 0;
  if (number >= IN_FLIGHT_LEAST && number <= IN_FLIGHT_MOST) return number;
  throw new Error(
    `GUERDON_IN_FLIGHT_MAX is ${JSON.stringify(value)}; it must be a number from ${IN_FLIGHT_LEAST} to ${IN_FLIGHT_MOST}`,
  );
}
